"""What an account has settled about its evidence: the look of its reports, and how long public links live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, assert_never

from pydantic import StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, TenantData
from services.media.domain.public_link import Days
from services.media.domain.values import Hash, Id

Language = Literal["es", "en"]
Footer = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
DEFAULT_LINK_DAYS = 30


class EvidenceSettled(Event):
    """From now on it is so."""

    account_id: str
    logo: str | None
    language: Language
    link_days: int
    footer: Annotated[str | Erased, TenantData()]


class SettleEvidence(Command):
    """All of it at once; `logo` is a picture that is stored."""

    account_id: Id
    logo: Hash | None = None
    language: Language = "es"
    link_days: Days = DEFAULT_LINK_DAYS
    footer: Footer = ""


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What is settled; what every account begins with."""

    logo: str | None = None
    language: Language = "es"
    link_days: int = DEFAULT_LINK_DAYS
    footer: str | Erased = ""


initial_state = EvidenceSettings()


def decide(command: SettleEvidence, state: EvidenceSettings) -> list[EvidenceSettled]:
    wanted = command.model_dump(exclude={"at", "by", "account_id"})
    if EvidenceSettings(**wanted) == state:
        return []
    return [EvidenceSettled(account_id=command.account_id, **wanted)]


def evolve(state: EvidenceSettings, event: EvidenceSettled) -> EvidenceSettings:
    match event:
        case EvidenceSettled():
            return EvidenceSettings(event.logo, event.language, event.link_days, event.footer)
        case _:
            assert_never(event)


evidence_settings: Decider[SettleEvidence, EvidenceSettings, EvidenceSettled] = Decider(
    "evidence_settings",
    initial_state,
    decide,
    evolve,
    events={"EvidenceSettled": EvidenceSettled},
)
