"""What the tests of alipay share: the noodle shop's world, linked, and questions to the gateway."""

from __future__ import annotations

from datetime import date

from connectors import alipay
from connectors.alipay import requests
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform
from hub.connect import Request, Response
from tests.contract.drive import Drive

ACCOUNTS, LOG = alipay.connector.streams
START = date(2025, 7, 20)


async def linked(where: Platform, persona: Persona) -> Drive:
    drive = Drive(alipay.connector, where, persona, data_from=START)
    await drive.link()
    return drive


async def ask(drive: Drive, request: Request) -> Response:
    return await drive.send(alipay.connector.sign(drive.context, request))


def log_question(**content: str) -> Request:
    asked = {"start_time": "2025-12-01 00:00:00", "end_time": "2026-01-01 00:00:00", **content}
    return requests.call(requests.ACCOUNT_LOG, {name: value for name, value in asked.items() if value != "-"})
