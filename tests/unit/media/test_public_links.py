"""Public links: they end when they shall, are revoked once, and lead where they were made to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.media.domain.evidence_settings import (
    EvidenceSettings,
    EvidenceSettled,
    SettleEvidence,
    evidence_settings,
)
from services.media.domain.link_door import LinkDoor, LinkDoorMade, MakeLinkDoor, link_door
from services.media.domain.link_views import NoteView, PublicLinkViewed, link_views
from services.media.domain.public_link import (
    CreatePublicLink,
    PublicLink,
    PublicLinkCreated,
    PublicLinkRevoked,
    RevokePublicLink,
    Target,
    public_link,
)
from tests.examples.forms import NOW, sha

LINK, OTHER = "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55", "01936f5e-80b3-7a10-8c21-6f0e5d4c3b2a"
ACCOUNT, PERSON = "01936f5e-0000-7000-8000-00000000aaaa", "01936f5e-0000-7000-8000-00000000bbbb"
PHOTO, REPORT = Target(kind="media", id=sha("a")), Target(kind="report", id=OTHER)
CREATED = PublicLinkCreated(link_id=LINK, target=PHOTO, created_by=PERSON, expires_at=NOW + timedelta(days=30))
REVOKED = PublicLinkRevoked(link_id=LINK, revoked_by=PERSON, reason="Sent to the wrong person")


def by(command: Any, **fields: Any) -> Any:
    return command(at=NOW, by=PERSON, **fields)


def create(**changes: Any) -> CreatePublicLink:
    made: CreatePublicLink = by(CreatePublicLink, **{"link_id": LINK, "target": PHOTO, "days": 30} | changes)
    return made


def test_a_link_is_made_for_a_while() -> None:
    given(public_link).when(create()).then(CREATED)
    given(public_link).when(create()).then_repeating_adds_nothing()
    given(public_link, CREATED).when(create(target=REPORT)).then_rejected("link-exists")


@pytest.mark.parametrize("days", [0, 366])
def test_no_link_lives_for_ever(days: int) -> None:
    with pytest.raises(ValidationError):
        create(days=days)


def test_a_link_is_revoked_once() -> None:
    revoke = by(RevokePublicLink, link_id=LINK, reason="Sent to the wrong person")
    given(public_link, CREATED).when(revoke).then(REVOKED)
    given(public_link, CREATED).when(revoke).then_repeating_adds_nothing()
    given(public_link).when(revoke).then_rejected("link-unknown")


def test_a_link_is_open_from_its_making_to_its_end() -> None:
    link = public_link.replay([CREATED])
    assert link.ended(NOW) is None
    assert link.ended(CREATED.expires_at - timedelta(microseconds=1)) is None
    assert link.ended(CREATED.expires_at) == "expired"
    assert public_link.replay([CREATED, REVOKED]).ended(NOW) == "revoked"
    assert PublicLink().ended(NOW) == "expired"


def test_a_revoked_link_stays_revoked() -> None:
    given(public_link, CREATED, REVOKED).when(create()).then_nothing()
    assert public_link.replay([CREATED, REVOKED]).revoked


def test_a_secret_leads_to_one_link_for_ever() -> None:
    door = {"digest": "ab" * 32, "account_id": ACCOUNT, "link_id": LINK}
    made = LinkDoorMade(**door)
    given(link_door).when(by(MakeLinkDoor, **door)).then(made)
    given(link_door).when(by(MakeLinkDoor, **door)).then_repeating_adds_nothing()
    given(link_door, made).when(by(MakeLinkDoor, **door | {"link_id": OTHER})).then_rejected("link-exists")
    assert link_door.replay([made]) == LinkDoor(ACCOUNT, LINK)


def test_views_are_counted_by_the_last_one() -> None:
    seen = {"address": "203.0.113.9", "agent": "Reader/1.0"}
    first = PublicLinkViewed(link_id=LINK, number=1, **seen)
    given(link_views).when(by(NoteView, link_id=LINK, **seen)).then(first)
    seventh = first.model_copy(update={"number": 7})
    eighth = first.model_copy(update={"number": 8})
    given(link_views, seventh).when(by(NoteView, link_id=LINK, **seen)).then(eighth)
    assert link_views.replay([seventh.model_copy(update={"address": ERASED, "agent": ERASED})]).number == 7


def test_an_account_settles_how_its_evidence_leaves() -> None:
    wanted = {"account_id": ACCOUNT, "logo": sha("b"), "language": "en", "link_days": 7, "footer": "Thank you"}
    settled = EvidenceSettled(**wanted)
    given(evidence_settings).when(by(SettleEvidence, **wanted)).then(settled)
    given(evidence_settings).when(by(SettleEvidence, **wanted)).then_repeating_adds_nothing()
    given(evidence_settings).when(by(SettleEvidence, account_id=ACCOUNT)).then_nothing()
    erased = evidence_settings.replay([settled.model_copy(update={"footer": ERASED})])
    assert erased == EvidenceSettings(sha("b"), "en", 7, ERASED)
