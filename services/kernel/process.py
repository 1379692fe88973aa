"""Runs reactions: turns a fact into this service's own commands and timers, exactly once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.kernel.application import Application, Reacting
from services.kernel.commit import Recorded
from services.kernel.timers import At, Dispatch, Timers

React = Callable[[Recorded, Reacting], Iterable[Dispatch | At] | None]


def cursor_id(reaction: str) -> str:
    """Under which name it is kept how far a reaction has followed its service's own log."""
    return f"reaction:{reaction}"


def carry_out(
    name: str, react: React, fact: Recorded, app: Application, set_timer: Callable[[At, str, str], None]
) -> None:
    """Let the policy `name` answer one fact; `set_timer` is told a timer, its account and the fact's id.

    Each command's id is made from the policy, the fact and what is asked, so doing all of this again, after a
    crash between the append and the cursor, adds nothing. The command's place among the others would not do: what
    is asked may be read from a list out of which the first command has taken a row.
    """
    for wanted in react(fact, Reacting(app)) or ():
        match wanted:
            case Dispatch(command=command, data=data):
                commit_id = f"{name}:{fact.id}:{app.digest(command, data)}"
                app.dispatch(wanted, tenant=fact.tenant, by=name, commit_id=commit_id, cause=fact)
            case At():
                set_timer(wanted, fact.tenant, fact.id)


def fire_timers(timers: Timers, app: Application) -> int:
    """Carry out every timer that is due; answers how many."""

    def run(timer_id: str, tenant: str, cause: str, dispatch: Dispatch) -> None:
        app.dispatch(dispatch, tenant=tenant, by="timer", commit_id=f"timer:{timer_id}:{cause}", cause=None)

    return timers.fire(run)
