"""Answers as they stand on paper: in the order of the form, under its words, without what was not asked or not said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.media.reports.paper import (
    Block,
    File,
    Files,
    Group,
    Heading,
    Missing,
    Note,
    Photos,
    Said,
    Signature,
    Spot,
)
from services.media.reports.speech import Speech, map_link

Item = Mapping[str, Any]
Show = Callable[[Item, str], File]
"""A media item of the answers, and the type of its question, as the file that paper shows."""

LONG = 90
TWO_ACROSS = (1, 2, 4)
DEEPEST = 3


@dataclass(slots=True)
class Reading:
    """One submission being put on paper; `missing` and `places` are found on the way."""

    content: Mapping[str, Any]
    speech: Speech
    show: Show
    link: str | None = None
    missing: list[Missing] = field(default_factory=list)
    places: list[Spot] = field(default_factory=list)

    def blocks(self, answers: Mapping[str, Any]) -> tuple[Block, ...]:
        """Everything that was answered."""
        return tuple(self._of(self.content.get("items", ()), answers, 1))

    def _of(self, items: Sequence[Item], answers: Mapping[str, Any], depth: int) -> Iterator[Block]:
        for item in items:
            match item["type"]:
                case "section":
                    yield from self._section(item, answers, depth)
                case "repeat":
                    yield from self._repeat(item, answers, depth)
                case "note":
                    if not item.get("relevant") and (text := self._label(item)):
                        yield Note(text=text)
                case _:
                    value = answers.get(item["name"])
                    if value is not None and value != [] and value != "":
                        yield from self._answer(item, value)

    def _section(self, item: Item, answers: Mapping[str, Any], depth: int) -> Iterator[Block]:
        inside = list(self._of(item.get("items", ()), answers, depth + 1))
        if any(not isinstance(block, Note) for block in inside):
            yield Heading(text=self._label(item), depth=min(depth, DEEPEST))
            yield from inside

    def _repeat(self, item: Item, answers: Mapping[str, Any], depth: int) -> Iterator[Block]:
        repetitions = [one for one in answers.get(item["name"]) or () if isinstance(one, Mapping)]
        for number, repetition in enumerate(repetitions, start=1):
            yield Group(
                label=self._label(item),
                number=number,
                of=len(repetitions),
                depth=min(depth, DEEPEST),
                blocks=tuple(self._of(item.get("items", ()), repetition, depth + 1)),
            )

    def _answer(self, item: Item, value: Any) -> Iterator[Block]:
        label, type = self._label(item), item["type"]
        match type:
            case "picture":
                yield photos(label, [self._file(label, one, type) for one in _media(value)])
            case "signature":
                word = "technician-role" if item.get("of") == "technician" else "client"
                for one in _media(value):
                    file = self._file(label, one, type)
                    signer = one.get("signed_by")
                    yield Signature(label=label, file=file, signed_by=signer or "", role=self.speech.word[word])
            case "voice" | "video" | "document":
                files = tuple(self._file(label, one, type) for one in _media(value))
                yield Files(label=label, files=files, link=self.link)
            case "gps" if isinstance(value, Mapping):
                yield self._point(label, value)
            case _:
                text = self._words(item, value)
                yield Said(label=label, text=text, long=len(text) > LONG or "\n" in text)

    def _file(self, label: str, one: Item, type: str) -> File:
        file = self.show(one, type)
        if file.status != "stored":
            self.missing.append(Missing(label=label, status=file.status, why=file.why, id=file.id))
        return file

    def _point(self, label: str, value: Item) -> Said:
        lat, lon, accuracy = value["lat"], value["lon"], value.get("accuracy_m")
        self.places.append(Spot(number=0, lat=lat, lon=lon, accuracy_m=accuracy, name=label))
        more = []
        if accuracy is not None:
            more.append(self.speech.word["accuracy"].format(self.speech.distance(accuracy)))
        if value.get("altitude_m") is not None:
            more.append(self.speech.word["altitude"].format(f"{self.speech.number(round(value['altitude_m']))} m"))
        text = self.speech.coordinates(lat, lon) + (f" ({', '.join(more)})" if more else "")
        return Said(label=label, text=text, link=map_link(lat, lon))

    def _words(self, item: Item, value: Any) -> str:
        match item["type"]:
            case "dropdown" | "single_choice" | "checkboxes":
                labels = self._choices(item)
                return "; ".join(
                    labels.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value])
                )
            case "date":
                return _read(value, lambda text: self.speech.day(date.fromisoformat(text)))
            case "date_time":
                return _read(value, lambda text: self.speech.moment(datetime.fromisoformat(text)))
            case _:
                return self._plain(value)

    def _plain(self, value: Any) -> str:
        match value:
            case bool():
                return self.speech.word["yes" if value else "no"]
            case int() | float():
                return self.speech.number(value)
            case list():
                return "; ".join(self._plain(one) for one in value)
            case _:
                return str(value)

    def _choices(self, item: Item) -> dict[str, str]:
        choices = self.content.get("choice_lists", {}).get(item["choices"], ())
        return {choice["value"]: self._said(choice.get("labels", {})) or choice["value"] for choice in choices}

    def _label(self, item: Item) -> str:
        return self._said(item.get("labels", {})) or str(item["name"])

    def _said(self, labels: Mapping[str, str]) -> str:
        return labels.get(self.speech.language) or next(iter(labels.values()), "")


def photos(label: str, files: Sequence[File]) -> Photos:
    """Few photos large, many small."""
    across = 2 if len(files) in TWO_ACROSS else 3
    rows = tuple(tuple(files[n : n + across]) for n in range(0, len(files), across))
    return Photos(label=label, rows=rows, across=across)


def _media(value: Any) -> list[Item]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping) and "id" in one]


def _read(value: Any, told: Callable[[str], str]) -> str:
    """A time as people write it; whatever is none stays as it came."""
    try:
        return told(str(value))
    except ValueError:
        return str(value)
