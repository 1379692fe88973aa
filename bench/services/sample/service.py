"""The sample's nameko class."""

from __future__ import annotations

from services.sample.wiring import define

from services.kernel.service import ServiceBase


class Sample(ServiceBase):
    """Commands only."""

    name = "sample"
    definition = define()
