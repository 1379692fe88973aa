"""Looking at one file: what it is, whether it is only that, and what is made of it."""

from __future__ import annotations

from typing import BinaryIO, assert_never

from services.media.domain.values import KINDS
from services.media.inspecting import documents, images, polyglots, recordings
from services.media.inspecting.findings import Found, Refused, Workplace
from services.media.inspecting.sniffing import HEAD, family_of, sniff


def look(file: BinaryIO, said: str, work: Workplace) -> Found:
    """What the file is, which was said to be of this type.

    Raises Refused with the reason; anything else that is raised means that it cannot be read.
    """
    file.seek(0)
    head = file.read(HEAD)
    sniffed = sniff(head, said)
    polyglots.check(file, head, sniffed.reader)
    match sniffed.reader:
        case "image":
            found = images.inspect(file, sniffed, work)
        case "recording":
            found = recordings.inspect(file, sniffed, work)
        case "pdf":
            found = documents.inspect_pdf(file)
        case "zip":
            found = documents.inspect_zip(file)
        case "ole":
            found = documents.inspect_ole(file)
        case "text":
            found = documents.inspect_text(file, said)
        case _:
            assert_never(sniffed.reader)
    if found.type not in KINDS:
        raise Refused("type-not-accepted")
    if family_of(found.type) != family_of(said):
        raise Refused("type-mismatch")
    return found
