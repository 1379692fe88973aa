"""Named points at which a test may make this process fail or die; in production nothing is armed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

POINTS = (
    "store.before_insert",
    "store.after_insert_before_ack",
    "relay.before_publish",
    "relay.after_publish_before_checkpoint",
    "relay.after_checkpoint",
    "relay.after_replay_before_ack",
    "projection.before_commit",
    "projection.after_commit",
    "rebuild.after_batch",
    "rebuild.before_switch",
    "subscription.after_declare_before_request",
    "inbox.before_effect",
    "inbox.after_effect_before_ack",
    "inbox.after_park",
    "process.after_append_before_ack",
    "timers.after_command_before_delete",
    "media.before_original",
    "media.after_original_before_event",
    "media.after_event_before_settle",
    "media.after_settle_before_removal",
    "report.after_edition_before_event",
    "media_export.after_package_before_event",
)

_armed: dict[str, Callable[[], None]] = {}


class InjectedFault(Exception):
    """Raised at an armed point."""


def arm(point: str, action: Callable[[], None]) -> None:
    """Run `action` whenever `point` is reached. Raises KeyError for a point that does not exist."""
    if point not in POINTS:
        raise KeyError(point)
    _armed[point] = action


def disarm() -> None:
    """Forget every armed point."""
    _armed.clear()


def reached(point: str) -> None:
    """The code is at `point`."""
    if _armed and point in _armed:
        _armed[point]()


def arm_from(spec: str) -> None:
    """Arm from `point:nth:kill` or `point:nth:raise`, as a process under test is told by its environment."""
    if not spec:
        return
    point, nth, action = spec.split(":")
    left = int(nth)

    def act() -> None:
        nonlocal left
        left -= 1
        if left != 0:
            return
        sys.stderr.write(f"fault injected: {spec}\n")
        sys.stderr.flush()
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise InjectedFault(point)

    arm(point, act)
