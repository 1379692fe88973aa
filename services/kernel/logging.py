"""One JSON line per event of a process, always with the ids that tie it to a request; never a payload."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog


def configure(process: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Make every logger of this process, the libraries' included, write structured JSON lines (to stdout)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _named(process),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A refusal is an answer, not an error: the service says it in one line; nameko would add a stack trace.
    logging.getLogger("nameko.containers").addFilter(lambda line: not str(line.msg).startswith("(expected)"))
    for chatty in ("pika", "amqp", "kombu", "pymongo", "urllib3", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _named(process: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        line["process"] = process
        return line

    return add


def get(name: str) -> Any:
    """A logger for one module."""
    return structlog.get_logger(name)


def tie(**ids: Any) -> None:
    """Tie every further line of this thread or task to these ids."""
    structlog.contextvars.bind_contextvars(**ids)


@contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Tie every line inside to these ids.

    A new greenthread starts with an empty context (structlog issue 406), so every entry point binds
    its own ids instead of relying on inheritance.
    """
    tokens = structlog.contextvars.bind_contextvars(**{k: v for k, v in ids.items() if v is not None})
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**tokens)
