"""Whether a token's client is there and its proof is fresh: one statement for all requests that ask at the same time, committed before any of them goes on.

Each request by itself would pay for its own transaction and its own flush of the disk. What waits while two statements are under way goes with the next one.
A proof counts once, whoever shows it: by the store's primary key between statements and processes, and within a statement because no two requests of it show the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.access.keys import SERVER
from hub.domain.caller import Standing
from hub.store.database import STORE_ERRORS, Database
from hub.store.line import Row, Statement

MOST = 200
"""Requests of one statement."""
AT_ONCE = 2
"""Statements under way: while one waits for the disk, the next one is worked on."""
_ADMIT = """
with asked as materialized (
  select * from rows from (
    json_to_recordset(%(asked)s::json) as (client text, token text, thumbprint text, proof text, expires_at timestamptz)
  ) with ordinality a(client, token, thumbprint, proof, expires_at, place)
), fresh as (
  insert into used_token_id (kind, issuer, jti, expires_at) select 'DPOP', thumbprint, proof, expires_at from asked where thumbprint is not null
  on conflict do nothing returning issuer, jti
)
select to_json(c)::text, exists (select 1 from fresh f where f.issuer = a.thumbprint and f.jti = a.proof)::text,
  exists (select 1 from used_token_id u where u.kind = 'REVOKED' and u.issuer = c.client_id and u.jti = a.token)::text
from asked a left join client c on c.client_id = a.client and c.disabled_at is null order by a.place
"""

Asked = Mapping[str, Any]
"""client, token, thumbprint, proof, expires_at: the last three are None where there is no proof."""
Waiting = tuple[Asked, "asyncio.Future[Standing]"]


def by_proof(asked: Asked) -> tuple[str, str]:
    """In one order everywhere: two processes that are shown the same proofs wait for each other, and never both for both."""
    return asked["thumbprint"] or "", asked["proof"] or ""


def admitting(group: Sequence[Asked]) -> Statement:
    """What admits a group, no two of which show the same proof: a row each, in its order, for :func:`standing`."""
    return _ADMIT, {"asked": orjson.dumps(group).decode()}


def standing(row: Row) -> Standing:
    client, fresh, revoked = row
    return Standing(client, fresh == b"true", revoked == b"true")


class Admissions:
    """One per process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._waiting: list[Waiting] = []
        self._working: list[asyncio.Task[None]] = []

    async def of(self, asked: Asked) -> Standing:
        done: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, done))
        self._working = [one for one in self._working if not one.done()]
        if len(self._working) < AT_ONCE:
            self._working.append(asyncio.create_task(self._work()))
        return await done

    async def _work(self) -> None:
        try:
            while self._waiting:
                group = self._taken()
                try:
                    await self._admit(group)
                finally:
                    # Whatever happened: nobody is left waiting, and nobody is let in by it.
                    for _, done in group:
                        done.cancel()
        finally:
            for _, done in self._waiting:
                done.cancel()
            self._waiting.clear()

    def _taken(self) -> list[Waiting]:
        """Those who wait, no two of them with the same proof: the second one finds it used."""
        taken, left, seen = list[Waiting](), list[Waiting](), set[tuple[str, str]]()
        for one in self._waiting:
            proof = (one[0]["thumbprint"], one[0]["proof"])
            twin = proof[0] is not None and proof in seen
            (left if twin or len(taken) >= MOST else taken).append(one)
            seen.add(proof)
        self._waiting = left
        return sorted(taken, key=lambda one: by_proof(one[0]))

    async def _admit(self, group: Sequence[Waiting]) -> None:
        try:
            rows = await self.database.do(SERVER, *admitting([asked for asked, _ in group]))
        except STORE_ERRORS as error:
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), row in zip(group, rows, strict=True):
            if not done.done():
                done.set_result(standing(row))
