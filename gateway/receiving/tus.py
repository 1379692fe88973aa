"""The words of tus 1.0.0: what headers say about an upload, and how they are answered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import Any

from starlette.datastructures import Headers

from gateway.errors import Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256", "sha512")
OFFSET_OCTETS = "application/offset+octet-stream"
LONGEST_NAME = 255
"""Bytes, as most file systems have it."""

_NUMBER = re.compile(r"\d{1,15}")
_HEX = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_CONTENT_DIGEST = re.compile(r"sha-(256|512)=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Announced:
    """What is to be uploaded: named by its hash, of so many bytes, said to be of this type."""

    media_id: str
    bytes: int
    type: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request must come to."""

    algorithm: str
    digest: bytes

    def hasher(self) -> Any:
        """Something to feed the bytes to."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def offered(largest: int) -> dict[str, str]:
    """What the server can do, as it says in answer to OPTIONS."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(largest),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def check_version(headers: Headers) -> None:
    """Raises Problem when the client speaks another version, or none."""
    if headers.get("tus-resumable") != VERSION:
        raise Problem("tus-version-unsupported", headers={"Tus-Version": VERSION})


def number(headers: Headers, name: str) -> int:
    """A header that must be there and be a number of bytes. Raises Problem."""
    text = headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise Problem("header-invalid", header=name)
    return int(text)


def announced(headers: Headers, largest: int) -> Announced:
    """What a creation announces. Raises Problem, also for what is too large or empty from the beginning."""
    length = number(headers, "Upload-Length")
    if length > largest:
        raise Problem("too-heavy", limit=largest)
    if length == 0:
        raise Problem("empty")
    told = metadata(headers.get("upload-metadata", ""))
    kind = told.get("filetype", "").partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(kind):
        raise Problem("header-invalid", header="Upload-Metadata", key="filetype")
    name = file_name(told.get("filename", ""))
    return Announced(f"sha256:{_sha256(told.get('sha256', ''))}", length, kind, name or None)


def metadata(text: str) -> dict[str, str]:
    """The pairs of an Upload-Metadata header. Raises Problem when it is not well formed."""
    told: dict[str, str] = {}
    try:
        for pair in text.split(",") if text.strip() else ():
            key, _, value = pair.strip().partition(" ")
            if not key or not key.isascii() or key in told:
                raise ValueError("a key is missing or there twice")
            told[key] = base64.b64decode(value.strip(), validate=True).decode()
    except (ValueError, binascii.Error):
        raise Problem("header-invalid", header="Upload-Metadata") from None
    return told


def metadata_text(media_id: str, type: str, name: str | None) -> str:
    """The Upload-Metadata header that says so."""
    told = {"sha256": media_id.removeprefix("sha256:"), "filetype": type} | ({"filename": name} if name else {})
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())


def file_name(told: str) -> str:
    """The last part of what a client calls the file, without what cannot be shown; it names nothing on our side."""
    last = PurePosixPath(told.replace("\\", "/")).name
    shown = "".join(c for c in last if c.isprintable()).strip()
    if not shown.strip("."):
        return ""
    return shown.encode()[-LONGEST_NAME:].decode("utf-8", "ignore")


def checksums(headers: Headers) -> list[Checksum]:
    """What the body must come to, by Upload-Checksum, by Content-Digest, or by both. Raises Problem."""
    found = []
    if (text := headers.get("upload-checksum")) is not None:
        algorithm, _, digest = text.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise Problem("checksum-algorithm-unsupported", accepted=list(ALGORITHMS))
        found.append(_checksum(algorithm, digest, "Upload-Checksum"))
    if (text := headers.get("content-digest")) is not None:
        matched = _CONTENT_DIGEST.fullmatch(text.strip())
        if matched is None:
            raise Problem("header-invalid", header="Content-Digest")
        found.append(_checksum(f"sha{matched[1]}", matched[2], "Content-Digest"))
    return found


def progress(offset: int, expires_at: datetime | None = None) -> dict[str, str]:
    """How far it is, and until when it may go on."""
    told = {"Upload-Offset": str(offset)}
    return told | ({"Upload-Expires": http_date(expires_at)} if expires_at else {})


def http_date(moment: datetime) -> str:
    """A UTC moment as HTTP writes it."""
    return format_datetime(moment, usegmt=True)


def override(headers: Mapping[bytes, bytes]) -> str | None:
    """The method that is meant, where a client or something on the way knows only POST."""
    meant = headers.get(b"x-http-method-override", b"").decode("latin-1").strip().upper()
    return meant if meant in ("HEAD", "PATCH", "DELETE") else None


def _checksum(algorithm: str, digest: str, header: str) -> Checksum:
    try:
        made = Checksum(algorithm, base64.b64decode(digest.strip(), validate=True))
    except (ValueError, binascii.Error):
        raise Problem("header-invalid", header=header) from None
    if len(made.digest) != made.hasher().digest_size:
        raise Problem("header-invalid", header=header)
    return made


def _sha256(told: str) -> str:
    if (matched := _HEX.fullmatch(told)) is not None:
        return matched[1].lower()
    try:
        raw = base64.b64decode(told.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != hashlib.sha256().digest_size:
        raise Problem("header-invalid", header="Upload-Metadata", key="sha256")
    return raw.hex()
