"""``POST /webhooks/{connector}``: where platforms push.

In this order: is there such a webhook (404), is there room for one more (503), no encoding (415), no more than :data:`LARGEST` bytes (413) in :data:`PATIENCE` seconds (408), the
connector's verifier over the raw bytes (401), the transaction (503 when the store is away), and only after its commit the receipt the platform expects. Whoever is refused
learns nothing but the status. What is wrong with a push that the platform did sign is the hub's to look at, not the sender's to repeat for ever: 400.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.connect import STUMBLES, Connector, Delivery, Fault, Hint, NotGenuine
from hub.connect.webhook import Webhook
from hub.domain.identifiers import CustomerId
from hub.events.inbound import Effect, receive
from hub.sync.context import Equipment

log = structlog.get_logger("hub.webhooks")

LARGEST = 256 * 1024
PATIENCE = 10.0
"""Seconds a sender has for its body."""
AT_ONCE = 32
"""Pushes that are received side by side by one process; the others are asked to come again, as all platforms do."""

Nudge = Callable[[CustomerId, UUID], Awaitable[None]]


class Refused(Exception):
    """An answer other than the receipt."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Webhooks:
    """The endpoint. ``now`` is real time; ``nudge`` wakes a worker."""

    def __init__(self, equipment: Equipment, nudge: Nudge, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.equipment, self.nudge, self.now = equipment, nudge, now
        self.inside = 0

    def routes(self) -> list[Route]:
        return [Route("/webhooks/{connector}", self.push, methods=["POST"])]

    async def push(self, request: Request) -> Response:
        name = request.path_params["connector"]
        try:
            connector, webhook = self._declared(name)
            effect = await self._received(connector, webhook, request)
        except Refused as refused:
            say = log.warning if refused.status in (400, 503) else log.info
            say("webhook_refused", connector=name if refused.status != 404 else None, status=refused.status, outcome=refused.reason)
            return _refusal(refused.status)
        log.info("webhook_received", connector=name, outcome="repeated" if effect.repeated else f"{len(effect.due)} of {effect.known} due")
        return Response(webhook.receipt.body, webhook.receipt.status, media_type=webhook.receipt.content_type)

    def _declared(self, name: str) -> tuple[Connector, Webhook]:
        connector = self.equipment.connectors.get(name) if name in self.equipment.configs else None
        webhook = connector.webhook if connector else None
        if connector is None or webhook is None or not webhook.is_on(self.equipment.config(name)):
            raise Refused(404, "there is no such webhook")
        return connector, webhook

    async def _received(self, connector: Connector, webhook: Webhook, request: Request) -> Effect:
        if self.inside >= AT_ONCE:
            raise Refused(503, "too many at once")
        self.inside += 1
        try:
            body = await _body(request)
            hint = self._verified(connector, webhook, Delivery(_headers(request), body, self.now()))
            return await self._kept(connector, webhook, hint, body)
        finally:
            self.inside -= 1

    def _verified(self, connector: Connector, webhook: Webhook, delivery: Delivery) -> Hint:
        try:
            hint = webhook.verify(self.equipment.config(connector.manifest.name), delivery)
        except NotGenuine as wrong:
            raise Refused(401, f"{type(wrong).__name__}: {wrong.reason}") from None
        except Fault as fault:
            # A key that cannot be read is the operator's to mend; the platform comes again.
            raise Refused(503, f"{type(fault).__name__}: {fault.reason}") from None
        except STUMBLES as error:
            raise Refused(400, f"reading it stumbled ({type(error).__name__})") from None
        if set(hint.streams) - {stream.name for stream in connector.streams}:
            raise Refused(400, "the hint names a stream that is not there")
        return hint

    async def _kept(self, connector: Connector, webhook: Webhook, hint: Hint, body: bytes) -> Effect:
        try:
            async with self.equipment.database.work() as tx:
                effect = await receive(self.equipment, tx, connector, webhook, hint, body)
        except SQLAlchemyError as error:
            raise Refused(503, f"the store is away or refuses ({type(error).__name__})") from None
        for meant in effect.due:
            await self.nudge(meant.customer_id, meant.connection_id)
        return effect


async def _body(request: Request) -> bytes:
    """The raw bytes. Raises Refused."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "the body is encoded")
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdecimal() or len(announced) > len(str(LARGEST)) or int(announced) > LARGEST:
        raise Refused(413, "the body is too large")
    try:
        async with asyncio.timeout(PATIENCE):
            return await _bounded(request)
    except TimeoutError:
        raise Refused(408, "the body did not come in time") from None
    except ClientDisconnect:
        raise Refused(400, "the sender went away") from None


async def _bounded(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > LARGEST:
            raise Refused(413, "the body is too large")
    return bytes(found)


def _headers(request: Request) -> Mapping[str, str]:
    """By lower-case name. One that came twice is left out: which of the two was meant would be a guess."""
    counted = Counter(name for name, _ in request.headers.raw)
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw if counted[name] == 1}


def _refusal(status: int) -> Response:
    return Response(status_code=status, headers={"Retry-After": "30"} if status == 503 else None)
