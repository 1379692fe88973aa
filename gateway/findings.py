"""Lists of codes on their way to people: each entry gets its words, in the caller's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateway.errors import Problem

Words = Mapping[str, tuple[str, str]]


def told(entries: Any, words: Words, language: str) -> list[dict[str, Any]]:
    """The entries, each with its `text`: the form's own message where it has one, else ours."""
    return [{**entry, "text": _text(entry, words, language)} for entry in entries or ()]


def _text(entry: Mapping[str, Any], words: Words, language: str) -> str:
    own = (entry.get("facts") or {}).get("message") or {}
    english, spanish = words.get(entry["code"], ("", ""))
    return str(own.get(language) or next(iter(own.values()), "") or (spanish if language == "es" else english))


@contextmanager
def worded(language: str, **lists: Words) -> Iterator[None]:
    """Whatever refusal comes: these of its facts are lists of codes, and get their words."""
    try:
        yield
    except Problem as problem:
        for name, words in lists.items():
            if name in problem.facts:
                problem.facts[name] = told(problem.facts[name], words, language)
        raise
