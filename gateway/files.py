"""What an answer that is a file says about itself: which bytes, whose digest, under which name it may be saved."""

from __future__ import annotations

import base64
from typing import Literal
from urllib.parse import quote

from gateway.ranges import Part

Shown = Literal["attachment", "inline"]


def disposition(shown: Shown, name: str) -> str:
    """How a browser is to show it, and the name under which it is saved (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def headers_of(size: int, sha256: str, part: Part | None, shown: Shown, name: str) -> dict[str, str]:
    """Length, ETag, digest and name of a file of `size` bytes, or of the part of it that is sent."""
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{sha256}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        "Content-Disposition": disposition(shown, name),
        "Content-Length": str(part.length if part else size),
    }
    if part:
        headers["Content-Range"] = part.content_range(size)
    return headers
