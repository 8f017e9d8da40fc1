"""A scripted platform that pushes, in the family of Standard Webhooks, to the endpoint of a real store."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette

from hub.connect import Connector, Delivery, Grant, Hint, Interval, Receipt, Setting, Webhook
from hub.connect import signatures as families
from hub.domain.identifiers import CustomerId
from hub.events.endpoint import Webhooks
from hub.sync.hints import Meant, name_account
from tests.hub.sync.platform import NAME, Refunds, connector
from tests.hub.sync.world import World

SECRET = "whsec_" + base64.b64encode(b"the key of the scripted platform").decode()
ACCOUNT = "shop-7"
PATH = f"/webhooks/{NAME}"


def verify(config: Mapping[str, str], delivery: Delivery) -> Hint:
    event_id = families.standard([config["push_secret"]], delivery)
    event = json.loads(delivery.body)
    days = Interval(date.fromisoformat(event["first"]), date.fromisoformat(event["last"])) if "first" in event else None
    return Hint(event_id, event.get("account", ""), event.get("kind", "CHANGED"), tuple(event.get("streams", ())), days)


def pushing(*streams: Refunds, secret: str = SECRET, **more: Any) -> Connector:
    """The scripted platform's connector, with a webhook."""
    plain = connector(*(streams or (Refunds(window_count=5, look_back_days=0),)))
    settings = (*plain.manifest.settings, Setting("push_secret", "", secret=True, default=secret))
    webhook = Webhook(verify, needs=("push_secret",), receipt=Receipt(200, b'{"code":0}', "application/json"), **more)
    return replace(plain, manifest=replace(plain.manifest, settings=settings), webhook=webhook)


@dataclass(frozen=True)
class Letter:
    """A push as a platform sends it."""

    headers: dict[str, str]
    body: bytes

    def with_headers(self, **headers: str) -> Letter:
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})


_numbers = itertools.count(1)


def letter(event: Mapping[str, Any] | None = None, *, event_id: str | None = None, age: float = 0.0, secret: str = SECRET) -> Letter:
    """A genuine one, unless the secret is another."""
    event_id, at = event_id or f"evt_{next(_numbers)}", str(int((datetime.now(UTC) - timedelta(seconds=age)).timestamp()))
    body = json.dumps({"account": ACCOUNT, **(event or {})}).encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.digest(key, b".".join((event_id.encode(), at.encode(), body)), "sha256")
    signature = f"v1,{base64.b64encode(made).decode()}"
    return Letter({"webhook-id": event_id, "webhook-timestamp": at, "webhook-signature": signature}, body)


@dataclass
class Scene:
    """The endpoint over a world, and who was nudged."""

    world: World
    endpoint: Webhooks
    client: httpx.AsyncClient
    nudged: list[UUID] = field(default_factory=list)

    @staticmethod
    def of(world: World, connector: Connector) -> Scene:
        nudged: list[UUID] = []

        async def nudge(customer_id: CustomerId, connection_id: UUID) -> None:
            nudged.append(connection_id)

        endpoint = Webhooks(world.with_connector(connector).equipment, nudge)
        transport = httpx.ASGITransport(app=Starlette(routes=endpoint.routes()), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://hub")
        return Scene(world.with_connector(connector), endpoint, client, nudged)

    async def push(self, sent: Letter, path: str = PATH) -> int:
        return (await self.client.post(path, content=sent.body, headers=sent.headers)).status_code

    async def link(self, account: str = ACCOUNT, mine: Meant | None = None) -> None:
        """Notes what the platform calls the connection, as a new grant does."""
        mine = mine or Meant(self.world.customer_id, self.world.connection_id)
        async with self.world.database.work() as tx:
            equipment = self.world.equipment
            await name_account(tx, equipment.blind, mine, equipment.connectors[NAME], Grant("access", account=account))

    async def due(self) -> bool:
        """Whether the connection is due by now, and nobody's."""
        found = await self.world.rows(
            "SELECT due_at <= clock_timestamp() AND coalesce(lease_until, '-infinity') < clock_timestamp() AS due FROM connection"
            " WHERE connection_id = :connection"
        )
        return bool(found[0]["due"])

    async def due_in(self) -> float | None:
        """Seconds until the connection is due."""
        found = await self.world.rows(
            "SELECT extract(epoch FROM due_at - clock_timestamp()) AS due_in FROM connection WHERE connection_id = :connection"
        )
        return None if found[0]["due_in"] is None else float(found[0]["due_in"])

    async def events(self) -> Sequence[Mapping[str, Any]]:
        """Those about this world's connection: tests share a database."""
        return await self.world.rows(
            "SELECT e.* FROM inbound_event e JOIN connection c ON c.account_hash = e.reference_hash WHERE c.connection_id = :connection"
            " ORDER BY e.received_at"
        )
