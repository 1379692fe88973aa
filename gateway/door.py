"""What stands before every route: it declares who may pass, and turns everybody else away before the body is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute

from gateway import devices, standing
from gateway.auth import PROOF_SECONDS, Authenticator
from gateway.calls import Call
from gateway.context import Context, context_of
from gateway.errors import Problem
from gateway.limits import Buckets, Refusal
from gateway.principals import ANONYMOUS, Principal
from gateway.service_calls import Services

JSON = "application/json"
MULTIPART = "multipart/form-data"
_CALL = "checkop.call"
_PERMISSION = "x-permission"
_OTHERWISE = "x-permission-or"
_ACCESS = "x-access"
_PROOF = "x-proof-required"
_SAFE = frozenset({"GET", "HEAD"})
_EVERYWHERE = frozenset({"at_least"})


def resource(tag: str, *, prefix: str = "/v1") -> APIRouter:
    """A router for the routes of one resource; operations are named after their functions."""
    return APIRouter(prefix=prefix, route_class=Door, tags=[tag], generate_unique_id_function=lambda route: route.name)


def needs(permission: str, *, proof: bool = False) -> dict[str, Any]:
    """Route options: only callers who hold this permission, and with `proof` typed a password just now."""
    extra = {_ACCESS: "permission", _PERMISSION: permission, "security": [{"bearer": []}]}
    return {"openapi_extra": extra | ({_PROOF: True} if proof else {})}


def signed_in() -> dict[str, Any]:
    """Route options: anybody who is signed in, about himself."""
    return {"openapi_extra": {_ACCESS: "signed-in", "security": [{"bearer": []}]}}


def on_device() -> dict[str, Any]:
    """Route options: only an enrolled phone, by its own signature."""
    return {"openapi_extra": {_ACCESS: "device", _PERMISSION: "offline", "security": [{"bearer": []}]}}


def brings_evidence(**described: Any) -> dict[str, Any]:
    """Route options: whoever works in the field or corrects what was handed in; an enrolled phone, by its signature.

    A phone's signature counts for 72 hours more than its session: what was photographed before still comes in.
    """
    extra = {_ACCESS: "evidence", _PERMISSION: "tasks:execute", _OTHERWISE: "submissions:edit"}
    return {"openapi_extra": {**extra, "security": [{"bearer": []}], **described}}


def anybody() -> dict[str, Any]:
    """Route options: no sign-in needed."""
    return {"openapi_extra": {_ACCESS: "anybody", "security": []}}


def open_to_all() -> dict[str, Any]:
    """Route options: for whoever has the address, signed in or not; what others added to it is passed over."""
    return {"openapi_extra": {_ACCESS: "all", "security": []}}


def entrance() -> dict[str, Any]:
    """Route options: no sign-in needed, but few attempts per address: here passwords could be tried out."""
    return {"openapi_extra": {_ACCESS: "entrance", "security": []}}


@dataclass(frozen=True, slots=True)
class Limits:
    """How often each kind of caller may knock."""

    subjects: Buckets
    addresses: Buckets
    entrances: Buckets


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Verifies callers and counts their requests."""

    authenticator: Authenticator
    services: Services
    limits: Limits

    async def admit(self, request: Request, access: str, permissions: frozenset[str], kind: standing.Kind) -> Call:
        """The call that a route's function works with. Raises Problem for whoever may not pass."""
        context = context_of(request.scope)
        principal = await self._identify(request, context)
        context.tenant, context.actor = principal.tenant, principal.actor
        if access == "entrance":
            _refuse(self.limits.entrances.take(context.ip))
        if principal.is_anonymous:
            _refuse(self.limits.addresses.take(context.ip))
            if access in ("permission", "evidence", "signed-in"):
                raise _unknown_caller()
        else:
            _refuse(self.limits.subjects.take(principal.actor))
        if permissions and permissions.isdisjoint(principal.permissions):
            raise Problem("forbidden", permission=max(permissions))
        if refused := standing.refusal(self.authenticator.standing(principal), principal.role, kind):
            raise refused
        return Call(principal, context, request.headers, request.query_params, self.services)

    async def admit_anybody(self, request: Request) -> Call:
        """The call of somebody who need not be known. Raises Problem for who comes too often."""
        context = context_of(request.scope)
        _refuse(self.limits.addresses.take(context.ip))
        return Call(ANONYMOUS, context, request.headers, request.query_params, self.services)

    async def admit_device(self, request: Request) -> Call:
        """The call of an enrolled phone; what it may not do any more is said by its `Device`. Raises Problem."""
        context = context_of(request.scope)
        received_at, offset_ms = devices.clock_of(request)
        ended: Mapping[str, Any] = {"ended": None, "ended_at": None}
        try:
            principal = await self._identify(request, context)
        except Problem as problem:
            if problem.code not in ("token-expired", "session-revoked"):
                raise
            principal = await self.authenticator.once_verified(request.headers.get("authorization"))
            devices.check_signature(request, principal)
            ended = await self.authenticator.device_standing(principal)
            if ended["ended"] is None:
                raise
        if principal.is_anonymous:
            _refuse(self.limits.addresses.take(context.ip))
            raise _unknown_caller()
        devices.check_signature(request, principal)
        context.tenant, context.actor = principal.tenant, principal.actor
        _refuse(self.limits.subjects.take(principal.actor))
        device = devices.Device(str(principal.device), received_at, offset_ms, **devices.ending(ended, received_at))
        if device.ended is None and "offline" not in principal.permissions:
            raise Problem("forbidden", permission="offline")
        if refused := standing.refusal(self.authenticator.standing(principal), principal.role, "finish"):
            raise standing.of_sync(refused)
        devices.admit(request, device)
        return Call(principal, context, request.headers, request.query_params, self.services)

    async def _identify(self, request: Request, context: Context) -> Principal:
        try:
            return await self.authenticator.authenticate(
                request.headers.get("authorization"), ip=context.ip, safe=request.method in _SAFE
            )
        except Problem as problem:
            if problem.code in ("token-invalid", "token-expired", "session-revoked"):
                _refuse(self.limits.addresses.take(context.ip))
            raise


def _unknown_caller() -> Problem:
    return Problem("authentication-required", headers={"WWW-Authenticate": 'Bearer realm="checkop"'})


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Problem("rate-limited", headers=refusal.headers())


class JsonRequest(Request):
    """A request whose JSON is read strictly: no NaN, no lone surrogates, no endless nesting."""

    async def json(self) -> Any:
        """The body. Raises json.JSONDecodeError."""
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class Door(APIRoute):
    """A route with a doorkeeper. Every route says who may pass, or the application does not start."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's function behind admission and a look at the body's type."""
        inner = super().get_route_handler()
        declared = self.openapi_extra or {}
        access = declared[_ACCESS]
        proof = declared.get(_PROOF, False)
        permission = declared.get(_PERMISSION)
        sufficient = frozenset(declared[name] for name in (_PERMISSION, _OTHERWISE) if name in declared)
        safe = _SAFE.issuperset(self.methods or ())
        kind = standing.kind_of(self.name, safe=safe, access=access, permission=permission)
        accepted = None
        if self.body_field is not None:
            accepted = MULTIPART if isinstance(self.body_field.field_info, Form) else JSON
        parameters = _parameters(self.dependant) | _EVERYWHERE

        async def handle(framework: Request) -> Response:
            request = JsonRequest(framework.scope, framework.receive)
            gatekeeper: Gatekeeper = request.app.state.gatekeeper
            if access == "device" or (access == "evidence" and devices.SIGNATURE in request.headers):
                call = await gatekeeper.admit_device(request)
            elif access == "all":
                call = await gatekeeper.admit_anybody(request)
            else:
                call = await gatekeeper.admit(request, access, sufficient, kind)
            if proof and not gatekeeper.authenticator.has_proven(call.principal):
                raise Problem("proof-required", max_age=PROOF_SECONDS)
            request.scope[_CALL] = call
            if access != "all" and (unknown := request.query_params.keys() - parameters):
                # A filter that is passed over in silence gives a wrong list, and nobody notices.
                raise Problem("parameter-unknown", parameters=sorted(unknown))
            if accepted is not None:
                _check_media_type(request, accepted)
            return await inner(request)

        return handle


def _parameters(dependant: Dependant) -> frozenset[str]:
    """The query parameters that a route declares, itself or through what it depends on."""
    own = frozenset(field.alias for field in dependant.query_params)
    return own.union(*(_parameters(needed) for needed in dependant.dependencies))


def _check_media_type(request: Request, accepted: str) -> None:
    content_type = request.headers.get("content-type")
    if content_type is None:
        length = request.headers.get("content-length", "0")
        if length == "0" and "transfer-encoding" not in request.headers:
            return  # no body at all: validation says which fields are missing
        raise Problem("media-type-unsupported", accepted=accepted)
    if content_type.partition(";")[0].strip().lower() != accepted:
        raise Problem("media-type-unsupported", accepted=accepted)


async def _call_of(request: Request) -> Call:
    call: Call = request.scope[_CALL]
    return call


CallDep = Annotated[Call, Depends(_call_of)]
"""How a route's function asks for its call."""
