"""What a client's operations may cost in one minute, over all processes together (ADR 40).

The ledger in PostgreSQL says how much of a client's minute was taken. A process takes a share ahead and spends it by itself, so that most operations ask nobody; what
is taken is never more than the budget, so what is spent is not. A minute is the database's, and what is left of a share at its end is lost.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.domain.caller import Caller
from hub.errors import BudgetSpent
from hub.store.database import Database

BUDGETS: Mapping[str, int] = {"PARTNER": 200_000, "INTERNAL": 100_000_000, "ADMIN": 500_000}
"""Of an audience, where the client has none of its own: an app that shows one customer at a time, systems that read in bulk, people at desks."""
SHARES = 20
"""How many shares of a budget there are: each is one round trip, and what a process may lose at a minute's end."""
_CLIENTS = 10_000

_TAKE = """
with old as (delete from cost_ledger where client_id = %(client)s::text and minute < date_trunc('minute', now()) - interval '10 minutes'),
taken as (
  insert into cost_ledger as l (client_id, minute, taken)
  select %(client)s::text, date_trunc('minute', now()), %(wanted)s::bigint where %(wanted)s::bigint <= %(budget)s::bigint
  on conflict (client_id, minute) do update set taken = l.taken + excluded.taken where l.taken + excluded.taken <= %(budget)s::bigint
  returning 1
)
select exists (select 1 from taken) as granted, extract(epoch from date_trunc('minute', now()) + interval '1 minute' - now())::float8 as left
"""


@dataclass(slots=True)
class _Share:
    """What a process holds of a client's minute, until ``until`` of this process's clock."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    held: int = 0
    until: float = 0.0
    budget: int = 0


class Meter:
    """One per process."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database, self.clock = database, clock
        self._shares: OrderedDict[str, _Share] = OrderedDict()

    async def charge(self, caller: Caller, cost: int) -> None:
        """Spends ``cost`` of the caller's minute. Raises BudgetSpent when there is not as much left."""
        share, budget = self._share(caller.client_id), caller.cost_per_minute or BUDGETS[caller.audience]
        if share.held >= cost and share.budget == budget and self.clock() < share.until and not share.lock.locked():
            # As nearly always: nobody else comes between.
            share.held -= cost
            return
        async with share.lock:
            # Another budget takes effect with the next request, whatever is still held.
            if self.clock() >= share.until or share.budget != budget:
                share.held, share.budget = 0, budget
            if share.held < cost:
                await self._take(share, caller.client_id, cost)
            share.held -= cost

    def _share(self, client_id: str) -> _Share:
        found = self._shares.setdefault(client_id, _Share())
        self._shares.move_to_end(client_id)
        while len(self._shares) > _CLIENTS:
            self._shares.popitem(last=False)
        return found

    async def _take(self, share: _Share, client_id: str, cost: int) -> None:
        """A share, or what is needed where there is no whole one left."""
        missing, left = cost - share.held, 60.0
        for wanted in sorted({max(missing, share.budget // SHARES), missing}, reverse=True):
            asked_at = self.clock()
            granted, left = await self.database.look(_TAKE, {"client": client_id, "wanted": wanted, "budget": share.budget})
            if granted:
                share.held, share.until = share.held + wanted, asked_at + left
                return
        raise BudgetSpent(seconds=max(1, math.ceil(left)))
