"""Finds a request's route by walking its path once, however many routes there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

_CHOSEN = "checkop.route"
_ALLOWED = "checkop.allowed"


@dataclass(slots=True)
class _Node:
    """What may follow after some segments of a path, and the routes by method when nothing does."""

    named: dict[str, _Node] = field(default_factory=dict)
    anything: _Node | None = None
    routes: dict[str, APIRoute] = field(default_factory=dict)


class RouteIndex(BaseRoute):
    """Stands before all routes and hands a request straight to its own.

    The router's way is to try one pattern after the other, which costs a quarter of a short request
    with a hundred routes, and names in `Allow` the methods of the first pattern only. A path that the
    index does not know goes the router's way.
    """

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.path_format.split("/"):
                if segment.startswith("{"):
                    node.anything = node.anything or _Node()
                    node = node.anything
                else:
                    node = node.named.setdefault(segment, _Node())
            for method in route.methods or ():
                node.routes[method] = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See `BaseRoute`."""
        if scope["type"] != "http":
            return Match.NONE, {}
        node = _walk(self._root, scope["path"].split("/"), 0)
        if node is None:
            return Match.NONE, {}
        route = node.routes.get(scope["method"])
        if route is None:
            # Also where a parameter of another path would fit: a literal name is no id of anything.
            return Match.FULL, {_CHOSEN: None, _ALLOWED: sorted(node.routes)}
        match, child = route.matches(scope)
        if match != Match.FULL:
            return Match.NONE, {}
        return match, {**child, _CHOSEN: route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `BaseRoute`. Raises HTTPException when the path exists, but not with this method."""
        route: APIRoute | None = scope[_CHOSEN]
        if route is None:
            raise HTTPException(405, headers={"Allow": ", ".join(scope[_ALLOWED])})
        await route.handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The index names nothing; the routes themselves do."""
        raise NoMatchFound(name, path_params)


def _walk(node: _Node, segments: list[str], at: int) -> _Node | None:
    if at == len(segments):
        return node if node.routes else None
    # A literal segment wins over a parameter, whatever the order in which routes were declared.
    literal = node.named.get(segments[at])
    if literal is not None and (found := _walk(literal, segments, at + 1)) is not None:
        return found
    return _walk(node.anything, segments, at + 1) if node.anything is not None else None
