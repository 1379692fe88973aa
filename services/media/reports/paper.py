"""Everything that stands on a report, in the words of its language; the typesetter adds nothing but the looks.

Whatever is None where a person would expect words was erased, and is shown so. Images are named, not held: their bytes
travel beside the paper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["es", "en"]
Kind = Literal["task", "submission"]
FileStatus = Literal["stored", "missing", "rejected"]
State = Literal["pending", "in_progress", "completed", "cancelled", "parked", "incomplete"]


class Part(BaseModel):
    """A piece of a paper: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Company(Part):
    """Whose report it is; `logo` names an image."""

    name: str | None
    logo: str | None = None
    footer: str = ""


class Line(Part):
    """A fact with its name; a `link` leads out of the paper."""

    name: str
    text: str | None
    link: str | None = None


class Step(Part):
    """Something that happened to the task, when and by whom."""

    name: str | None
    state: State
    at: str
    by: str = ""


class Spot(Part):
    """A point on the map; `number` is None for the place where the work was to be done."""

    number: int | None
    lat: float
    lon: float
    accuracy_m: float | None = None
    name: str | None = None
    at: str = ""
    away: str = ""


class Chart(Part):
    """The points of a report; `radius_m` is how near to the site one had to be."""

    spots: Annotated[tuple[Spot, ...], Field(min_length=1)]
    radius_m: int | None = None


class File(Part):
    """A file that an answer names; `image` is what can be shown of it, `about` says the rest in a few words each."""

    id: str
    status: FileStatus = "stored"
    why: str = ""
    image: str | None = None
    name: str = ""
    about: tuple[str, ...] = ()


class Heading(Part):
    """A section begins."""

    what: Literal["heading"] = "heading"
    text: str
    depth: int = 1


class Said(Part):
    """An answer in words."""

    what: Literal["said"] = "said"
    label: str
    text: str | None
    long: bool = False
    link: str | None = None


class Note(Part):
    """Words of the form itself."""

    what: Literal["note"] = "note"
    text: str


class Photos(Part):
    """Photos, so many in a row."""

    what: Literal["photos"] = "photos"
    label: str
    rows: tuple[tuple[File, ...], ...]
    across: int


class Signature(Part):
    """Who signed, as whom, and how it looks."""

    what: Literal["signature"] = "signature"
    label: str
    file: File
    signed_by: str | None
    role: str


class Files(Part):
    """Sounds, films and documents, which paper can only name."""

    what: Literal["files"] = "files"
    label: str
    files: tuple[File, ...]
    link: str | None = None


SHORT = 12
"""So many answers, with one row of photos among them, are about half a page."""


class Group(Part):
    """One repetition of a repeated group: the n-th of so many."""

    what: Literal["group"] = "group"
    label: str
    number: int
    of: int
    depth: int = 1
    blocks: tuple[Block, ...]

    @property
    def kept_together(self) -> bool:
        """Whether it goes onto one page: what takes about half of one at most is not torn apart."""
        rows = [len(block.rows) if isinstance(block, Photos) else 0 for block in self.blocks]
        whole = all(not isinstance(block, Group) for block in self.blocks)
        return whole and len(self.blocks) <= SHORT and sum(rows) <= 1


Block = Annotated[Heading | Said | Note | Photos | Signature | Files | Group, Field(discriminator="what")]
Group.model_rebuild()


class Missing(Part):
    """A file that an answer announced and that is not there, at which question, and why."""

    label: str
    status: FileStatus
    why: str
    id: str


class Amendment(Part):
    """That answers were changed after they had been handed in."""

    number: int
    at: str
    by: str
    reason: str | None


class Answers(Part):
    """One form as it was answered; no blocks where everything was erased (`erased`) or nothing was answered."""

    form: str | None
    lines: tuple[Line, ...] = ()
    received: int = 0
    declared: int = 0
    missing: tuple[Missing, ...] = ()
    standing: str = ""
    amendments: tuple[Amendment, ...] = ()
    blocks: tuple[Block, ...] = ()
    erased: bool = False


class Remark(Part):
    """What somebody wrote down about the task."""

    at: str
    by: str
    text: str | None


class Paper(Part):
    """A whole report."""

    kind: Kind
    language: Language
    report_id: str
    company: Company
    title: str | None
    code: str = ""
    state: State
    state_name: str
    stage: str = ""
    facts: tuple[Line, ...] = ()
    description: str | None = ""
    steps: tuple[Step, ...] = ()
    chart: Chart | None = None
    remarks: tuple[Remark, ...] = ()
    answers: tuple[Answers, ...] = ()

    @property
    def basis(self) -> str:
        """sha256 of all that it shows: two papers of one basis look the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def images(self) -> list[str]:
        """The names of the images that stand on it, in order, each once."""
        named = [self.company.logo, *(file.image for answers in self.answers for file in files_in(answers.blocks))]
        return list(dict.fromkeys(name for name in named if name))


def files_in(blocks: tuple[Block, ...]) -> Iterator[File]:
    """Every file that these blocks show or name, in order."""
    for block in blocks:
        match block:
            case Photos(rows=rows):
                yield from (file for row in rows for file in row)
            case Signature(file=file):
                yield file
            case Files(files=files):
                yield from files
            case Group(blocks=below):
                yield from files_in(below)
            case Heading() | Said() | Note():
                pass
