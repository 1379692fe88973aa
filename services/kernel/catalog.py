"""Writes down what every service says and can be asked: AsyncAPI for machines, one page for people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from services.kernel import broker, message, rpc
from services.kernel.application import Do, On, ServiceDefinition, Subscription
from services.kernel.catalog_page import page
from services.kernel.domain import Command, Event
from services.kernel.platform import all_services, definition_of
from services.kernel.registry import Registry

Json = dict[str, Any]
HOME = Path(__file__).resolve().parents[2] / "docs" / "catalog"
_SCHEMAS = "#/components/schemas/"
_FILLED = ("at", "by")


@dataclass(frozen=True)
class EventEntry:
    """One type of event: what it says, field by field, and which of it is published."""

    service: str
    category: str
    name: str
    type: type[Event]
    kinds: Mapping[str, str]

    @property
    def version(self) -> int:
        """The version in which it is written today."""
        return self.type.schema_version

    @property
    def key(self) -> str:
        """Its name in the catalogue."""
        return f"{self.service}.{self.category}.{self.name}.v{self.version}"

    @property
    def sentence(self) -> str:
        """What its class says of itself."""
        return _sentence(self.type)

    @cached_property
    def schema(self) -> Json:
        """JSON schema of all its fields, with its values under `$defs`."""
        return self.type.model_json_schema(mode="serialization", ref_template=f"{_SCHEMAS}{self.service}.{{model}}")

    @property
    def published(self) -> Json:
        """JSON schema of the fields that travel."""
        properties = {
            name: schema for name, schema in self.schema.get("properties", {}).items() if self.kinds[name] == "none"
        }
        return {
            "type": "object",
            "title": self.name,
            **({"description": self.sentence} if self.sentence else {}),
            "properties": properties,
            "required": [name for name in self.schema.get("required", []) if name in properties],
        }


@dataclass(frozen=True)
class CommandEntry:
    """One command of a service: its fields as the domain wants them, or none where it is a course of several."""

    service: str
    name: str
    handles: On | Do

    @property
    def sentence(self) -> str:
        """What it is for."""
        return _sentence(self.handles.command if isinstance(self.handles, On) else self.handles.run)

    @property
    def aggregate(self) -> str:
        """Whose decision it is; empty where several are asked."""
        return self.handles.decider.category if isinstance(self.handles, On) else ""

    @property
    def prepared(self) -> bool:
        """Whether the service checks the caller or adds facts of its own before it decides."""
        return isinstance(self.handles, On) and self.handles.prepare is not None

    @cached_property
    def schema(self) -> Json:
        """JSON schema of its fields; what the kernel fills is left out."""
        if isinstance(self.handles, Do):
            return {"type": "object"}
        model: type[Command] = self.handles.command
        schema = model.model_json_schema(mode="validation", ref_template=f"{_SCHEMAS}{self.service}.command.{{model}}")
        schema["properties"] = {n: s for n, s in schema["properties"].items() if n not in _FILLED}
        schema["required"] = [name for name in schema.get("required", []) if name not in _FILLED]
        return schema


@dataclass(frozen=True)
class ServiceEntry:
    """One service as the catalogue sees it."""

    definition: ServiceDefinition
    events: Sequence[EventEntry]
    commands: Sequence[CommandEntry]

    @property
    def name(self) -> str:
        """The service's name."""
        return self.definition.name

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """What it follows."""
        return self.definition.subscriptions

    def of(self, category: str) -> list[EventEntry]:
        """The events of one aggregate."""
        return [event for event in self.events if event.category == category]


def entries(names: Sequence[str]) -> list[ServiceEntry]:
    """What these services declare, in the order of their declarations."""
    found = []
    for name in names:
        definition = definition_of(name)
        registry = Registry(name, definition.deciders)
        events = [
            EventEntry(name, category, event, type, registry.classification(category, event))
            for category, event, type in registry.types()
        ]
        commands = [CommandEntry(name, command, handles) for command, handles in sorted(definition.commands.items())]
        found.append(ServiceEntry(definition, events, commands))
    return found


def asyncapi(services: Sequence[ServiceEntry]) -> Json:
    """The AsyncAPI 3.0 document: facts as channels per category, commands as requests with replies."""
    schemas: Json = {"CloudEvent": _cloud_event(), "Receipt": _receipt(), "Caller": _caller()}
    messages: Json = {"Reply": _reply()}
    channels: Json = {"replies": {"address": None, "messages": {"Reply": _ref("messages", "Reply")}}}
    operations: Json = {}
    for service in services:
        for category in service.definition.deciders:
            _facts(service, category.category, channels, operations, messages, schemas)
        _commands(service, channels, operations, messages, schemas)
    for service in services:
        for subscription in service.subscriptions:
            _follows(service, subscription, channels, operations)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CheckOP, inside",
            "version": "1.0.0",
            "description": "Facts that services publish and commands they carry out. Only ids and open facts travel; "
            "personal and confidential fields stay sealed in the service that recorded them.",
        },
        "defaultContentType": rpc.CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": _used(schemas, messages)},
    }


def write(home: Path, services: Sequence[ServiceEntry]) -> None:
    """Write both files."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in _files(services).items():
        (home / name).write_text(text, encoding="utf-8")


def stale(home: Path, services: Sequence[ServiceEntry]) -> list[str]:
    """The files that do not say what the code says."""
    return [
        name
        for name, text in _files(services).items()
        if not (home / name).exists() or (home / name).read_text(encoding="utf-8") != text
    ]


def _files(services: Sequence[ServiceEntry]) -> dict[str, str]:
    document = asyncapi(services)
    return {
        "asyncapi.json": orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n",
        "README.md": page(services),
    }


def _facts(
    service: ServiceEntry, category: str, channels: Json, operations: Json, messages: Json, schemas: Json
) -> None:
    here = f"{service.name}.{category}"
    events = service.of(category)
    for event in events:
        _collect(schemas, event.schema, f"{service.name}.")
        schemas[event.key] = event.published
        messages[event.key] = {
            "name": event.name,
            "title": f"{event.name}, version {event.version}",
            **({"summary": event.sentence} if event.sentence else {}),
            "contentType": message.CONTENT_TYPE,
            "payload": {
                "allOf": [
                    {"$ref": f"{_SCHEMAS}CloudEvent"},
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": message.type_of(service.name, event.name, event.version)},
                            "category": {"const": category},
                            "data": {"$ref": _SCHEMAS + event.key},
                        },
                    },
                ]
            },
        }
    channels[here] = {
        "address": f"{here}.{{event}}",
        "title": f"Facts about one {category.replace('_', ' ')}",
        "parameters": {"event": {"description": "The fact's name", "enum": [event.name for event in events]}},
        "messages": {f"{event.name}.v{event.version}": _ref("messages", event.key) for event in events},
        "bindings": _routed(broker.EVENTS, "topic"),
    }
    operations[f"{here}.publish"] = {
        "action": "send",
        "channel": _ref("channels", here),
        "summary": f"{service.name} tells what happened, in order per stream, at least once.",
    }


def _commands(service: ServiceEntry, channels: Json, operations: Json, messages: Json, schemas: Json) -> None:
    if not service.commands:
        return
    here = f"{service.name}.commands"
    for command in service.commands:
        key = f"{service.name}.command.{command.name}"
        _collect(schemas, command.schema, f"{service.name}.command.")
        schemas[key] = {name: value for name, value in command.schema.items() if name != "$defs"}
        messages[key] = {
            "name": command.name,
            **({"summary": command.sentence} if command.sentence else {}),
            "correlationId": {"location": "$message.payload#/calls/0/id"},
            "payload": _request(command, key),
        }
    channels[here] = {
        "address": rpc.call_queue(service.name),
        "title": f"Commands to {service.name}",
        "messages": {c.name: _ref("messages", f"{service.name}.command.{c.name}") for c in service.commands},
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": rpc.call_queue(service.name), "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }
    operations[f"{service.name}.{rpc.EXECUTE}"] = {
        "action": "receive",
        "channel": _ref("channels", here),
        "summary": f"{service.name} carries out a command once per command id.",
        "reply": {"address": {"location": "$message.header#/reply_to"}, "channel": _ref("channels", "replies")},
    }


def _request(command: CommandEntry, key: str) -> Json:
    call = {
        "type": "object",
        "required": ["id", "method", "kwargs"],
        "properties": {
            "id": {"type": "string", "description": "Ties the reply to its call."},
            "method": {"const": rpc.EXECUTE},
            "kwargs": {
                "type": "object",
                "required": ["command", "data", "caller", "command_id"],
                "properties": {
                    "command": {"const": command.name},
                    "data": {"$ref": _SCHEMAS + key},
                    "caller": {"$ref": f"{_SCHEMAS}Caller"},
                    "command_id": {"type": "string", "description": "The same id is the same request."},
                    "expected_version": {"type": ["integer", "null"], "description": "If-Match"},
                },
            },
        },
    }
    return _several("calls", call, "Calls that were made at the same moment share a message.")


def _several(name: str, one: Json, description: str) -> Json:
    several = {"type": "array", "minItems": 1, "items": one, "description": description}
    return {"type": "object", "required": [name], "properties": {name: several}}


def _follows(service: ServiceEntry, subscription: Subscription, channels: Json, operations: Json) -> None:
    for channel in followed(subscription, channels):
        operations[f"{subscription.handler}.{channel}"] = {
            "action": "receive",
            "channel": _ref("channels", channel),
            "summary": f"{service.name} follows, each fact once and in order per stream.",
            "x-queue": subscription.handler,
        }


def followed(subscription: Subscription, channels: Mapping[str, Any]) -> list[str]:
    """The channels a subscription is bound to."""
    every = "*" in subscription.categories
    return [
        channel
        for channel, said in channels.items()
        if said.get("parameters")
        and channel.startswith(f"{subscription.source}.")
        and (every or channel.split(".", 1)[1] in subscription.categories)
    ]


def _routed(exchange: str, type: str) -> Json:
    return {
        "amqp": {
            "is": "routingKey",
            "exchange": {"name": exchange, "type": type, "durable": True, "autoDelete": False},
            "bindingVersion": "0.3.0",
        }
    }


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/{'' if kind == 'channels' else 'components/'}{kind}/{name}"}


def _collect(schemas: Json, schema: Json, prefix: str) -> None:
    for name, value in schema.get("$defs", {}).items():
        if schemas.setdefault(prefix + name, value) != value:
            raise ValueError(f"two values are called {prefix}{name}; one needs another name")


def _used(schemas: Json, messages: Json) -> Json:
    """Only the schemas that something points at: a value that is sealed everywhere is nobody's business."""
    wanted, todo = set[str](), [messages]
    while todo:
        for ref in _refs(todo.pop()):
            name = ref.removeprefix(_SCHEMAS)
            if name in schemas and name not in wanted:
                wanted.add(name)
                todo.append(schemas[name])
    return {name: schemas[name] for name in sorted(wanted)}


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _sentence(thing: Any) -> str:
    own = thing.__dict__.get("__doc__") if isinstance(thing, type) and issubclass(thing, BaseModel) else thing.__doc__
    return " ".join((own or "").split("\n\n")[0].split())


def _cloud_event() -> Json:
    text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
    return {
        "type": "object",
        "description": "CloudEvents 1.0, structured mode.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**text, "description": "service:position:index; unique on the platform"},
            "source": {**text, "format": "uri-reference"},
            "type": text,
            "subject": {**text, "description": "The stream: category-account-id"},
            "time": {**text, "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {"type": "object", "description": "The open fields of the fact."},
            "tenant": {**text, "description": "The account"},
            "category": text,
            "streamversion": {**number, "description": "Place in the stream: 1, 2, 3, …"},
            "position": {**number, "description": "Place of the commit in the service's log"},
            "actor": text,
            "origin": {"type": ["string", "null"]},
            "correlationid": text,
            "causationid": text,
        },
        "required": [
            *("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "tenant"),
            *("category", "streamversion", "position", "actor", "origin", "correlationid", "causationid"),
        ],
    }


def _caller() -> Json:
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    return {
        "type": "object",
        "description": "Who asks; made by the gateway from a verified token.",
        "properties": {
            "tenant": text,
            "actor": text,
            "role": text,
            "permissions": {"type": "array", "items": text},
            "session": maybe,
            "origin": maybe,
            "correlation_id": text,
            "causation_id": text,
        },
        "required": ["tenant", "actor"],
    }


def _receipt() -> Json:
    return {
        "type": "object",
        "description": "What a command left behind; a query asked `at_least` position sees it.",
        "properties": {
            "id": {"type": "string"},
            "stream": {"type": "string"},
            "version": {"type": "integer"},
            "position": {"type": "integer"},
        },
    }


def _reply() -> Json:
    error = {
        "type": "object",
        "required": ["type", "args", "value"],
        "properties": {
            "type": {"type": "string", "description": "Rejected: a rule says no; its code is the first argument"},
            "args": {"type": "array"},
            "value": {"type": "string"},
        },
    }
    one = {
        "type": "object",
        "required": ["id", "result", "error"],
        "properties": {
            "id": {"type": "string", "description": "Of the call that this answers."},
            "result": {"anyOf": [{"$ref": f"{_SCHEMAS}Receipt"}, {"type": "object"}, {"type": "null"}]},
            "error": {"anyOf": [error, {"type": "null"}]},
        },
    }
    return {
        "name": "Reply",
        "summary": "The receipt of a command, or why there is none.",
        "correlationId": {"location": "$message.payload#/replies/0/id"},
        "payload": _several("replies", one, "What was answered at the same moment shares a message."),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the catalogue, or with --check say which file is stale (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m services.kernel.catalog", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the catalogue is stale")
    parser.add_argument("--home", type=Path, default=HOME, help="default: docs/catalog")
    options = parser.parse_args(argv)
    services = entries(all_services())
    if not options.check:
        write(options.home, services)
        return 0
    behind = stale(options.home, services)
    for name in behind:
        sys.stderr.write(f"{name} does not say what the code says: run `make catalog` and read the difference\n")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
