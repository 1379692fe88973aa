"""Buckets let bursts through, then a steady stream, and never grow without bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import Buckets


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def buckets(clock: Clock, *, per_second: float = 2.0, burst: int = 3, capacity: int = 10) -> Buckets:
    return Buckets("p", per_second=per_second, burst=burst, capacity=capacity, clock=clock)


def test_a_burst_passes_and_then_a_refusal_says_how_long_to_wait() -> None:
    clock = Clock()
    limit = buckets(clock)
    assert [limit.take("k") for _ in range(3)] == [None, None, None]
    refusal = limit.take("k")
    assert refusal is not None
    assert refusal.headers() == {
        "Retry-After": "1",
        "RateLimit-Policy": '"p";q=3;w=2',
        "RateLimit": '"p";r=0;t=1',
    }


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    clock = Clock()
    limit = buckets(clock)
    for _ in range(4):
        limit.take("k")
    clock.now = 0.5
    assert limit.take("k") is None
    assert limit.take("k") is not None
    clock.now = 100.0
    assert [limit.take("k") is None for _ in range(4)] == [True, True, True, False]


def test_keys_do_not_share() -> None:
    limit = buckets(Clock(), burst=1)
    assert limit.take("a") is None
    assert limit.take("b") is None
    assert limit.take("a") is not None


def test_refused_attempts_cost_nothing() -> None:
    clock = Clock()
    limit = buckets(clock, per_second=1.0, burst=1)
    limit.take("k")
    for _ in range(100):
        assert limit.take("k") is not None
    clock.now = 1.0
    assert limit.take("k") is None


def test_memory_is_bounded() -> None:
    limit = buckets(Clock(), capacity=10)
    for n in range(1_000):
        limit.take(f"address-{n}")
    assert len(limit) == 10


@given(st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_burst_plus_what_time_refills(pauses: list[float]) -> None:
    clock = Clock()
    limit = buckets(clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += limit.take("k") is None
    assert passed <= 3 + clock.now * 2.0 + 1e-6
