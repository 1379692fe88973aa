"""The media of a report: what of each can be shown on paper, and the bytes of what is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.kernel.objects import ObjectLost
from services.kernel.shown import shown
from services.media.domain.medium import Medium, medium
from services.media.domain.values import ENDINGS, Taken, hex_of
from services.media.keeping import file_of, read
from services.media.reports.paper import File, FileStatus
from services.media.reports.speech import Speech

MOST_SHOWN = 150
"""So many pictures are set; what comes behind them is named only, or a report could have any weight."""

HEAVIEST = 4_000_000
_NAMES = {"voice": "voice", "video": "video", "document": "document", "picture": "photo"}
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "picture": ("screen",),
    "signature": ("screen",),
    "video": ("poster", "thumbnail"),
    "document": ("thumbnail",),
}


class Evidence:
    """The media of one report; how they stand is what the submission says, what they are what this service knows."""

    def __init__(self, ask: Ask, speech: Speech) -> None:
        self._ask = ask
        self._speech = speech
        self._standing: dict[str, Mapping[str, Any]] = {}
        self._known: dict[str, Medium] = {}
        self._shown: dict[str, None] = {}

    def learn(self, media: list[dict[str, Any]]) -> None:
        """How the media of a submission stand."""
        self._standing.update((one["id"], one) for one in media)

    def file(self, item: Mapping[str, Any], type: str) -> File:
        """An item of the answers to a question of this type."""
        id = str(item["id"])
        standing = self._standing.get(id, {})
        status: FileStatus = standing.get("status", "stored")
        known = self._medium(id)
        if status == "stored" and known.status != "stored":
            status = "missing"
        why = "" if status == "stored" else self._speech.word[status]
        return File(
            id=id,
            status=status,
            why=why,
            image=self._image(id, known, type) if status == "stored" else None,
            name=self._name(item, known, type),
            about=tuple(self._about(item, known, type)),
        )

    def logo(self, media_id: str | None) -> str | None:
        """The picture that the account has settled on, if it is there."""
        return self._image(media_id, self._medium(media_id), "picture") if media_id else None

    def images(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of the pictures of these names, one at a time. What was lost meanwhile is left out."""
        store, bucket = self._ask.ports["objects"](), self._ask.settings.s3_media_bucket
        for name in names:
            digest, _, rendition = name.partition("-")
            try:
                stored, key = file_of(self._known[f"sha256:{digest}"], rendition)
                yield name, b"".join(read(store, bucket, stored, key))
            except (ObjectLost, Rejected):
                continue

    def _image(self, id: str, known: Medium, type: str) -> str | None:
        if known.stored is None or (id not in self._shown and len(self._shown) >= MOST_SHOWN):
            return None
        made = {one.name: one.bytes for one in known.stored.renditions}
        for rendition in _SHOWN.get(type, ()):
            if made.get(rendition, HEAVIEST) < HEAVIEST:  # type: ignore[call-overload]
                self._shown[id] = None
                return f"{hex_of(id)}-{rendition}"
        return None

    def _name(self, item: Mapping[str, Any], known: Medium, type: str) -> str:
        name = item.get("name") or (known.stored and shown(known.stored.name))
        return str(name) if name else self._speech.word.get(_NAMES.get(type, ""), "")

    def _about(self, item: Mapping[str, Any], known: Medium, type: str) -> Iterator[str]:
        stored = known.stored
        taken = shown(stored.taken) if stored else None
        if taken is not None:
            yield from self._taken(taken)
        if type in ("picture", "signature"):
            return
        seconds = (stored and stored.seconds) or item.get("seconds")
        if seconds:
            yield self._speech.duration(seconds)
        kind = ENDINGS.get(stored.type if stored else str(item.get("type", "")), "")
        if kind:
            yield kind.upper()
        if size := (stored.bytes if stored else item.get("bytes")):
            yield self._speech.size(size)

    def _taken(self, taken: Taken) -> Iterator[str]:
        if taken.at:
            try:
                at = datetime.fromisoformat(taken.at)
                # A camera's clock without an offset shows the time of the place where it was.
                yield self._speech.moment(at if at.tzinfo else at.replace(tzinfo=self._speech.zone))
            except ValueError:
                yield taken.at
        if taken.lat is not None and taken.lon is not None:
            yield self._speech.coordinates(taken.lat, taken.lon)

    def _medium(self, id: str) -> Medium:
        if id not in self._known:
            known: Medium = self._ask.state(medium, hex_of(id))
            self._known[id] = known
        return self._known[id]
