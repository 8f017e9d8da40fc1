"""A client's life after its registration: what it may do changes, its keys follow one another, it ends and comes back (ADR 38).

Each step locks the client's row, so that two administrators do not undo each other, and tells what was and what is, for the audit. What a step says holds from the
next request on: every request looks at the row.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, select, update

from hub.access.audit import audited
from hub.access.audit.chain import Secrets
from hub.access.clients import NewClient, check_client, columns_of, described, thumbprint
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.tables import client

CLOCKS_DIFFER = 5
"""Seconds by which the hosts' clocks may differ: a token that another host made just before its client's tokens were ended must not pass for a later one."""


@dataclass(frozen=True, slots=True)
class Change:
    """None leaves a value as it is."""

    name: str | None = None
    audience: str | None = None
    scopes: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    return_urls: tuple[str, ...] | None = None
    bearer: bool | None = None
    documents: str | None = None
    cost_per_minute: int | None = None
    listed_from: date | None = None
    listed_to: date | None = None
    listed_in: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What was and what is: of all that changed, and of nothing else."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


async def update_client(tx: Write, client_id: str, change: Change, audiences: Mapping[str, frozenset[str]]) -> Changed:
    """Raises NotFound, and InvalidInput for what no client may be, or may become: whom it was given to see it goes on seeing."""
    was = _known(await _locked(tx, client_id))
    given = {one.name: value for one in fields(change) if (value := getattr(change, one.name)) is not None}
    now = replace(was, **given)
    if now.audience == "PARTNER" != was.audience:
        raise InvalidInput(
            "A client of the institution's own cannot become a partner.", remedy="Register another client, and disable this one."
        )
    check_client(now, audiences)
    return await _written(tx, was, now)


async def add_key(tx: Write, client_id: str, jwk: Any) -> Changed:
    """From now on both keys count. Raises NotFound, and InvalidInput for a key that cannot be used or is one too many."""
    was = _known(await _locked(tx, client_id))
    now = replace(was, jwks={"keys": [*was.jwks["keys"], jwk]})
    # The audience, and what it allows, is not this step's to judge.
    check_client(now, {was.audience: frozenset(was.scopes)})
    return await _written(tx, was, now)


async def retire_key(tx: Write, client_id: str, retired: str) -> Changed:
    """The key of this thumbprint counts no more. Raises NotFound, and InvalidInput for the only one."""
    was = _known(await _locked(tx, client_id))
    left = [one for one in was.jwks["keys"] if thumbprint(one) != retired]
    if len(left) == len(was.jwks["keys"]):
        raise NotFound("The client has no key of this thumbprint.", remedy="`hub clients list`, or the query `clients`, shows its keys.")
    if not left:
        raise InvalidInput("This is the client's only key.", remedy="Add the one that follows it first, or disable the client.")
    return await _written(tx, was, replace(was, jwks={"keys": left}))


async def disable_client(tx: Write, client_id: str) -> Changed:
    """From its next request on the client is refused. Its tokens end with it: they do not come back when it does. Raises NotFound."""
    row = await _locked(tx, client_id)
    if row.disabled_at is not None:
        return Changed({}, {})
    since = _from_now()
    await _set(tx, client_id, disabled_at=datetime.now(UTC), tokens_from=since)
    return Changed({"disabled": False}, {"disabled": True, "tokens_from": since})


async def enable_client(tx: Write, client_id: str) -> Changed:
    """It may ask for tokens again. Raises NotFound."""
    row = await _locked(tx, client_id)
    if row.disabled_at is None:
        return Changed({}, {})
    await _set(tx, client_id, disabled_at=None)
    return Changed({"disabled": True}, {"disabled": False})


async def end_tokens(tx: Write, client_id: str) -> Changed:
    """Every token that it holds is refused from the next request on; it may ask for new ones at once. Raises NotFound."""
    row = await _locked(tx, client_id)
    since = _from_now()
    await _set(tx, client_id, tokens_from=since)
    return Changed({"tokens_from": row.tokens_from}, {"tokens_from": since})


async def told(tx: Write, secrets: Secrets, actor: str, step: str, client_id: str, changed: Changed, reason: str = "") -> None:
    """Into the audit, as the last thing of a transaction. What changed nothing is nothing to tell."""
    if not changed.before and not changed.after:
        return
    after = {**changed.after, **({"reason": reason} if reason else {})}
    await audited(tx, secrets, actor=actor, action=f"client.{step}", subject=f"client:{client_id}", before=changed.before, after=after)


def _from_now() -> datetime:
    return datetime.fromtimestamp(math.floor(time.time()) + 1 + CLOCKS_DIFFER, UTC)


async def _locked(tx: Write, client_id: str) -> Row[Any]:
    row = (await tx.execute(select(client).where(client.c.client_id == client_id).with_for_update())).first()
    if row is None:
        raise NotFound("There is no such client.", remedy="`hub clients list`, or the query `clients`, shows them.")
    return row


def _known(row: Row[Any]) -> NewClient:
    """All of it: what is left out here would be written anew as its default."""
    may = (row.audience, tuple(row.scopes), tuple(row.purposes), row.jwks, tuple(row.return_urls), row.bearer)
    return NewClient(row.client_id, row.name, *may, row.documents, row.cost_per_minute, row.listed_from, row.listed_to, row.listed_in)


async def _written(tx: Write, was: NewClient, now: NewClient) -> Changed:
    await _set(tx, was.client_id, **columns_of(now))
    before, after = described(was), described(now)
    changed = [name for name in before if before[name] != after[name]]
    return Changed({name: before[name] for name in changed}, {name: after[name] for name in changed})


async def _set(tx: Write, client_id: str, **values: Any) -> None:
    await tx.execute(update(client).where(client.c.client_id == client_id).values(**values))
