"""What is stored is what was said: sealed where it is personal, lifted where it is old, refused where it was moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.kernel.commit import StoredEvent
from services.kernel.domain import ERASED, Decider, Erased, Event, Subject, TenantData
from services.kernel.keyring import TENANT_SCOPE, InvalidTag, KeyDestroyed, SqliteKeyring, subject_scope
from services.kernel.registry import Registry, UnknownEvent
from tests.examples.kernel import ACME, LABEL, RECIPIENT, RIVAL, ParcelMoved, ParcelRegistered, parcel, tally
from tests.support.commits import commit, stream

ANA, BEA = "person-ana", "person-bea"


class Address(BaseModel):
    street: str
    at: tuple[float, float] | None = None


class Said(Event):
    """Something of everything: open fields, two people, the account; optional and structured values."""

    said_id: str
    count: int = 0
    speaker: str
    hearer: str | None = None
    words: Annotated[str | Erased, Subject("speaker")]
    home: Annotated[Address | Erased | None, Subject("speaker")] = None
    answer: Annotated[str | Erased | None, Subject("hearer")]
    place: Annotated[str | Erased, TenantData()] = "nowhere"


class Whispered(Event):
    words: Annotated[str | Erased | None, TenantData()]


def decider_of(
    *, category: str = "talk", upcasters: dict[tuple[str, int], Any] | None = None, **events: type[Event]
) -> Decider[Any, Any, Any]:
    """A decider that only has an event table."""
    return Decider(category, None, lambda c, s: [], lambda s, e: s, events=events, upcasters=upcasters or {})


registry = Registry("talks", [decider_of(Said=Said, Whispered=Whispered)])
PLACE = {"category": "talk", "stream": "talk-t-1", "version": 3, "tenant": "t"}


@pytest.fixture
def keyring() -> SqliteKeyring:
    return SqliteKeyring(None, b"k" * 32)


def said(**fields: Any) -> Said:
    return Said(**{"said_id": "1", "speaker": ANA, "hearer": BEA, "words": "hola", "answer": "¿qué?", **fields})


def test_an_event_comes_back_as_it_was(keyring: SqliteKeyring) -> None:
    event = said(count=2**62, home=Address(street="Calle 72", at=(4.65, -74.06)), place="Bogotá")
    stored = registry.encode(event, **PLACE, keyring=keyring)
    assert registry.decode(stored, **PLACE, keyring=keyring) == event


def test_only_open_fields_lie_in_the_open(keyring: SqliteKeyring) -> None:
    stored = registry.encode(said(), **PLACE, keyring=keyring)
    assert stored.data == {"said_id": "1", "count": 0, "speaker": ANA, "hearer": BEA}
    assert {envelope["scope"] for envelope in stored.sealed} == {
        TENANT_SCOPE,
        subject_scope(ANA),
        subject_scope(BEA),
    }
    assert b"hola" not in b"".join(envelope["ct"] for envelope in stored.sealed)


def test_a_destroyed_key_leaves_erased_fields_and_everything_else(keyring: SqliteKeyring) -> None:
    stored = registry.encode(said(home=Address(street="Calle 72")), **PLACE, keyring=keyring)
    keyring.destroy("t", subject_scope(ANA))
    event = registry.decode(stored, **PLACE, keyring=keyring)
    assert (event.words, event.home, event.answer, event.place) == (ERASED, ERASED, "¿qué?", "nowhere")
    keyring.destroy_tenant("t")
    event = registry.decode(stored, **PLACE, keyring=keyring)
    assert (event.words, event.answer, event.place, event.said_id) == (ERASED, ERASED, ERASED, "1")


def test_nothing_is_sealed_for_who_is_being_erased(keyring: SqliteKeyring) -> None:
    keyring.destroy("t", subject_scope(ANA))
    with pytest.raises(KeyDestroyed):
        registry.encode(said(), **PLACE, keyring=keyring)
    registry.encode(said(speaker="person-carla"), **PLACE, keyring=keyring)


def test_what_is_absent_or_erased_needs_no_key_and_comes_back_so(keyring: SqliteKeyring) -> None:
    for scope in (subject_scope(ANA), subject_scope(BEA)):
        keyring.destroy("t", scope)
    event = said(words=ERASED, home=ERASED, answer=None)
    stored = registry.encode(event, **PLACE, keyring=keyring)
    assert registry.decode(stored, **PLACE, keyring=keyring) == event


def test_an_erased_value_beside_a_known_one_stays_erased(keyring: SqliteKeyring) -> None:
    for event in (said(home=ERASED), said(words=ERASED, home=Address(street="x")), said(words=ERASED, home=None)):
        stored = registry.encode(event, **PLACE, keyring=keyring)
        assert registry.decode(stored, **PLACE, keyring=keyring) == event


@pytest.mark.parametrize(
    "moved",
    [{"stream": "talk-t-2"}, {"version": 4}, {"tenant": "u"}],
    ids=["stream", "version", "tenant"],
)
def test_sealed_bytes_open_only_where_they_were_sealed(keyring: SqliteKeyring, moved: dict[str, Any]) -> None:
    registry.encode(said(), **{**PLACE, "tenant": "u"}, keyring=keyring)
    stored = registry.encode(said(), **PLACE, keyring=keyring)
    with pytest.raises(InvalidTag):
        registry.decode(stored, **{**PLACE, **moved}, keyring=keyring)


def test_sealed_bytes_do_not_open_in_another_event_or_for_another_person(keyring: SqliteKeyring) -> None:
    stored = registry.encode(said(), **PLACE, keyring=keyring)
    (of_tenant,) = (envelope for envelope in stored.sealed if envelope["scope"] == TENANT_SCOPE)
    with pytest.raises(InvalidTag):
        registry.decode(StoredEvent("Whispered", 1, {}, (of_tenant,)), **PLACE, keyring=keyring)
    swapped = [{**envelope, "scope": TENANT_SCOPE} for envelope in stored.sealed]
    with pytest.raises(InvalidTag):
        registry.decode(replace(stored, sealed=tuple(swapped)), **PLACE, keyring=keyring)


def test_tampered_bytes_are_refused(keyring: SqliteKeyring) -> None:
    stored = registry.encode(said(), **PLACE, keyring=keyring)
    first = stored.sealed[0]
    broken = {**first, "ct": bytes([first["ct"][0] ^ 1]) + first["ct"][1:]}
    with pytest.raises(InvalidTag):
        registry.decode(replace(stored, sealed=(broken, *stored.sealed[1:])), **PLACE, keyring=keyring)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=50)
ADDRESS = st.builds(Address, street=TEXT, at=st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)))


@given(
    event=st.builds(
        Said,
        said_id=TEXT,
        count=st.integers(-(2**63), 2**63 - 1),
        speaker=TEXT,
        hearer=TEXT,
        words=TEXT | st.just(ERASED),
        home=st.none() | ADDRESS | st.just(ERASED),
        answer=st.none() | TEXT | st.just(ERASED),
        place=TEXT | st.just(ERASED),
    )
)
def test_whatever_is_said_comes_back_and_never_lies_in_the_open(event: Said) -> None:
    keyring = SqliteKeyring(None, b"k" * 32)
    stored = registry.encode(event, **PLACE, keyring=keyring)
    assert registry.decode(stored, **PLACE, keyring=keyring) == event
    assert set(stored.data) == {"said_id", "count", "speaker", "hearer"}
    keyring.destroy_tenant("t")
    erased = registry.decode(stored, **PLACE, keyring=keyring)
    for name in registry.classified("talk", "Said"):
        assert getattr(erased, name) in (ERASED, None)
    again = registry.encode(erased, **PLACE, keyring=keyring)
    assert registry.decode(again, **PLACE, keyring=keyring) == erased


# --- forms of the past ---


class Told(Event):
    """The third form: `who` became `speaker`, then the text got another name."""

    schema_version = 3
    speaker: str
    text: Annotated[str | Erased | None, Subject("speaker")]
    loud: bool = False


def lift_1(fields: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in fields.items() if k != "who"}, "speaker": fields["who"]}


def lift_2(fields: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in fields.items() if k != "words"}, "text": fields["words"]}


class ToldFirst(Event):
    schema_version = 1
    who: str
    words: Annotated[str | Erased | None, Subject("who")]


def now_and_then(lift: dict[tuple[str, int], Any]) -> tuple[Registry, Registry]:
    return (
        Registry("talks", [decider_of(Told=ToldFirst)]),
        Registry("talks", [decider_of(Told=Told, upcasters=lift)]),
    )


def test_old_forms_are_lifted_step_by_step(keyring: SqliteKeyring) -> None:
    then, now = now_and_then({("Told", 1): lift_1, ("Told", 2): lift_2})
    stored = then.encode(ToldFirst(who=ANA, words="hola"), **PLACE, keyring=keyring)
    assert now.decode(stored, **PLACE, keyring=keyring) == Told(speaker=ANA, text="hola")
    second = StoredEvent("Told", 2, {"speaker": ANA, "words": "bare"})
    assert now.decode(second, **PLACE, keyring=keyring) == Told(speaker=ANA, text="bare")


@pytest.mark.parametrize("words", ["hola", None])
def test_old_forms_are_lifted_also_after_erasure(keyring: SqliteKeyring, words: str | None) -> None:
    then, now = now_and_then({("Told", 1): lift_1, ("Told", 2): lift_2})
    stored = then.encode(ToldFirst(who=ANA, words=words), **PLACE, keyring=keyring)
    keyring.destroy("t", subject_scope(ANA))
    expected = Told(speaker=ANA, text=None if words is None else ERASED)
    assert now.decode(stored, **PLACE, keyring=keyring) == expected


def test_a_missing_step_is_named(keyring: SqliteKeyring) -> None:
    _, now = now_and_then({("Told", 1): lift_1})
    with pytest.raises(UnknownEvent, match="from v2 to v3"):
        now.decode(StoredEvent("Told", 1, {"who": ANA, "words": "x"}), **PLACE, keyring=keyring)


@pytest.mark.parametrize("stored", [StoredEvent("Unheard", 1, {}), StoredEvent("Said", 2, {})])
def test_what_only_newer_code_knows_is_not_guessed_at(keyring: SqliteKeyring, stored: StoredEvent) -> None:
    with pytest.raises(UnknownEvent):
        registry.decode(stored, **PLACE, keyring=keyring)


def test_fields_that_this_code_does_not_know_are_ignored(keyring: SqliteKeyring) -> None:
    kept = registry.decode(StoredEvent("Whispered", 1, {"words": "a", "new": 1}), **PLACE, keyring=keyring)
    assert kept == Whispered(words="a")


def test_a_commit_is_read_fact_by_fact_with_its_circumstances(keyring: SqliteKeyring) -> None:
    parcels = Registry("parcels", [parcel, tally])
    events = [
        ParcelRegistered(parcel_id="1", recipient_id=ANA, recipient=RECIPIENT, label=LABEL),
        ParcelMoved(parcel_id="1", step=1),
    ]
    place = {"category": "parcel", "stream": stream("1"), "tenant": ACME, "keyring": keyring}
    given = replace(
        commit(stream("1"), 4),
        position=9,
        events=tuple(parcels.encode(event, version=4 + n, **place) for n, event in enumerate(events)),
    )
    facts = parcels.recorded(given, keyring)
    assert [(f.event, f.version, f.index, f.id) for f in facts] == [
        (events[0], 4, 0, "parcels:9:0"),
        (events[1], 5, 1, "parcels:9:1"),
    ]
    assert {(f.tenant, f.actor, f.at, f.origin, f.stream) for f in facts} == {
        (ACME, "ana", given.at, "203.0.113.7", stream("1"))
    }
    assert RIVAL not in str(facts)


# --- event tables that are refused ---


class OfNobody(Event):
    words: Annotated[str | Erased, Subject("nobody")]


class HalfMarked(Event):
    speaker: str
    words: Annotated[str | Erased, Subject("speaker")] | None = None


class Card(BaseModel):
    speaker: str
    words: Annotated[str | Erased, Subject("speaker")]


class MarkedInside(Event):
    cards: tuple[Card, ...] = ()


@pytest.mark.parametrize("event", [OfNobody, HalfMarked, MarkedInside])
def test_a_mark_that_would_not_take_effect_is_refused(event: type[Event]) -> None:
    with pytest.raises(ValueError, match=event.__name__):
        Registry("talks", [decider_of(**{event.__name__: event})])


def test_two_aggregates_cannot_share_a_category() -> None:
    with pytest.raises(ValueError, match="talk"):
        Registry("talks", [decider_of(Said=Said), decider_of(Whispered=Whispered)])
    with pytest.raises(ValueError, match="small-talk"):
        Registry("talks", [decider_of(category="small-talk", Said=Said)])
