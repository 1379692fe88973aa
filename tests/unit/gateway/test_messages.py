"""Every refusal has words in two languages; a new code without words fails here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.health import SERVICES
from gateway.messages import MESSAGES, NOUNS, TITLES, UNKNOWN_NOUN, describe
from gateway.words.media import BREACHES
from services.media.domain.values import Code

ROOT = Path(__file__).resolve().parents[3]
LITERAL = re.compile(r"""\b(?:Rejected|Problem|_refused)\(\s*["']([a-z0-9-]+)["']""")
BEHIND = ("gateway", "services/kernel", *(f"services/{service}" for service in SERVICES))
"""Where refusals come from that can reach a caller: a service counts once the gateway has routes to it."""

INTERNAL = {"command-unknown", "query-unknown"}
"""Cannot come from outside: the gateway names commands and queries itself."""


def codes(*folders: str) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(LITERAL.findall(path.read_text()))
    return found


def test_every_code_that_a_service_or_the_gateway_can_raise_has_words() -> None:
    raised = codes(*BEHIND) - INTERNAL
    assert raised, "the search finds nothing any more"
    without = {
        code
        for code in raised
        if code not in MESSAGES and not (code.endswith(UNKNOWN_NOUN) and code.removesuffix(UNKNOWN_NOUN) in NOUNS)
    }
    assert not without, f"codes without words: {sorted(without)}"


def test_no_words_for_codes_that_nobody_raises() -> None:
    from_table = set(MESSAGES) - codes(*BEHIND) - set(BREACHES)
    # Made from other parts of the code: the table of HTTP statuses, the switch over remote exceptions.
    by_status = {"not-found", "method-not-allowed", "body-too-large", "media-type-unsupported", "malformed-body"}
    assert from_table <= by_status | {"internal"}, f"words that nobody needs: {sorted(from_table - by_status)}"


def test_every_breach_of_evidence_has_words() -> None:
    assert set(BREACHES) == set(get_args(Code))


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_each_entry_is_complete(code: str) -> None:
    status, english, spanish = MESSAGES[code]
    assert status in TITLES
    assert english != spanish
    for text in (english, spanish):
        assert text.endswith(".")
        assert len(text) < 200
    assert describe(code, "en", {}) == (status, TITLES[status][0], english)
    assert describe(code, "es", {}) == (status, TITLES[status][1], spanish)


def test_unknown_things_are_not_found() -> None:
    assert describe("task-unknown", "en", {}) == (404, "Not found", "This task does not exist.")
    assert describe("task-unknown", "es", {}) == (404, "No encontrado", "Esta tarea no existe.")
    assert describe("gizmo-unknown", "en", {})[0] == 404


def test_a_code_nobody_described_is_a_conflict() -> None:
    assert describe("something-new", "en", {})[0] == 409


def test_the_first_invalid_field_is_named() -> None:
    facts = {"errors": [{"loc": ["body", "title"], "msg": "Field required", "type": "missing"}]}
    assert describe("invalid", "en", facts)[2] == "Some values are not valid. body.title: Field required"
