"""What the gateway tells identity by itself: origins once, token use now and then, never in a request's way."""

from __future__ import annotations

import asyncio

from gateway.identity import Identity
from gateway.origins import Origins
from gateway.principals import Principal
from gateway.rpc_client import ServiceUnavailable
from gateway.token_use import AT_MOST_EVERY_SECONDS, TokenUse
from tests.unit.gateway.conftest import ORIGIN, TENANT, USER, FakeServices


def caller(session: str | None = "s", token: str | None = None) -> Principal:
    return Principal(TENANT, USER, "admin", frozenset({"tasks:read"}), session, token, 1, 0.0)


def test_an_origin_is_told_once_per_session_and_address() -> None:
    services = FakeServices()
    origins = Origins(Identity(services).observe)  # type: ignore[arg-type]

    async def story() -> None:
        for who, ip in ((caller(), "1.1.1.1"), (caller(), "1.1.1.1"), (caller(), "2.2.2.2"), (caller("t"), "1.1.1.1")):
            assert await origins.of(who, ip) == ORIGIN

    asyncio.run(story())
    told = services.asked("observe_origin")
    assert [call["data"] for call in told] == [
        {"session_id": "s", "ip": "1.1.1.1"},
        {"session_id": "s", "ip": "2.2.2.2"},
        {"session_id": "t", "ip": "1.1.1.1"},
    ]
    assert all(call["caller"]["actor"] == USER for call in told)
    assert len({call["command_id"] for call in told}) == 3


def test_a_programs_origin_names_its_token() -> None:
    services = FakeServices()
    asyncio.run(Identity(services).observe(caller(None, "k"), "1.1.1.1"))  # type: ignore[arg-type]
    assert services.asked("observe_origin")[0]["data"] == {"token_id": "k", "ip": "1.1.1.1"}


def test_a_failed_observation_is_tried_again() -> None:
    services = FakeServices()
    services.answers["observe_origin"] = ServiceUnavailable("down")
    origins = Origins(Identity(services).observe)  # type: ignore[arg-type]

    async def story() -> None:
        for answer in (None, {"id": ORIGIN}):
            if answer:
                services.answers["observe_origin"] = answer
                assert await origins.of(caller(), "1.1.1.1") == ORIGIN
            else:
                try:
                    await origins.of(caller(), "1.1.1.1")
                except ServiceUnavailable:
                    continue

    asyncio.run(story())
    assert len(services.asked("observe_origin")) == 2


def test_token_use_is_noted_hourly_and_failures_are_nobodys_problem() -> None:
    services = FakeServices()
    services.answers["note_api_token_use"] = ServiceUnavailable("down")
    now = [0.0]

    async def story() -> None:
        use = TokenUse(Identity(services).note_token_use, lambda: now[0])  # type: ignore[arg-type]

        async def used() -> int:
            use.note(caller(None, "k"))
            await asyncio.sleep(0.01)
            return len(services.asked("note_api_token_use"))

        assert await used() == 1
        services.answers["note_api_token_use"] = {}
        assert await used() == 2, "what failed is told again"
        assert await used() == 2
        now[0] += AT_MOST_EVERY_SECONDS
        assert await used() == 3

    asyncio.run(story())
    assert services.asked("note_api_token_use")[0]["data"] == {"token_id": "k"}
