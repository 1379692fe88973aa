"""What an operator does to services: prove logs, rebuild read models, replay history, free what stands still."""

from __future__ import annotations

import argparse
import getpass
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pika.exceptions
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from services.kernel import broker, health, heap, logging, operator_parked, operator_rebuild
from services.kernel.clock import new_id
from services.kernel.config import settings
from services.kernel.operator_broker import ask_relay, channel, depth
from services.kernel.operator_verify import verify
from services.kernel.platform import Platform, all_services, definition_of, open_platform
from services.kernel.relay import replay_request

FAULT, USAGE = 1, 2
_ABOUT = """\
Looks after the services' logs, read models and queues. Needs the engines' addresses in the environment, as every
process of the platform does; `make` sets them for the platform of this machine.

  status       how far everyone has followed, and whether something waits
  verify-log   proves that no fact is missing, doubled or unreadable
  parked       lists what stands still and why
  unpark       lets one stream go on
  rebuild      builds one read model anew while the present one serves
  replay       sends history to one queue again
"""
_EPILOG = "exit code: 0 well done; 1 a fault was found or the work could not be done; 2 the request makes no sense"
_EXAMPLES = {
    "status": "examples:\n  status\n  status --service tasks --json",
    "verify-log": "examples:\n  verify-log\n  verify-log --service identity",
    "parked": "A gap closes by itself once the missing fact comes (it is asked for after a few seconds). What is\n"
    "blocked or unreadable needs a person: mend the code, then unpark; or skip, if the fact may be passed over.\n"
    "A blocked read model of own facts is healed by rebuild.",
    "unpark": "examples:\n  unpark --service tasks --handler tasks.directory --stream user-…\n"
    '  unpark --service tasks --handler tasks.directory --stream user-… --skip --reason "duplicate of …"',
    "rebuild": "Safe to interrupt and to repeat: the live read model serves until the new one has caught up.\n"
    "examples:\n  rebuild --service tasks --readmodel task_board",
    "replay": "Consumers drop what they have seen, so asking for too much costs time only.\n"
    "examples:\n  replay --service identity --queue tasks.directory\n"
    "  replay --service identity --queue tasks.directory --from 100 --to 200\n"
    "  replay --service identity --queue tasks.directory --stream user-…",
}


class Trouble(Exception):
    """The work could not be done; the sentence says why and what would help."""


class Refused(Exception):
    """The request makes no sense as it stands."""


class Operator:
    """One run of one verb: opens services as needed, prints the outcome as a table or as JSON."""

    def __init__(self, options: argparse.Namespace, opened: ExitStack) -> None:
        self._options = options
        self._opened = opened
        self._platforms: dict[str, Platform] = {}

    def status(self) -> int:
        """Health of every service, and the broker's strays."""
        reports = [health.report(self._open(name)) for name in self._chosen()]
        strays = self._strays()
        self._print({"services": reports, "broker": strays}, lambda: self._status(reports, strays))
        return 0

    def verify_log(self) -> int:
        """See `operator_verify`."""
        findings = []
        for name in self._chosen():
            with self._progress(name) as tell:
                findings.append(verify(self._open(name), lambda at, head, tell=tell: tell(f"{at} of {head}")))  # type: ignore[misc]
        self._print([found.to_wire() for found in findings], lambda: self._verified(findings))
        return FAULT if any(found.faults for found in findings) else 0

    def parked(self) -> int:
        """See `operator_parked`."""
        rows = [row for name in self._chosen() for row in operator_parked.parked(self._open(name))]
        strays = self._strays()
        self._print({"waiting": rows, "broker": strays}, lambda: self._parked(rows, strays))
        return 0

    def unpark(self) -> int:
        """Free one stream, and record who did it and why."""
        wanted = self._options
        if wanted.skip and not (wanted.reason or "").strip():
            raise Refused("to skip a fact is to lose its effect: say why with --reason")
        platform = self._open(self._service())
        try:
            outcome = operator_parked.unpark(platform, wanted.handler, wanted.stream, skip=wanted.skip)
        except operator_parked.NothingThere as nothing:
            raise Refused(str(nothing)) from nothing
        self._record(platform, "skip" if wanted.skip else "unpark", outcome)
        self._print(outcome, lambda: self._pairs(outcome))
        return FAULT if outcome["blocked_again"] else 0

    def rebuild(self) -> int:
        """Build one read model anew."""
        platform, name = self._open(self._service()), self._options.readmodel
        own = {model.name: model for model in platform.definition.read_models}
        foreign = {model.name: model for model in platform.definition.foreign_models}
        if name not in own | foreign:
            raise Refused(f"no read model {name}; there are: {', '.join(sorted(own | foreign))}")
        platform.ensure_indexes()
        began = time.monotonic()
        with self._progress(name) as tell:
            if name in own:
                outcome = operator_rebuild.rebuild_own(platform, own[name], tell)
            else:
                with channel(platform.settings) as asking:
                    try:
                        outcome = operator_rebuild.rebuild_foreign(platform, foreign[name], self._open, asking, tell)
                    except operator_rebuild.Stuck as stuck:
                        raise Trouble(f"{stuck} The live read model is untouched.") from stuck
        outcome = {"readmodel": name, **outcome, "seconds": round(time.monotonic() - began, 1)}
        self._record(platform, "rebuild", outcome)
        self._print(outcome, lambda: self._pairs(outcome))
        return FAULT if outcome["blocked"] else 0

    def replay(self) -> int:
        """Ask a service's relay to send history to one queue."""
        wanted = self._options
        if wanted.stream and (wanted.start != 1 or wanted.to is not None):
            raise Refused("a stream is replayed from its beginning: leave out --from and --to")
        platform = self._open(self._service())
        if depth(platform.settings, wanted.queue) is None:
            raise Refused(f"there is no queue {wanted.queue}; its consumer makes it at its first start")
        categories = tuple(wanted.category or self._categories(platform.definition.name, wanted.queue))
        request = replay_request(
            wanted.queue, categories=categories, stream=wanted.stream or "", start=wanted.start, to=wanted.to
        )
        with channel(platform.settings) as asking:
            listening = ask_relay(asking, platform.definition.name, request)
        outcome = {"relay": "listening" if listening else "away; it will answer when it is back"} | orjson.loads(
            request
        )
        self._record(platform, "replay", outcome)
        self._print(outcome, lambda: self._pairs(outcome))
        return 0

    def _service(self) -> str:
        (name,) = self._chosen()
        return name

    def _chosen(self) -> list[str]:
        known = all_services()
        if self._options.service is None:
            return known
        if self._options.service not in known:
            raise Refused(f"no service {self._options.service}; there are: {', '.join(known)}")
        return [self._options.service]

    def _open(self, service: str) -> Platform:
        if service not in self._platforms:
            platform = open_platform(definition_of(service), settings())
            self._opened.callback(platform.close)
            self._platforms[service] = platform
        return self._platforms[service]

    def _categories(self, source: str, queue: str) -> Sequence[str]:
        for name in all_services():
            for subscription in definition_of(name).subscriptions:
                if subscription.handler == queue and subscription.source == source:
                    return subscription.categories
        raise Refused(f"{queue} is no subscription to {source}: name what it wants with --category")

    def _strays(self) -> dict[str, int]:
        found = {name: depth(settings(), name) for name in (broker.DEAD, broker.UNROUTED)}
        return {name: waiting[0] if waiting else 0 for name, waiting in found.items()}

    def _record(self, platform: Platform, action: str, outcome: Mapping[str, Any]) -> None:
        platform.db["operator_actions"].insert_one(
            {
                "_id": new_id(),
                "at": datetime.now(UTC),
                "by": os.environ.get("CHECKOP_OPERATOR") or f"{getpass.getuser()}@{socket.gethostname()}",
                "action": action,
                "reason": getattr(self._options, "reason", None),
                "outcome": dict(outcome),
            }
        )

    def _print(self, outcome: Any, tables: Callable[[], None]) -> None:
        if self._options.json:
            sys.stdout.write(orjson.dumps(outcome, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
        else:
            tables()

    @contextmanager
    def _progress(self, what: str) -> Iterator[Callable[[str], None]]:
        """One line on stderr that is written over at a terminal, a line a second elsewhere."""
        live = sys.stderr.isatty()
        last = [0.0]

        def tell(how_far: str) -> None:
            if live or time.monotonic() - last[0] >= 1:
                last[0] = time.monotonic()
                sys.stderr.write(f"\r\x1b[K{what}: {how_far}" if live else f"{what}: {how_far}\n")
                sys.stderr.flush()

        yield tell
        if live:
            sys.stderr.write("\r\x1b[K")

    def _status(self, reports: list[dict[str, Any]], strays: Mapping[str, int]) -> None:
        rows = []
        for report in reports:
            name = report["service"]
            rows.append((name, "log", report["head"], "", "", ""))
            rows.append((name, "relay", *_followed(report["relay"]), ""))
            for model in report["read_models"]:
                rows.append((name, f"read model {model['generation']}", *_followed(model), _count(model, "blocked")))
            for model in report["foreign_models"]:
                rows.append((name, f"read model {model['generation']}", "", "", "", _count(model, "parked")))
            for reaction in report["reactions"]:
                rows.append((name, f"reaction {reaction['name']}", *_followed(reaction), ""))
            inbox = ", ".join(_count(report["inbox"], kind) for kind in ("parked", "blocked", "unreadable"))
            rows.append((name, "inbox", "", "", "", inbox))
            timers = ", ".join(_count(report["timers"], kind) for kind in ("waiting", "overdue"))
            rows.append((name, "timers", "", "", "", timers))
        rows += [("broker", queue, waiting, "", "", "") for queue, waiting in strays.items()]
        _table(("service", "what", "position", "lag", "seconds", "waits"), rows)

    def _verified(self, findings: Iterable[Any]) -> None:
        rows = [(f.service, f.commits, f.events, f.streams, f.erased, f.faults or "none") for f in findings]
        _table(("service", "commits", "facts", "streams", "with erased fields", "faults"), rows)
        for found in findings:
            for fault in found.listed:
                sys.stdout.write(f"{found.service}: {fault}\n")
            if found.faults > len(found.listed):
                sys.stdout.write(f"{found.service}: … and {found.faults - len(found.listed)} more\n")

    def _parked(self, rows: list[dict[str, Any]], strays: Mapping[str, int]) -> None:
        now = datetime.now(UTC)
        lines = [
            (
                row["service"],
                row["kind"],
                row["handler"],
                row["stream"],
                row["version"],
                row["waiting"],
                f"{(now - row['since']).total_seconds():.0f} s",
                row["reason"],
            )
            for row in rows
        ]
        if lines:
            _table(("service", "kind", "handler", "stream", "version", "waiting", "since", "reason"), lines)
        else:
            sys.stdout.write("Nothing waits in any inbox.\n")
        _table(("queue of the broker", "messages"), strays.items())

    @staticmethod
    def _pairs(outcome: Mapping[str, Any]) -> None:
        shown = {name: value for name, value in outcome.items() if value not in (None, [], "")}
        _table(("what", "outcome"), shown.items())


def _followed(at: Mapping[str, Any]) -> tuple[Any, ...]:
    return at["position"], at["lag"], at["lag_seconds"]


def _count(counts: Mapping[str, Any], kind: str) -> str:
    return f"{counts[kind]} {kind}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    lines = [list(map(str, columns)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for number, line in enumerate(lines):
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
        if number == 0:
            sys.stdout.write("  ".join("─" * width for width in widths) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.kernel.operator",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="the outcome as JSON on stdout")
    verbs = parser.add_subparsers(required=True, dest="verb", metavar="verb")

    def verb(name: str, action: Callable[[Operator], int], help: str, *, one: bool) -> argparse.ArgumentParser:
        made = verbs.add_parser(
            name,
            parents=[common],
            help=help,
            description=help,
            epilog=_EXAMPLES[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.add_argument(
            "--service", required=one, metavar="NAME", help="which service" if one else "only this service"
        )
        made.set_defaults(action=action)
        return made

    verb("status", Operator.status, "how far everyone has followed, and whether something waits", one=False)
    verb("verify-log", Operator.verify_log, "prove that no fact is missing, doubled or unreadable", one=False)
    verb("parked", Operator.parked, "list what stands still, and why", one=False)
    free = verb("unpark", Operator.unpark, "let one stream of one handler go on", one=True)
    free.add_argument("--handler", required=True, help="as `parked` names it")
    free.add_argument("--stream", required=True, help="as `parked` names it")
    free.add_argument("--skip", action="store_true", help="pass over the fact that stopped it; demands --reason")
    free.add_argument("--reason", help="why; kept in operator_actions with your name")
    anew = verb("rebuild", Operator.rebuild, "build one read model anew while the present one serves", one=True)
    anew.add_argument("--readmodel", required=True, metavar="NAME", help="as `status` names it, without @n")
    again = verb("replay", Operator.replay, "send history of a service to one queue again", one=True)
    again.add_argument("--queue", required=True, help="whose consumer lacks something")
    again.add_argument("--from", dest="start", type=_positive, default=1, metavar="N", help="first position")
    again.add_argument("--to", type=_positive, metavar="N", help="last position; default: where the log ends")
    again.add_argument("--stream", help="only this stream, all of it")
    again.add_argument("--category", action="append", help="what the queue wants, if it is no known subscription")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("positions begin at 1")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one verb; answers the exit code."""
    options = _parser().parse_args(argv)
    logging.configure("operator", "WARNING", sys.stderr)
    heap.settle()
    try:
        with ExitStack() as opened:
            action: Callable[[Operator], int] = options.action
            return action(Operator(options, opened))
    except Refused as refused:
        return _complain(str(refused), USAGE)
    except ValidationError as lacking:
        names = ", ".join(str(error["loc"][0]) for error in lacking.errors(include_input=False))
        return _complain(f"the environment lacks {names}; start the platform with `make run` first", USAGE)
    except Trouble as trouble:
        return _complain(str(trouble), FAULT)
    except (PyMongoError, pika.exceptions.AMQPError, OSError) as away:
        return _complain(f"an engine does not answer: {away!r}", FAULT)
    except KeyboardInterrupt:
        return _complain("interrupted; what was live is still live", FAULT)


def _complain(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
