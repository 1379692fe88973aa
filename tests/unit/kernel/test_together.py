"""Those who ask at the same moment share one round trip: everybody gets his own answer, newer than his question."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from services.kernel.together import Together
from tests.support.threads import at_once


@pytest.mark.parametrize("hands", [1, 2, 5])
def test_everybody_gets_his_own_answer_and_no_more_batches_are_under_way_than_hands(hands: int) -> None:
    mutex, under_way, most, batches = threading.Lock(), 0, 0, 0

    def serve(items: Sequence[int]) -> list[int]:
        nonlocal under_way, most, batches
        with mutex:
            under_way += 1
            batches += 1
            most = max(most, under_way)
        time.sleep(0.001)
        with mutex:
            under_way -= 1
        return [item * 2 for item in items]

    together = Together(serve, hands=hands)
    answers = at_once([lambda n=n: [together.ask(n * 100 + i) for i in range(20)] for n in range(16)])
    assert answers == [[(n * 100 + i) * 2 for i in range(20)] for n in range(16)]
    assert most <= hands
    assert batches < 16 * 20, "nobody shared anything"
    assert together.waiting == 0


def test_an_answer_is_newer_than_its_question() -> None:
    clock = 0

    def serve(items: Sequence[int]) -> list[int]:
        seen = clock
        time.sleep(0.001)
        return [seen] * len(items)

    together = Together(serve, hands=2)

    def asks() -> bool:
        nonlocal clock
        fresh = []
        for _ in range(30):
            clock += 1
            before = clock
            fresh.append(together.ask(0) >= before)
        return all(fresh)

    assert at_once([asks] * 8) == [True] * 8


def test_one_who_is_alone_waits_for_nobody() -> None:
    together = Together[str, str](lambda items: [item.upper() for item in items])
    assert [together.ask("a"), together.ask("b")] == ["A", "B"]


def test_a_batch_that_breaks_is_heard_of_by_all_in_it_and_by_nobody_after_it() -> None:
    gate, times = threading.Event(), 0

    def serve(items: Sequence[int]) -> list[int]:
        nonlocal times
        times += 1
        if times == 1:
            assert gate.wait(10)
        if times == 2:
            raise RuntimeError("broken")
        return list(items)

    together = Together(serve)
    first = threading.Thread(target=together.ask, args=(0,))
    first.start()
    while times == 0:
        time.sleep(0.001)

    def let_go() -> None:
        while together.waiting < 3:
            time.sleep(0.001)
        gate.set()

    outcomes = at_once([lambda n=n: together.ask(n) for n in range(1, 4)] + [let_go])
    first.join(10)
    assert [str(outcome) for outcome in outcomes[:3]] == ["broken"] * 3
    assert together.ask(7) == 7


def test_an_answer_too_few_is_a_bug_that_leaves_nobody_waiting() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Together[int, int](lambda items: []).ask(1)
