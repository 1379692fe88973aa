"""What made-up requests must know beyond the document, and what two workers must not do at once."""

from __future__ import annotations

import ast
import threading
from functools import wraps
from typing import Any

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

# CPython 3.11 counts the depth of all syntax trees in one number: two threads that parse at once end in a SystemError.
# Hypothesis parses the source of every lambda that it describes, in each worker.
_parse, _one_at_a_time = ast.parse, threading.RLock()


@wraps(_parse)
def _parsed(*args: Any, **kwargs: Any) -> Any:
    with _one_at_a_time:
        return _parse(*args, **kwargs)


ast.parse = _parsed
