"""Looks through public links: opened by their secret alone, written down beside the answer and never in its way."""

from __future__ import annotations

import asyncio
import hashlib
import html
import time
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from gateway.caches import LruCache
from gateway.calls import Call
from gateway.context import Context
from gateway.errors import Problem
from gateway.limits import Buckets
from gateway.messages import describe
from gateway.service_calls import GATEWAY_ACTOR, Services, gateway_caller
from services.kernel import logging

SERVICE = "media"
ONE_VIEW_SECONDS = 600
"""A film is fetched in many parts: within this time they are one view."""

log = logging.get(__name__)


class PublicViews:
    """Opens links and notes who looked. `guesses`: how often one address may come with a secret that is none."""

    def __init__(self, services: Services, guesses: Buckets) -> None:
        self._services = services
        self._guesses = guesses
        self._noted: LruCache[str, float] = LruCache(50_000)
        self._noting: set[asyncio.Task[None]] = set()

    async def open(self, call: Call, token: str) -> Mapping[str, Any]:
        """What opens the object behind the link. Raises Problem."""
        caller = gateway_caller(call.context.correlation_id)
        try:
            found: Mapping[str, Any] = await self._services.query(SERVICE, "opened_link", {"token": token}, caller)
        except Problem as problem:
            if problem.code == "link-unknown" and (refusal := self._guesses.take(call.context.ip)) is not None:
                raise Problem("rate-limited", headers=refusal.headers()) from None
            raise
        return found

    def seen(self, call: Call, found: Mapping[str, Any], request: Request) -> None:
        """Somebody is being shown it; a look that only asks what there is, is none."""
        if request.method != "GET":
            return
        agent = request.headers.get("user-agent", "")[:300]
        window = int(time.time() // ONE_VIEW_SECONDS)
        who = "\n".join((str(found["link_id"]), call.context.ip, agent, str(window)))
        view_id = hashlib.sha256(who.encode()).hexdigest()
        if self._noted.get(view_id) is not None:
            return
        self._noted.put(view_id, time.monotonic())
        data = {"link_id": found["link_id"], "address": call.context.ip, "agent": agent}
        caller = {
            **gateway_caller(call.context.correlation_id),
            "tenant": found["account_id"],
            "actor": GATEWAY_ACTOR,
            "role": "system",
        }
        task = asyncio.create_task(self._note(data, caller, view_id))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, data: Mapping[str, Any], caller: Mapping[str, Any], view_id: str) -> None:
        try:
            await self._services.execute(SERVICE, "note_link_view", data, caller, view_id)
        except Problem as why:  # it was shown all the same; the next part that is fetched tells it again
            self._noted.drop(view_id)
            log.warning("view_not_noted", link=data["link_id"], why=why.code)


def ended_page(context: Context, problem: Problem, headers: Mapping[str, str]) -> Response:
    """For people who opened it in a browser: a page that says why there is nothing to see."""
    status, title, detail = describe(problem.code, context.language, problem.facts)
    context.problem = problem.code
    page = _PAGE.format(language=context.language, title=html.escape(title), detail=html.escape(detail))
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
    return HTMLResponse(page, status, {**headers, **policy, "Cache-Control": "no-store"})


_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;
background:#f5f6f8;color:#1c2733}}main{{max-width:26rem;padding:2rem;text-align:center}}
h1{{font-size:1.25rem;margin:0 0 .5rem}}p{{margin:0;color:#556}}</style></head>
<body><main><h1>{title}</h1><p>{detail}</p></main></body></html>
"""
