"""The requests: whatever a partner may ask of its own and of the other's customers, over and over, many of them cancelled."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson

from bench.isolation.settings import CANCELLED, LATEST, TWICE, Asked
from bench.isolation.world import Customer, Partner, World
from bench.kit.show import Show
from hub.domain.identifiers import new_id
from hub.errors import LeaseLost, NotFound, TooSlow, TwinRunning
from hub.store.database import STORE_ERRORS
from schema import services as contract
from schema.contract import HubSchema, build_schema

_OF = "id behaviourSessions(first: 20) { nodes { sessionNumber } } consents { id } connections { id }"
LIST = f"query {{ customers(first: 20) {{ nodes {{ {_OF} }} }} }}"
ONE = f"query ($id: ID!) {{ customer(id: $id) {{ {_OF} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { ... on PlatformConnection { id } } }"
DAY = datetime(2026, 1, 5, tzinfo=UTC)
ENDED_IN_TIME = ("57014", "55P03")
"""What PostgreSQL says of a statement or a wait for a lock that took too long: on a machine that is busy with something else."""
Request = Callable[[Partner, Partner], Awaitable[None]]


@cache
def _schema() -> HubSchema:
    return build_schema()


class Attack:
    """``seen`` counts what came of the requests: answered, cancelled, refused; ``foreign`` the rows of somebody else in the answers."""

    def __init__(self, asked: Asked, world: World) -> None:
        self.asked, self.world = asked, world
        self.dice = random.Random(asked.seed)  # noqa: S311
        self.seen: Counter[str] = Counter()
        self.foreign = 0
        self._whose = {str(one.customer_id): partner.caller.client_id for partner in world.partners for one in partner.customers}
        self._reads: dict[str, Any] = {}
        self._requests: list[Request] = [self.list, self.list, self.mine, self.theirs, self.their_node, self.record, self.record_theirs]

    async def run(self, show: Show) -> None:
        """So many requests, by so many clients at once, of both partners in turn."""
        numbers = iter(range(self.asked.requests))
        clients = [self._client(number % 2, numbers, show) for number in range(self.asked.clients)]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client)

    async def _client(self, side: int, numbers: Iterator[int], show: Show) -> None:
        me, other = self.world.partners[side], self.world.partners[1 - side]
        for number in numbers:
            request = self.dice.choice(self._requests)
            await self._one(request(me, other))
            if number % 50 == 0:
                show.at("requests", number, self.asked.requests, f"{self.seen['cancelled']} cancelled")

    async def _one(self, request: Awaitable[None]) -> None:
        task, gone = asyncio.ensure_future(request), self.dice.random() < CANCELLED
        if gone:
            await asyncio.wait([task], timeout=self.dice.random() * LATEST)
            task.cancel()
            if self.dice.random() < TWICE:
                await asyncio.sleep(self.dice.random() * 0.002)
                task.cancel()
        try:
            await task
            self.seen["answered"] += 1
        except asyncio.CancelledError:
            self.seen["cancelled"] += 1
        except NotFound:
            self.seen["refused"] += 1
        except (TooSlow, TwinRunning):
            self.seen["too slow"] += 1
        except LeaseLost as error:
            # Never where the guards stand: without them a transaction sees the windows of whoever came before.
            self.seen[f"failed: {type(error).__name__}"] += 1
        except STORE_ERRORS as error:
            state = getattr(getattr(error, "orig", None), "sqlstate", None)
            said = str(getattr(error, "orig", None) or error).partition("\n")[0][:80]
            # Whoever has gone away twice is told by its own connection that it was closed: that fails nobody.
            how = "cancelled" if gone and state is None else f"failed: {type(error).__name__} {state}: {said}"
            self.seen["too slow" if state in ENDED_IN_TIME else how] += 1

    @property
    def failed(self) -> int:
        return sum(count for what, count in self.seen.items() if what.startswith("failed"))

    @property
    def words(self) -> str:
        """How they failed."""
        return "".join(f" ({what.removeprefix('failed: ')})" for what in sorted(self.seen) if what.startswith("failed"))

    def _any(self, partner: Partner) -> Customer:
        return self.dice.choice(partner.customers)

    async def _read(self, me: Partner, query: str, **variables: Any) -> Any:
        plan = self._reads.get(query)
        if plan is None:
            document = _schema().documents.of(query, introspecting=False)
            assert document.errors == []
            plan = self._reads[query] = _schema().documents.plan(document, None, variables)
        assert plan.read is not None
        answer = await self.world.reader.read(me.caller, plan.read, plan.values(_schema().core, variables))
        found = orjson.loads(answer)
        self._judge(me, found)
        return found

    def _judge(self, me: Partner, found: Any) -> None:
        """Every id and session number of an answer, wherever it stands, is of one's own."""
        if isinstance(found, dict):
            number, name = found.get("sessionNumber"), me.caller.client_id
            self.foreign += number is not None and not number.startswith(f"{name}-")
            self.foreign += self._whose.get(found.get("id", ""), name) != name
            found = list(found.values())
        for one in found if isinstance(found, list) else ():
            self._judge(me, one)

    async def list(self, me: Partner, other: Partner) -> None:
        found = (await self._read(me, LIST))["customers"]["nodes"]
        self.seen["lists that lack a customer"] += len(found) != len(me.customers)

    async def mine(self, me: Partner, other: Partner) -> None:
        customer = self._any(me)
        found = (await self._read(me, ONE, id=str(customer.customer_id)))["customer"]
        numbers = [one["sessionNumber"] for one in found["behaviourSessions"]["nodes"]] if found else [""]
        self.foreign += any(number and not number.startswith(f"{customer.name}-") for number in numbers)

    async def theirs(self, me: Partner, other: Partner) -> None:
        self.foreign += (await self._read(me, ONE, id=str(self._any(other).customer_id)))["customer"] is not None

    async def their_node(self, me: Partner, other: Partner) -> None:
        one = self._any(other)
        found = await self._read(me, NODE, id=f"PlatformConnection:{one.customer_id}:{one.connection_id}")
        self.foreign += found["node"] is not None

    async def record(self, me: Partner, other: Partner) -> None:
        await self._recorded(me, self._any(me))

    async def record_theirs(self, me: Partner, other: Partner) -> None:
        """Refused as not found; were it written, the other partner would see it by its name."""
        await self._recorded(me, self._any(other), f"{me.caller.client_id}-intruded")
        self.foreign += 1

    async def _recorded(self, me: Partner, customer: Customer, name: str | None = None) -> None:
        session = contract.Session(
            f"{name or customer.name}-{self.dice.randrange(30)}", DAY, "device", "宁波市", self.dice.randrange(60), Decimal("0.1")
        )
        call = contract.Call(me.caller, str(new_id()), "digest")
        asked = contract.RecordBehaviourSessions(str(customer.customer_id), (session,), DAY.date(), DAY.date())
        await self.world.services.record_behaviour_sessions(call, asked)
