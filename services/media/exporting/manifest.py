"""What stands beside the media of a package: which file is what, and the sums by which anybody can check them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.kernel.exporting.cells import harmless
from services.media.domain.values import hex_of
from services.media.exporting.choosing import Chosen

HEADINGS = (
    "file", "media_id", "sha256", "bytes", "type", "taken_at", "latitude", "longitude", "camera", "field",
    "submission_id", "task_id", "task", "form_id", "form", "user_id", "user", "handed_in_at", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that was chosen, with the checksum that a ZIP wants; None where its bytes are not there any more."""

    file: Chosen
    crc: int | None


def as_csv(entries: Iterable[Entry]) -> Iterator[bytes]:
    """One line for each file; UTF-8 with a mark, as spreadsheets want it."""
    yield "\ufeff".encode()
    yield _line(HEADINGS)
    for entry in entries:
        yield _line([_cell(value) for value in _row(entry).values()])


def as_json(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The same for programs: a list with one object for each file."""
    begin = "[\n"
    for entry in entries:
        yield (begin + json.dumps(_row(entry), ensure_ascii=False)).encode()
        begin = ",\n"
    yield b"[]\n" if begin == "[\n" else b"\n]\n"


def sums(entries: Iterable[Entry], others: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Lines that `sha256sum -c` understands; `others` are files beside the media, with their sums."""
    for entry in entries:
        if entry.crc is not None:
            yield f"{hex_of(entry.file.media_id)}  {entry.file.path}\n".encode()
    for path, digest in others:
        yield f"{digest}  {path}\n".encode()


def _row(entry: Entry) -> dict[str, Any]:
    file, taken = entry.file, entry.file.taken
    values = (
        file.path,
        file.media_id,
        hex_of(file.media_id),
        file.bytes,
        file.type,
        taken and taken.at,
        taken and taken.lat,
        taken and taken.lon,
        taken and taken.camera,
        file.field,
        file.submission_id,
        file.task_id,
        file.task,
        file.form_id,
        file.form,
        file.user_id,
        file.user,
        file.at,
        "present" if entry.crc is not None else "lost",
    )
    return dict(zip(HEADINGS, values, strict=True))


def _cell(value: Any) -> str:
    # What people typed must not run as a formula; numbers may begin with a minus.
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else str(value)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
