"""Token buckets: how often one subject or one address may knock."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was turned away, in the words of the RateLimit header fields."""

    policy: str
    burst: int
    per_second: float
    wait_seconds: float

    def headers(self) -> dict[str, str]:
        """Retry-After, and the policy that applies."""
        wait = max(1, math.ceil(self.wait_seconds))
        window = max(1, math.ceil(self.burst / self.per_second))
        return {
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{self.policy}";q={self.burst};w={window}',
            "RateLimit": f'"{self.policy}";r=0;t={wait}',
        }


class Buckets:
    """One bucket per key: `burst` tokens that refill at `per_second`.

    At most `capacity` keys are remembered. The one untouched longest is forgotten first, which is
    the fullest bucket there is, unless an attacker has `capacity` addresses.
    """

    def __init__(
        self,
        policy: str,
        *,
        per_second: float,
        burst: int,
        capacity: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self._per_second = per_second
        self._burst = burst
        self._capacity = capacity
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str, tokens: float = 1.0) -> Refusal | None:
        """Take `tokens` out of the key's bucket; None, or what to tell the one who must wait."""
        now = self._clock()
        level, since = self._levels.get(key, (float(self._burst), now))
        level = min(float(self._burst), level + (now - since) * self._per_second)
        missing = tokens - level
        self._levels[key] = (level if missing > 0 else level - tokens, now)
        self._levels.move_to_end(key)
        while len(self._levels) > self._capacity:
            self._levels.popitem(last=False)
        if missing <= 0:
            return None
        return Refusal(self.policy, self._burst, self._per_second, missing / self._per_second)
