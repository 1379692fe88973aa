"""How identity reads facts that come by way of the broker: for the history, any fact of any service will do."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming


class AnyFact(Incoming):
    """A fact whose fields are kept as they came; the history shows them and decides nothing by them."""


EVERYTHING: Mapping[str, type[Incoming]] = {"*": AnyFact}
