"""The local stack comes up, keeps its data through stops and kills, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pymongo
import pytest
from minio import Minio
from minio.error import S3Error

from deploy.local import EngineFailed, LocalStack, PortTaken, StackBusy
from deploy.local.mongod import Mongod
from deploy.local.ports import listening
from deploy.local.stack import owner

REPOSITORY = Path(__file__).resolve().parents[2]
QUEUE = "kept"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of this module's own, because these tests stop and kill it."""
    with LocalStack(tmp_path_factory.mktemp("local"), ports="free") as started:
        yield started


def descendants(pid: int) -> set[int]:
    """Everything that runs and was started by `pid` or by what it started."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return found


def alive(pid: int) -> bool:
    """Running, and not merely waiting to be collected by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def write_to_every_engine(local: LocalStack) -> None:
    with pymongo.MongoClient[dict[str, object]](local.env["MONGO_URL"]) as client:
        client.kept.facts.insert_one({"_id": "fact"})
    with pika.BlockingConnection(pika.URLParameters(local.env["AMQP_URL"])) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", QUEUE, b"fact", pika.BasicProperties(delivery_mode=2))
    objects(local).make_bucket("kept")
    objects(local).put_object("kept", "fact", io.BytesIO(b"fact"), 4)
    send_mail(local, to="kept@example.com", subject="fact")


def assert_every_engine_kept_it(local: LocalStack) -> None:
    with pymongo.MongoClient[dict[str, object]](local.env["MONGO_URL"]) as client:
        assert client.kept.facts.count_documents({"_id": "fact"}) == 1
    with pika.BlockingConnection(pika.URLParameters(local.env["AMQP_URL"])) as connection:
        delivery, _, body = connection.channel().basic_get(QUEUE)
        assert delivery is not None
        assert body == b"fact"
    with objects(local).get_object("kept", "fact") as answer:
        assert answer.read() == b"fact"
    assert [mail["subject"] for mail in mails(local, to="kept@example.com")] == ["fact"]


def objects(local: LocalStack, by: str = "S3") -> Minio:
    return Minio(
        urlsplit(local.env["S3_ENDPOINT"]).netloc,
        access_key=local.env[f"{by}_ACCESS_KEY"],
        secret_key=local.env[f"{by}_SECRET_KEY"],
        secure=False,
        region="us-east-1",
    )


def send_mail(local: LocalStack, *, to: str, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "checkop@example.com", to, subject
    message.set_content("Su código es 1234.")
    url = urlsplit(local.env["SMTP_URL"])
    with smtplib.SMTP(str(url.hostname), url.port or 0) as connection:
        connection.send_message(message)


def mails(local: LocalStack, *, to: str) -> list[dict[str, str]]:
    with urllib.request.urlopen(f"{local.env['MAILBOX_URL']}/messages?to={to}") as answer:
        found: list[dict[str, str]] = json.load(answer)
    return found


def test_what_was_acknowledged_survives_a_stop_and_a_kill_of_every_engine(local: LocalStack) -> None:
    write_to_every_engine(local)
    for engine in local.engines:
        engine.restart()
    assert_every_engine_kept_it(local)
    for engine in local.engines:
        engine.kill()
    assert not any(engine.pid for engine in local.engines)
    for engine in local.engines:
        engine.start()
    assert_every_engine_kept_it(local)


def test_only_loopback_is_listened_on(local: LocalStack) -> None:
    own = {f"{port:04X}" for port in local.ports.values()}
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listeners = [row.split()[1] for row in tables.splitlines() if row.split()[3:4] == ["0A"]]
    ours = {address for address, _, port in (row.rpartition(":") for row in listeners) if port in own}
    assert ours == {"0100007F", "00000000000000000000000001000000"} or ours == {"0100007F"}


def test_the_broker_refuses_the_password_that_everybody_knows(local: LocalStack) -> None:
    guest = f"amqp://guest:guest@127.0.0.1:{local.ports['amqp']}/%2F"
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(guest))


def test_the_gateway_adds_to_what_comes_in_and_fetches_what_is_kept_and_no_more(local: LocalStack) -> None:
    owner, gateway = objects(local), objects(local, "S3_GATEWAY")
    for bucket in ("checkop", "checkop-incoming", "checkop-media"):
        owner.put_object(bucket, "t/object", io.BytesIO(b"x"), 1)

    def may(ask: Callable[[], object]) -> bool:
        try:
            ask()
        except S3Error as refused:
            if refused.code != "AccessDenied":
                raise
            return False
        return True

    def rights(bucket: str) -> dict[str, bool]:
        return {
            "read": may(lambda: gateway.get_object(bucket, "t/object").read()),
            "list": may(lambda: list(gateway.list_objects(bucket, "t/"))),
            "write": may(lambda: gateway.put_object(bucket, "t/other", io.BytesIO(b"x"), 1)),
        }

    assert rights("checkop") == {"read": True, "list": True, "write": True}
    assert rights("checkop-incoming") == {"read": False, "list": True, "write": True}
    assert rights("checkop-media") == {"read": True, "list": False, "write": False}
    assert not may(lambda: gateway.make_bucket("another"))


def test_an_email_is_shown_to_who_asks_for_its_recipient(local: LocalStack) -> None:
    send_mail(local, to="ana@example.com", subject="Invitación")
    send_mail(local, to="luis@example.com", subject="Otra")
    (mail,) = mails(local, to="Ana@Example.com")
    assert (mail["subject"], mail["to"], mail["text"]) == (
        "Invitación",
        ["ana@example.com"],
        "Su código es 1234.\r\n",
    )
    with urllib.request.urlopen(f"{local.env['MAILBOX_URL']}/messages/{mail['id']}") as raw:
        assert b"\r\n\r\n" in raw.read()


def test_secrets_are_readable_by_their_owner_only(local: LocalStack) -> None:
    for name in ("secrets.json", "env.json", "rabbitmq/rabbitmq.conf", "objects/identities.json"):
        assert (local.root / name).stat().st_mode & 0o077 == 0, name


def test_a_second_stack_on_the_same_directory_is_refused(local: LocalStack) -> None:
    with pytest.raises(StackBusy, match=str(os.getpid())):
        LocalStack(local.root).start()
    assert owner(local.root) == os.getpid()


def test_a_taken_port_is_named_together_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"{taken}  mongo; .*CHECKOP_MONGO_PORT"):
            LocalStack(tmp_path, ports={"mongo": taken}, engines=["mongod"]).start()
    assert owner(tmp_path) is None


def test_an_engine_that_cannot_start_quotes_its_log(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"mongod ended with code(.|\n)*bad --port number"):
        Mongod(tmp_path, port=70_000).start()


def test_an_engine_that_is_given_is_used_and_not_started(
    local: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_URL", local.env["MONGO_URL"])
    with LocalStack(tmp_path, engines=["mongod"]) as borrowing:
        assert borrowing.engines == []
        assert borrowing.env["MONGO_URL"] == local.env["MONGO_URL"]


def test_after_a_stop_no_process_listener_or_socket_is_left(tmp_path: Path) -> None:
    before = descendants(os.getpid())
    stack = LocalStack(tmp_path, ports="free").start()
    started = descendants(os.getpid()) - before
    assert len(started) >= len(stack.engines)
    stack.stop()
    assert not {pid for pid in started if alive(pid)}
    assert not [name for name, port in stack.ports.items() if listening(port)]
    s3 = [port for name, port in stack.ports.items() if name.startswith("s3")]
    assert not [path for port in s3 for path in Path("/tmp").glob(f"seaweedfs-*{port}.sock")]


def test_engines_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "deploy.local", "engines", "--free-ports", "--data", str(tmp_path)]
    starter = subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline().startswith("export ")
    started = descendants(starter.pid)
    assert len(started) >= 4
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not {pid for pid in started if alive(pid)}
