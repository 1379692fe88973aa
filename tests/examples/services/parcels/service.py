"""The nameko class of the sample service that publishes."""

from __future__ import annotations

from services.kernel.service import ServiceBase
from tests.examples.kernel import parcels


class ParcelsService(ServiceBase):
    name = "parcels"
    definition = parcels()
