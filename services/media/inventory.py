"""The operator's command `make verify-media`: what the log names and what lies in the buckets are the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.kernel import logging, objects
from services.kernel.config import settings
from services.kernel.platform import Platform, open_platform
from services.kernel.sealing import sealed_length
from services.media.domain.upload import Upload, upload
from services.media.owners import OWNERS
from services.media.sweeping import YOUNG
from services.media.wiring import define

FAULT = 1
_PAGE = 1_000
_SHOWN = 20


@dataclass(slots=True)
class Findings:
    """What was compared, and what does not fit; `young` are objects that somebody may be about to name."""

    named: int = 0
    missing: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    young: int = 0

    @property
    def clean(self) -> bool:
        """Whether everything fits."""
        return not (self.missing or self.half or self.unnamed or self.left)


def compare(platform: Platform, store: Any, now: datetime) -> Findings:
    """The log and both buckets. Whatever is stored or removed meanwhile may show as a fault; it is gone the next time.

    Raises OSError when the object store does not answer.
    """
    found = Findings()
    lying = {item.key: item for page in objects.pages(store, platform.settings.s3_media_bucket, "") for item in page}
    for key, length in _named(platform):
        found.named += 1
        item = lying.pop(key, None)
        if item is None:
            found.missing.append(key)
        elif item.bytes != sealed_length(length):
            found.half.append(key)
    for item in lying.values():
        if now - item.modified < YOUNG:
            found.young += 1
        else:
            found.unnamed.append(item.key)
    for page in objects.pages(store, platform.settings.s3_incoming_bucket, ""):
        for item in page:
            if now - item.modified < YOUNG:
                found.young += 1
            elif not _awaited(platform, item.key):
                found.left.append(item.key)
    return found


def _named(platform: Platform) -> Iterator[tuple[str, int]]:
    """Every object that an aggregate names, read from the log itself."""
    for category, tenant, id in _streams(platform):
        decider, kept = OWNERS[category]
        yield from kept(platform.application.journal.load(decider, tenant, id).state).items()


def _streams(platform: Platform) -> set[tuple[str, str, str]]:
    streams, position = set(), 0
    while commits := platform.store.after(position, _PAGE):
        position = commits[-1].position
        streams |= {
            (commit.category, commit.tenant, commit.stream.removeprefix(f"{commit.category}-{commit.tenant}-"))
            for commit in commits
            if commit.category in OWNERS
        }
    return streams


def _awaited(platform: Platform, key: str) -> bool:
    tenant, _, rest = key.partition("/")
    known: Upload = platform.application.journal.load(upload, tenant, rest.partition("/")[0]).state
    return known.status in ("open", "finished")


def main() -> int:
    """Compare and say what was found; answers the exit code."""
    logging.configure("operator", "WARNING", sys.stderr)
    platform = open_platform(define(), settings())
    try:
        found = compare(platform, objects_of(platform), platform.clock.now())
    except OSError as away:
        sys.stderr.write(f"{away}\n")
        return FAULT
    finally:
        platform.close()
    say(found)
    return 0 if found.clean else FAULT


def objects_of(platform: Platform) -> Any:
    """The object store as the service itself sees it."""
    return platform.application.ports["objects"]()


_WORDS: Mapping[str, str] = {
    "missing": "named, and not there",
    "half": "there, and not as long as they should be",
    "unnamed": "there, and named by nobody",
    "left": "left of uploads that have ended",
}


def say(found: Findings) -> None:
    """In words, the first few of each kind by name."""
    lines = [f"{found.named} objects are named by the log"]
    for kind, words in _WORDS.items():
        keys = getattr(found, kind)
        lines.append(f"{len(keys)} {words}")
        lines += [f"  {key}" for key in keys[:_SHOWN]]
    lines.append(f"{found.young} too young to judge")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
