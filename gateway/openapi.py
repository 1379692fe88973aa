"""The document that tells the world how to speak to the gateway, complete with problems, headers and tags."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.errors import MEDIA_TYPE, TYPE_BASE
from gateway.messages import MESSAGES, TITLES

DESCRIPTION = """
Field operations: planned in the office, executed in the field, proven by evidence.

* **Sign in** with `POST /v1/sessions`; send the access token as `Authorization: Bearer …`; renew it with
  `POST /v1/sessions/refresh`. Programs use API tokens in the same header.
* **Repeat safely**: give every change an `Idempotency-Key`; the repeat gets the first answer.
* **Read your own writes**: every change answers a `position`; send it as `X-At-Least` with the next read.
* **Do not overwrite others**: send the `ETag` you read as `If-Match`; `412` says it has changed since.
* **Problems** are `application/problem+json` (RFC 9457) with a stable `type`, in the language of
  `Accept-Language` (`es`, `en`).
* **Pages**: `limit` and `cursor`; the answer's `next` is the cursor of the next page, absent on the last.
""".strip()

TAGS = [
    {"name": "accounts", "description": "A company on the platform and the policies its people log in under."},
    {"name": "sessions", "description": "Logging in, staying logged in, logging out."},
    {"name": "me", "description": "What everybody may do for himself: name, password, second factor."},
    {"name": "users", "description": "The people of the account."},
    {"name": "teams", "description": "A tree of teams with leaders and members."},
    {"name": "profiles", "description": "Named sets of permissions."},
    {"name": "devices", "description": "The devices that people log in from."},
    {"name": "api-tokens", "description": "Access for programs."},
    {"name": "history", "description": "Who did what, when, from where."},
    {"name": "processes", "description": "Kinds of work: processes and their subprocesses."},
    {"name": "status-lists", "description": "The stages that the tasks of a process walk through."},
    {"name": "customers", "description": "Customers and their locations."},
    {"name": "equipment", "description": "What stands at the customers' locations and is worked on."},
    {"name": "services", "description": "The catalogue of services that tasks are found and counted by."},
    {"name": "dynamic-fields", "description": "What an account asks beyond the usual."},
    {"name": "tasks", "description": "Work to be done, from planning to completion."},
    {"name": "sync", "description": "Work without a network: phones hand in what was done and fetch what is to do."},
    {"name": "parked-work", "description": "Field work that waits for a supervisor's decision."},
    {"name": "recurrences", "description": "Work that comes again and again, by RFC 5545."},
    {"name": "forms", "description": "What is asked: drafts, versions, and XLSForm in and out."},
    {"name": "submissions", "description": "What was answered, judged by the version it names."},
    {"name": "media", "description": "Evidence: photos, recordings and documents, and the forms they are shown in."},
    {"name": "uploads", "description": "Evidence on its way in, by tus 1.0.0 or from a browser's form."},
    {"name": "whereabouts", "description": "Where people are and were, who is near, what is where."},
    {"name": "saved-filters", "description": "The choices of tasks that somebody comes back to."},
    {"name": "imports", "description": "Customers and tasks from XLSX or CSV, with a dry run first."},
    {"name": "reports", "description": "Tasks and submissions with their evidence, as PDF."},
    {"name": "exports", "description": "Everything as XLSX or CSV, written in the background."},
    {"name": "public-links", "description": "Evidence that the outside world may see for a while."},
    {"name": "billing", "description": "Plan, seats, quotes, invoices, payments, and how the account stands."},
    {"name": "ops", "description": "For the people of Progresus: what they decide about accounts."},
    {"name": "events", "description": "Facts as they happen."},
    {"name": "health", "description": "For those who watch over the process."},
]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": f"`{TYPE_BASE}` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer", "enum": sorted(TITLES)},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri", "description": "Names this one occurrence."},
        "code": {
            "type": "string",
            "description": "Stable. `<noun>-unknown` for what does not exist, and: "
            + ", ".join(f"`{code}`" for code in sorted(MESSAGES)),
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
    "example": {
        "type": f"{TYPE_BASE}task-unknown",
        "title": "Not found",
        "status": 404,
        "detail": "This task does not exist.",
        "instance": "urn:uuid:6f7a0f0e-5a9a-4a3e-9a54-1a3c3f6d2b11",
        "code": "task-unknown",
    },
}

_HEADERS = {
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "description": "Ties the request to log lines and facts; comes back in the answer. A UUID; anything else is "
        "replaced by a new one.",
        "schema": {"type": "string"},
        "example": "6f7a0f0e-5a9a-4a3e-9a54-1a3c3f6d2b11",
    },
    "Language": {
        "name": "Accept-Language",
        "in": "header",
        "description": "Language of problems: `es` or `en`.",
        "schema": {"type": "string", "example": "es"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Names the request: repeated with the same key it takes effect once.",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[!-~][ -~]*[!-~]$"},
        "example": "3f1d6a52-0a53-7c7e-8c55-3c2a8a1be001",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that was read: refused with 412 when the thing has changed since.",
        "schema": {"type": "string", "pattern": '^("[0-9]{1,18}"|\\*)$', "example": '"7"'},
    },
    "AtLeast": {
        "name": "X-At-Least",
        "in": "header",
        "description": "The position that the answer must include: one's own last write.",
        "schema": {"type": "integer", "minimum": 0},
    },
}

_COMMON = ("CorrelationId", "Language")
_READING = ("AtLeast",)
_CHANGING = ("IdempotencyKey", "IfMatch")


def install(app: FastAPI) -> None:
    """Serve the completed document as the application's own."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    openapi_version="3.1.0",
                    description=DESCRIPTION,
                    routes=app.routes,
                    tags=TAGS,
                )
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["parameters"] = _HEADERS
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, or an API token (`cop_…`).",
        }
    }
    components["responses"] = {
        "Problem": {
            "description": "A problem, in the caller's language.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)
    return document


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    reading = method in ("get", "head", "options")
    if path.startswith(("/v1", "/ops")):
        names = (*_COMMON, *(_READING if reading else _CHANGING))
        operation.setdefault("parameters", []).extend({"$ref": f"#/components/parameters/{name}"} for name in names)
    responses = operation["responses"]
    responses.pop("422", None)
    problem = {"$ref": "#/components/responses/Problem"}
    statuses = ["429", "500", "503", "504"]
    if operation.get("security"):
        statuses += ["401", "403"]
    if "{" in path:
        statuses += ["404"]
    if "requestBody" in operation or operation.get("parameters"):
        statuses += ["400", "422"]
    if "requestBody" in operation:
        statuses += ["413", "415"]
    if not reading:
        statuses += ["404", "409", "412"]
    for status in sorted(set(statuses)):
        responses.setdefault(status, problem)
    responses["default"] = problem
