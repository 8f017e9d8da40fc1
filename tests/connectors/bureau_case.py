"""What the tests of cn_credit_bureau share: the noodle shop at a bureau of its own."""

from __future__ import annotations

from datetime import date
from typing import Any

from connectors import cn_credit_bureau
from connectors.cn_credit_bureau import requests
from connectors.cn_credit_bureau.requests import Place
from connectors.cn_credit_bureau.sandbox import Bureau, platform
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect import (
    Page,
    Response,
    Window,
)
from tests.contract.drive import Drive

ACCOUNTS, REPAYMENTS_STREAM, INQUIRIES = cn_credit_bureau.connector.streams
START = date(2022, 1, 1)
RANGE = Window("accounts", START, date(2026, 1, 20))


class Case:
    """The noodle shop at a bureau of its own, linked."""

    def __init__(self, persona: Persona, **options: Any) -> None:
        self.world = World((persona,))
        self.bureau = Bureau(self.world, delay=0, **options)
        self.platform = platform(self.bureau, self.world)
        self.drive = Drive(cn_credit_bureau.connector, self.platform, persona, data_from=START)

    async def ask(self, at: Place, section: str = "accounts") -> Response:
        request = requests.request(self.drive.context, section, RANGE, at)
        return await self.drive.send(requests.sign(self.drive.context, request))

    async def page(self, at: Place) -> Page:
        return ACCOUNTS.read(self.drive.context, RANGE, at.cursor(), await self.ask(at))
