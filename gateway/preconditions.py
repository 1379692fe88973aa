"""What headers say about a request as a whole: is it a repeat, what must not have changed, what must be visible."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
import uuid_utils
from starlette.datastructures import Headers

from gateway.errors import Problem
from gateway.principals import ANONYMOUS_ACTOR, Principal
from services.kernel.clock import new_id

COMMAND_IDS = uuid_utils.UUID("5d0b7a7e-3f0c-5f3e-9a51-6c1f0a6f2f11")

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{6,126}[\x21-\x7e])")
_VERSION = re.compile(r'"(\d{1,18})"')
_POSITION = re.compile(r"\d{1,18}")


def command_id(tenant: str, actor: str, key: str | None, data: Mapping[str, Any]) -> str:
    """The id under which a command is recorded at most once.

    From the caller's Idempotency-Key, so that a repeated request finds the first one's answer. Nobody
    owns the keys of anonymous callers: there the content counts as well, or a guessed key would hand
    out the answer to somebody else's log-in.
    """
    if key is None:
        return new_id()
    name = f"{tenant}|{actor}|{key}"
    if actor == ANONYMOUS_ACTOR:
        name += "|" + hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return str(uuid_utils.uuid5(COMMAND_IDS, name))


def idempotency_key(headers: Headers) -> str | None:
    """The Idempotency-Key, 8 to 128 printable characters. Raises Problem for anything else."""
    key = headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("header-invalid", header="Idempotency-Key")
    return key


def expected_version(headers: Headers) -> int | None:
    """The version in If-Match; None when absent or `*`. Raises Problem for what no ETag of ours looks like."""
    tag = headers.get("if-match")
    if tag is None or tag.strip() == "*":
        return None
    matched = _VERSION.fullmatch(tag.strip())
    if matched is None:
        raise Problem("header-invalid", header="If-Match")
    return int(matched[1])


def at_least(headers: Headers, query: Mapping[str, str]) -> int | None:
    """The position that an answer must include. Raises Problem when it is no position."""
    text = query.get("at_least") or headers.get("x-at-least")
    if text is None:
        return None
    if not _POSITION.fullmatch(text):
        raise Problem("header-invalid", header="X-At-Least")
    return int(text)


def id_for_new(principal: Principal, headers: Headers) -> str:
    """An id for a new thing: the same one when the request is repeated under its Idempotency-Key."""
    key = idempotency_key(headers)
    if key is None or principal.is_anonymous:
        return new_id()
    return str(uuid_utils.uuid5(COMMAND_IDS, f"new|{principal.tenant}|{principal.actor}|{key}"))
