"""The shop's nameko class."""

from __future__ import annotations

from services.shop.wiring import define

from services.kernel.service import ServiceBase


class Shop(ServiceBase):
    name = "shop"
    definition = define()
