"""The small words of evidence: content's name, the types that are accepted, and how heavy anything may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

GIB = 1024**3
HEAVIEST = 2 * GIB
"""The most bytes that one item may have, whatever a form allows."""
MOST_PIXELS = 100_000_000

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""The name of content: what it hashes to."""

FileName = Annotated[str, StringConstraints(max_length=255)]
Kind = Literal["image", "video", "sound", "document"]
Rendering = Literal["screen", "thumbnail", "poster", "outside"]
Code = Literal[
    "empty",
    "hash-mismatch",
    "length-mismatch",
    "type-not-accepted",
    "type-mismatch",
    "unreadable",
    "too-many-pixels",
    "polyglot",
    "archive-bomb",
    "too-heavy",
]
"""Why bytes are refused, for ever and whoever brings them."""

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"), "image"),
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/webm", "video/3gpp"), "video"),
    **dict.fromkeys(
        (
            "audio/mp4",
            "audio/webm",
            "audio/ogg",
            "audio/mpeg",
            "audio/wav",
            "audio/aac",
            "audio/amr",
            "audio/3gpp",
        ),
        "sound",
    ),
    **dict.fromkeys(
        (
            "application/pdf",
            _WORD,
            _SHEET,
            "application/msword",
            "application/vnd.ms-excel",
            "text/csv",
            "text/plain",
        ),
        "document",
    ),
}
"""The accepted types, and what each is to people."""

ENDINGS: dict[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/3gpp": "3gp",
    "audio/mp4": "m4a",
    "audio/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/3gpp": "3gp",
    "application/pdf": "pdf",
    _WORD: "docx",
    _SHEET: "xlsx",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "text/csv": "csv",
    "text/plain": "txt",
}

_OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/opus": "audio/ogg",
    "audio/3gpp2": "audio/3gpp",
    "video/3gpp2": "video/3gpp",
    "application/x-pdf": "application/pdf",
}


def plain_type(said: str) -> str:
    """A type as somebody said it, without parameters and under its usual name."""
    bare = said.partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(bare, bare)


def hex_of(media_id: str) -> str:
    """The bare hash, which is the id of the item's stream. Raises ValueError for what is no content's name."""
    scheme, _, digest = media_id.partition(":")
    if scheme != "sha256" or len(digest) != 64:
        raise ValueError("no name of content")
    return digest


class Value(BaseModel):
    """A value inside events and commands: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Value):
    """A sealed object: its key in the bucket of media, and how many bytes it opens to."""

    object: str
    bytes: int


class Rendition(Value):
    """Another form of an item, made here: free of what the camera wrote into it."""

    name: Rendering
    object: str
    type: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None


class Taken(Value):
    """What the camera wrote into the file: when (as its clock said, ISO 8601), where, and with which device."""

    at: str | None = None
    lat: float | None = None
    lon: float | None = None
    altitude_m: float | None = None
    camera: str | None = None
