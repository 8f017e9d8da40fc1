"""The control: a hub that stores a key after its effect is committed, in a transaction of its own. Run as ``python -m tests.hub.app.once.late serve``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import func, insert, select

import hub.app.calling as calling
from hub.store.database import Database, Write
from hub.store.idempotency import Answer, OnceKey
from hub.store.tables import idempotency_key

_commits: dict[int, tuple[OnceKey, Answer]] = {}


async def once(tx: Write, key: OnceKey, effect: Callable[[], Awaitable[Answer]]) -> Answer:
    mine = (idempotency_key.c.client_id == key.client_id, idempotency_key.c.key == key.key)
    kept = (await tx.execute(select(idempotency_key.c.response).where(*mine))).scalar()
    if kept is not None:
        return dict(kept)
    answer = await effect()
    _commits[id(tx)] = (key, answer)
    return answer


def late(begin: Callable[..., object]) -> Callable[..., object]:
    """A transaction behind which the key is stored."""

    @asynccontextmanager
    async def begun(self: Database, *given: object):
        async with begin(self, *given) as tx:  # type: ignore[attr-defined]
            yield tx
        if (kept := _commits.pop(id(tx), None)) is not None:
            key, answer = kept
            row = {"client_id": key.client_id, "key": key.key, "request_sha256": key.request_sha256, "response": dict(answer)}
            async with self.worker.begin() as after:
                await after.execute(insert(idempotency_key).values({**row, "created_at": func.now()}))

    return begun


def spoil(put: Callable[[object, str, object], None]) -> None:
    put(calling, "once", once)
    for name in ("write", "work"):
        put(Database, name, late(getattr(Database, name)))


if __name__ == "__main__":
    from hub.cli import main

    spoil(setattr)
    main()
