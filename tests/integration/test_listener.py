"""What is no message at all, on the queue of a follower, is put aside for an operator and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pika
import pymongo

from tests.support.programs import Programs, until

QUEUE = "depots.arrivals"


def test_an_empty_message_is_put_aside(platform_env: dict[str, str], tmp_path: Path) -> None:
    with Programs(platform_env, tmp_path) as programs:
        service = programs.start("service", "depots").ready()
        with (
            pika.BlockingConnection(pika.URLParameters(platform_env["AMQP_URL"])) as connection,
            pymongo.MongoClient[dict[str, object]](platform_env["MONGO_URL"]) as client,
        ):
            channel = connection.channel()
            channel.confirm_delivery()
            shelf = client[f"{platform_env['CHECKOP_DB_PREFIX']}depots"]["inbox_parked"]

            def declared() -> bool:
                try:
                    connection.channel().queue_declare(QUEUE, passive=True)
                except pika.exceptions.ChannelClosedByBroker:
                    return False
                return True

            until(declared, 20)
            for body in (b"", b"\xff", b"{}"):
                channel.basic_publish("", QUEUE, body)
            until(lambda: shelf.count_documents({"unreadable": True}) == 3, 20)
            assert not service.said("listener.interrupted")
            assert channel.queue_declare(QUEUE, passive=True).method.message_count == 0
