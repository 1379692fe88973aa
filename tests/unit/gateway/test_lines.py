"""Calls that are made at the same moment share a message; a lone one waits for nobody, and none waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import pytest

from gateway import lines
from gateway.lines import LONGEST_HOLD, MOST_BYTES, MOST_CALLS, SIDE_BY_SIDE, Line, Waiting


def call(n: int, size: int = 10) -> Waiting:
    return Waiting(f"c{n}", b"x" * size, 1.0)


def on_a_line(story: Callable[[Line, list[list[str]]], Coroutine[None, None, None]]) -> list[list[str]]:
    """What was sent, message by message, while the story ran."""

    async def run() -> list[list[str]]:
        sent: list[list[str]] = []

        def send(calls: Sequence[Waiting]) -> None:
            sent.append([one.id for one in calls])

        await story(Line(send), sent)
        return sent

    return asyncio.run(run())


def test_a_lone_call_is_sent_in_the_turn_in_which_it_is_made() -> None:
    async def story(line: Line, sent: list[list[str]]) -> None:
        for n in range(3):
            line.put(call(n))
            await asyncio.sleep(0)
            assert len(sent) == n + 1
            line.answered()

    assert on_a_line(story) == [["c0"], ["c1"], ["c2"]]


def test_calls_of_one_turn_share_a_message() -> None:
    async def story(line: Line, _sent: list[list[str]]) -> None:
        for n in range(5):
            line.put(call(n))
        await asyncio.sleep(0)

    assert on_a_line(story) == [["c0", "c1", "c2", "c3", "c4"]]


def test_a_message_has_a_bounded_number_of_calls_and_of_bytes() -> None:
    async def story(line: Line, _sent: list[list[str]]) -> None:
        for n in range(MOST_CALLS + 1):
            line.put(call(n))
        await asyncio.sleep(0)
        for n in range(3):
            line.put(call(n, MOST_BYTES // 2))
        await asyncio.sleep(LONGEST_HOLD * 3)

    assert [len(message) for message in on_a_line(story)] == [MOST_CALLS, 1, 2, 1]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_HOLD", 30.0)


@pytest.mark.usefixtures("patient")
def test_while_messages_are_without_an_answer_calls_gather_until_the_first_comes() -> None:
    async def story(line: Line, sent: list[list[str]]) -> None:
        for n in range(SIDE_BY_SIDE):
            line.put(call(n))
            await asyncio.sleep(0)
        for n in (7, 8, 9):
            line.put(call(n))
            await asyncio.sleep(0.001)
        assert len(sent) == SIDE_BY_SIDE
        line.answered()
        await asyncio.sleep(0)

    assert on_a_line(story)[SIDE_BY_SIDE:] == [["c7", "c8", "c9"]]


def test_no_call_waits_for_long_although_no_answer_comes() -> None:
    async def story(line: Line, sent: list[list[str]]) -> None:
        for n in range(SIDE_BY_SIDE):
            line.put(call(n))
            await asyncio.sleep(0)
        line.put(call(9))
        assert len(sent) == SIDE_BY_SIDE
        await asyncio.sleep(LONGEST_HOLD * 20)

    assert on_a_line(story)[-1] == ["c9"]


def test_what_was_to_go_over_a_broken_connection_is_dropped_and_the_next_call_is_sent_at_once() -> None:
    async def story(line: Line, sent: list[list[str]]) -> None:
        for n in range(SIDE_BY_SIDE + 1):
            line.put(call(n))
            await asyncio.sleep(0)
        line.drop()
        for _ in range(SIDE_BY_SIDE):
            line.answered()
        line.put(call(9))
        await asyncio.sleep(0)
        assert sent[-1] == ["c9"]
        await asyncio.sleep(LONGEST_HOLD * 3)

    assert on_a_line(story)[-1] == ["c9"]
