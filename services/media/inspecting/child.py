"""The process that looks at files: bounded in memory and time, without secrets, and expendable.

It is told nothing but open files and the type that was said, and answers in a few lines. What goes wrong in it is a
finding about the file.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
from typing import Any

from services.media.inspecting.findings import FORMS, LARGEST_MESSAGE, Refused, Workplace
from services.media.inspecting.looking import look

MEMORY = 3 * 1024**3
"""Addresses, most of which are never memory: the libraries alone take a third."""
CPU_SECONDS = 120
_LARGEST_FILE = 3 * 1024**3


def main() -> int:
    """Look at one file after the other until the other side hangs up."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=os.dup(0)) as line:
        while True:
            message, places, _, _ = socket.recv_fds(line, LARGEST_MESSAGE, 1 + FORMS)
            if not message:
                return 0
            _allow_time()
            line.sendall(json.dumps(_answer(json.loads(message), places)).encode())


def _allow_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


def _answer(asked: dict[str, Any], places: list[int]) -> dict[str, Any]:
    source, *forms = (os.fdopen(place, "r+b") for place in places)
    try:
        found = look(source, str(asked["type"]), Workplace(list(forms)))
        return {"found": found.model_dump(mode="json")}
    except Refused as refused:
        return {"refused": refused.code}
    except Exception as why:  # a decoder that stumbles says that the file cannot be read
        # Only its kind is told: its words may hold some of the file's.
        return {"refused": "unreadable", "why": type(why).__name__}
    finally:
        for file in (source, *forms):
            file.close()


if __name__ == "__main__":
    sys.exit(main())
