"""What comes of looking at a file: what it is and which other forms were made of it, or why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from services.media.domain.values import Code, Rendering, Taken, Value

LARGEST_MESSAGE = 64 * 1024
FORMS = 4
"""How many files are handed in for other forms of one file."""


class Refused(Exception):
    """The file is not accepted."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


class Made(Value):
    """Another form of the file, as it was written; `place` is its number among the files that were handed in for it."""

    name: Rendering
    type: str
    place: int
    width: int | None = None
    height: int | None = None


class Found(Value):
    """What a file is: its real type, measures in pixels as shown, length in seconds, what the camera wrote into it."""

    type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    taken: Taken | None = None
    made: tuple[Made, ...] = ()


@dataclass(slots=True)
class Workplace:
    """Where other forms are written: empty files, taken one after the other."""

    files: list[BinaryIO]
    used: int = 0

    def write(
        self, name: Rendering, type: str, write: Callable[[BinaryIO], None], size: tuple[int, int] | None = None
    ) -> Made:
        """Let a form be written into the next free file."""
        place, file = self.used, self.files[self.used]
        self.used += 1
        write(file)
        file.flush()
        width, height = size or (None, None)
        return Made(name=name, type=type, place=place, width=width, height=height)
