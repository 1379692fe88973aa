"""The way to the tax authority: a port that validates documents, and a stand-in that behaves as badly as real ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Outcome = Literal["accepted", "rejected", "pending"]


class Unreachable(Exception):
    """Nobody answered; whether the document arrived is not known, so it is handed in again under the same id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authority says of one document; `cufe` is its name there, `rules` are those it breaks."""

    outcome: Outcome
    cufe: str = ""
    rules: tuple[str, ...] = ()


class EInvoicing(Protocol):
    """Both calls are idempotent by the document's id. A provider may answer more than once: all answers are told."""

    def submit(self, document_id: str, document: Mapping[str, Any]) -> Sequence[Answer]:
        """Hand a document in. Raises Unreachable."""

    def status(self, document_id: str) -> Sequence[Answer]:
        """Ask again after "pending". Raises Unreachable."""


class Simulated:
    """Validates by a script: what each document's first, second, ... call leads to; the last word repeats.

    Words, separated by commas: `accepted`, `pending`, `unreachable` (nobody answers, nothing was done),
    `lost` (accepted, but the answer is lost on the way), `twice` (accepted, told twice, the second time
    under another name), `rejected:<rule>+<rule>`. The same script always gives the same story.
    """

    def __init__(self, script: str = "accepted") -> None:
        self._words = [word.strip() for word in script.split(",")]
        self._calls: dict[str, int] = {}
        self._decided: dict[str, Answer] = {}
        self._lock = threading.Lock()

    def submit(self, document_id: str, document: Mapping[str, Any]) -> Sequence[Answer]:
        """See `EInvoicing.submit`."""
        return self._answer(document_id)

    def status(self, document_id: str) -> Sequence[Answer]:
        """See `EInvoicing.status`."""
        return self._answer(document_id)

    def _answer(self, document_id: str) -> Sequence[Answer]:
        with self._lock:
            if document_id in self._decided:
                return (self._decided[document_id],)
            call = self._calls.get(document_id, 0)
            self._calls[document_id] = call + 1
            word, _, rules = self._words[min(call, len(self._words) - 1)].partition(":")
            if word == "unreachable":
                raise Unreachable(document_id)
            if word == "pending":
                return (Answer("pending"),)
            if word == "rejected":
                # Not kept: a mended document is validated anew.
                return (Answer("rejected", rules=tuple(rules.split("+"))),)
            if word not in ("accepted", "lost", "twice"):
                raise ValueError(f"no such answer: {word!r}")
            accepted = self._decided[document_id] = Answer("accepted", cufe=_cufe(document_id))
            if word == "lost":
                raise Unreachable(document_id)
            return (
                (accepted, Answer("accepted", cufe=_cufe(f"{document_id}/again"))) if word == "twice" else (accepted,)
            )


def _cufe(document_id: str) -> str:
    return hashlib.sha384(document_id.encode()).hexdigest()
