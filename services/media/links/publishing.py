"""Letting the outside world see evidence: links are made, ended, opened, and every look is written down."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Answers, Ask, Do, On, Query
from services.kernel.commit import PLATFORM
from services.kernel.domain import Rejected
from services.kernel.shown import shown
from services.media.asking import checked
from services.media.domain.evidence_settings import EvidenceSettings, SettleEvidence, evidence_settings
from services.media.domain.link_door import LinkDoor, MakeLinkDoor, link_door
from services.media.domain.link_views import NoteView, link_views
from services.media.domain.medium import Medium, medium
from services.media.domain.public_link import (
    CreatePublicLink,
    Days,
    PublicLink,
    RevokePublicLink,
    Target,
    public_link,
)
from services.media.domain.report import Report, report
from services.media.domain.values import Hash, Id, hex_of
from services.media.links.tickets import outside_of
from services.media.readmodels.crews import ACCOUNT
from services.media.readmodels.links import EDIT, READ
from services.media.reports.showing import may_read
from services.media.standing import check_medium_seen, demand

Fields = Mapping[str, Any]
PURPOSE = "public-link"


class Wanted(Query):
    """A link to make; `days` as the account has settled, when nothing is said."""

    link_id: Id
    target: Target
    days: Days | None = None


def create_public_link(ask: Ask) -> Fields:
    """Make the link and its door; the secret is told now, and again only to who repeats the same request."""
    demand(ask.caller, EDIT)
    wanted = checked(Wanted, ask.data)
    _check_target(ask, wanted.target)
    settled: EvidenceSettings = ask.state(evidence_settings, ask.caller.tenant)
    token = ask.secrets.derive(PURPOSE, ask.caller.tenant, wanted.link_id)
    digest = digest_of(token)
    leads = {"digest": digest, "account_id": ask.caller.tenant, "link_id": wanted.link_id}
    # The door first: a link that is made can be opened.
    ask.handle(link_door, digest, ask.make(MakeLinkDoor, leads), part="door", tenant=PLATFORM)
    made = {"link_id": wanted.link_id, "target": wanted.target, "days": wanted.days or settled.link_days}
    receipt = ask.handle(public_link, wanted.link_id, ask.make(CreatePublicLink, made), part="link")
    state: PublicLink = ask.state(public_link, wanted.link_id)
    assert state.created is not None
    return {**receipt.to_wire(), "token": token, "expires_at": state.created.expires_at.isoformat()}


def digest_of(token: str) -> str:
    """What is kept of a link's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def revoking(ask: Ask) -> Fields:
    """Whoever may make links may end them."""
    demand(ask.caller, EDIT)
    return ask.data


class LinkOpened(Query):
    """A secret that somebody came with."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


def open_link(query: LinkOpened, ask: Ask) -> Fields:
    """What is behind the link at this moment, as the outside world may have it; the secret is all the right there is.

    Read from the log itself: a link that was revoked is dead with the revocation. Raises Rejected("link-unknown"),
    or Rejected("link-ended") for one that is over or whose evidence is gone.
    """
    door: LinkDoor = ask.state(link_door, digest_of(query.token), tenant=PLATFORM)
    if not door.link_id:
        raise Rejected("link-unknown")
    link: PublicLink = ask.state(public_link, door.link_id, tenant=door.account_id)
    ended = link.ended(ask.now)
    if link.created is None or ended is not None:
        raise Rejected("link-ended", why=ended)
    account = ask.reads_of(door.account_id)["crews"].one(ACCOUNT) or {}
    if account.get("state") == "cancelled":
        raise Rejected("link-ended", why="account")
    try:
        ticket = outside_of(ask, link.created.target, door.account_id)
    except Rejected as why:
        if why.code == "report-not-ready":
            raise
        raise Rejected("link-ended", why="gone") from why
    return {**ticket, "link_id": door.link_id, "account_id": door.account_id}


def noting_view(ask: Ask) -> Fields:
    """The gateway tells who looked, behind the answer."""
    if ask.caller.role != "system":
        raise Rejected("forbidden")
    return ask.data


def settling(ask: Ask) -> Fields:
    """The account settles how its evidence leaves the house; the logo is a picture that it has stored."""
    demand(ask.caller, "accounts:edit")
    logo = ask.data.get("logo")
    if logo is not None:
        known: Medium = ask.state(medium, hex_of(checked(Logo, {"media_id": logo}).media_id))
        if known.stored is None or not known.stored.type.startswith("image/"):
            raise Rejected("medium-unknown", media_id=logo)
    return {**ask.data, "account_id": ask.caller.tenant}


class Logo(Query):
    """A picture by its name."""

    media_id: Hash


class SettingsQuery(Query):
    """What is settled; it takes no parameters."""


def find_settings(query: SettingsQuery, ask: Ask) -> Fields:
    """The account's own settings, or what every account begins with."""
    demand(ask.caller, "accounts:read", READ, EDIT)
    settled: EvidenceSettings = ask.state(evidence_settings, ask.caller.tenant)
    return {**asdict(settled), "footer": shown(settled.footer) or ""}


def _check_target(ask: Ask, target: Target) -> None:
    """Nobody shows to others what he may not see himself."""
    if target.kind == "media":
        check_medium_seen(ask, target.id)
        outside_of(ask, target, ask.caller.tenant)
        return
    known: Report = ask.state(report, target.id)
    if not known.wanted or not may_read(ask, known.readers):
        raise Rejected("report-unknown", report_id=target.id)


COMMANDS: Mapping[str, On | Do] = {
    "create_public_link": Do(create_public_link),
    "revoke_public_link": On(public_link, RevokePublicLink, id="link_id", prepare=revoking),
    "note_link_view": On(link_views, NoteView, id="link_id", prepare=noting_view),
    "set_evidence_settings": On(evidence_settings, SettleEvidence, id="account_id", prepare=settling),
}
QUERIES: Mapping[str, Answers] = {
    "opened_link": (LinkOpened, open_link),
    "evidence_settings": (SettingsQuery, find_settings),
}
