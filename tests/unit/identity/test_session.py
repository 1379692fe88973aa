"""A session's refresh tokens rotate; a lost answer is forgiven for a moment, a stolen token ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.identity.domain.session import (
    GRACE,
    OpenSession,
    ProveSession,
    RefreshReused,
    RefreshSession,
    RevokeSession,
    SessionOpened,
    SessionProven,
    SessionRefreshed,
    SessionRevoked,
    session,
)
from services.kernel.testing.given import given
from tests.examples.identity import ANA, NOON, PHONE, SESSION, TEO, ask, carry_out, phone_session

web_session = phone_session.model_copy(update={"kind": "web", "device_id": None})
open_it = ask(OpenSession, session_id=SESSION, user_id=TEO, kind="device", device_id=PHONE, label="Pixel 8", epoch=0)


def refresh(generation: int, after: timedelta, **more: Any) -> RefreshSession:
    """The token of this generation is exchanged."""
    return ask(
        RefreshSession,
        after=after,
        **{"session_id": SESSION, "generation": generation, "entitled": True, **more},
    )


def refreshed(generation: int, after: timedelta) -> SessionRefreshed:
    """It was exchanged for this generation's."""
    return SessionRefreshed(session_id=SESSION, user_id=TEO, generation=generation, refreshed_at=NOON + after)


def revoked(reason: str) -> SessionRevoked:
    """It ended."""
    return SessionRevoked(session_id=SESSION, user_id=TEO, reason=reason)


HOUR = timedelta(hours=1)


def test_it_opens_once() -> None:
    given(session).when(open_it).then(phone_session)
    given(session).when(open_it).then_repeating_adds_nothing()
    other = open_it.model_copy(update={"user_id": ANA})
    given(session, phone_session).when(other).then_rejected("session-exists")


def test_each_use_rotates_the_token() -> None:
    story = given(session, phone_session).when(refresh(0, HOUR)).then(refreshed(1, HOUR))
    story.when(refresh(1, 2 * HOUR)).then(refreshed(2, 2 * HOUR))


def test_the_same_refresh_again_within_the_grace_is_a_repeat() -> None:
    given(session, phone_session).when(refresh(0, HOUR)).then_repeating_adds_nothing()
    story = given(session, phone_session, refreshed(1, HOUR))
    story.when(refresh(0, HOUR + GRACE)).then_nothing()


def test_after_the_grace_the_predecessor_is_a_stolen_token() -> None:
    late = HOUR + GRACE + timedelta(milliseconds=1)
    story = given(session, phone_session, refreshed(1, HOUR)).when(refresh(0, late))
    ended = story.then(RefreshReused(session_id=SESSION, user_id=TEO, generation=0), revoked("refresh-reused"))
    ended.when(refresh(0, late)).then_rejected("session-revoked")
    ended.when(refresh(1, late)).then_rejected("session-revoked")


def test_any_older_token_is_stolen_however_soon_it_comes() -> None:
    soon = HOUR + timedelta(seconds=2)
    story = given(session, phone_session, refreshed(1, HOUR), refreshed(2, HOUR + timedelta(seconds=1)))
    story.when(refresh(0, soon)).then(
        RefreshReused(session_id=SESSION, user_id=TEO, generation=0), revoked("refresh-reused")
    )


def test_a_token_of_the_future_is_none() -> None:
    given(session, phone_session).when(refresh(1, HOUR)).then_rejected("token-invalid")


@pytest.mark.parametrize(
    ("opened", "idle", "policy", "ends"),
    [
        (phone_session, timedelta(days=29), None, False),
        (phone_session, timedelta(days=31), None, True),
        (phone_session, timedelta(days=29), 10, False),
        (web_session, timedelta(hours=11), None, False),
        (web_session, timedelta(hours=13), None, True),
        (web_session, timedelta(minutes=31), 30, True),
        (web_session, timedelta(hours=20), 24 * 60, False),
    ],
)
def test_idle_for_too_long_it_ends(opened: SessionOpened, idle: timedelta, policy: int | None, ends: bool) -> None:
    story = given(session, opened).when(refresh(0, idle, idle_minutes=policy))
    story.then(revoked("expired") if ends else refreshed(1, idle))


def test_kept_busy_it_still_ends_after_ninety_days() -> None:
    days = [refreshed(n, timedelta(days=20 * n)) for n in range(1, 5)]
    story = given(session, phone_session, *days)
    story.when(refresh(4, timedelta(days=90))).then(refreshed(5, timedelta(days=90)))
    story.when(refresh(4, timedelta(days=90, seconds=1))).then(revoked("expired"))


def test_who_may_not_have_it_any_more_loses_it() -> None:
    given(session, phone_session).when(refresh(0, HOUR, entitled=False)).then(revoked("no-longer-entitled"))


def test_it_is_revoked_once() -> None:
    revoke = ask(RevokeSession, session_id=SESSION, reason="logout", user_id=TEO)
    given(session, phone_session).when(revoke).then(revoked("logout"))
    given(session, phone_session).when(revoke).then_repeating_adds_nothing()


def test_nobody_revokes_what_is_not_theirs_or_not_there() -> None:
    given(session, phone_session).when(
        ask(RevokeSession, session_id=SESSION, reason="logout", user_id=ANA)
    ).then_rejected("session-unknown")
    given(session).when(ask(RevokeSession, session_id=SESSION, reason="logout")).then_rejected("session-unknown")
    given(session).when(refresh(0, HOUR)).then_rejected("session-unknown")


@forall(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40)), max_size=30))
def test_two_holders_of_one_token_never_both_go_on(uses: list[tuple[int, int]]) -> None:
    """Whatever generations come when: a successor is given out for the newest or its predecessor only."""
    state = session.replay([phone_session])
    elapsed = 0
    for generation, pause in uses:
        elapsed += pause
        before = state.generation
        state, refused = carry_out(session, refresh(generation, timedelta(seconds=elapsed)), state)
        if refused is not None:
            assert refused.code in {"session-revoked", "token-invalid"}
            continue
        if state.status == "open":
            assert generation in {before, before - 1}
            assert state.generation == generation + 1


def prove(after: timedelta, user_id: str = TEO) -> ProveSession:
    """Its holder has typed the password once more."""
    return ask(ProveSession, after=after, session_id=SESSION, user_id=user_id)


def test_its_holder_proves_anew_who_they_are() -> None:
    proven = SessionProven(session_id=SESSION, user_id=TEO, proven_at=NOON + HOUR)
    story = given(session, phone_session).when(prove(HOUR)).then(proven)
    story.when(prove(HOUR)).then_nothing()
    story.when(prove(2 * HOUR)).then(proven.model_copy(update={"proven_at": NOON + 2 * HOUR}))
    given(session).when(prove(HOUR)).then_rejected("session-unknown")
    given(session, phone_session).when(prove(HOUR, ANA)).then_rejected("session-unknown")
    given(session, phone_session, revoked("logout")).when(prove(HOUR)).then_rejected("session-revoked")
