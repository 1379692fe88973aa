"""How often a process looks for reference cycles: seldom, because it makes many documents and hardly a cycle."""

from __future__ import annotations

import gc


def settle() -> None:
    """Leave what was imported alone, and look only after so many new objects that it does not show.

    With the stock threshold of 700 a fifth of the time of reading a log goes into the search for cycles
    among documents that are dropped a moment later by their reference counts.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
