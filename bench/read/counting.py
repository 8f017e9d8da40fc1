"""How many statements an operation is, counted by PostgreSQL: it writes each one that a client's role runs into its log while the reads are asked for."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg

from bench.kit.figures import Figure, exactly, told
from bench.read.client import Partner
from bench.read.load import Asking
from hub.store.embedded import Embedded

_RUN = re.compile(r"LOG:  (?:statement: |execute [^:]*: )(.*)")
_AROUND = ("BEGIN", "COMMIT", "ROLLBACK")


def kind_of(statement: str) -> str:
    """Reads, or what stands around them: who asks (``set_config``), whether he may (the client and his proof), what his minute may still cost, what the log of accesses
    needs, a transaction's begin and end. What is none of these is not known, and counts as a read too many."""
    words = statement.strip()
    if words.upper().startswith(_AROUND):
        return "around"
    if re.match(r"select\s+set_config", words, re.IGNORECASE):
        return "who asks"
    if words.startswith("select a.body"):
        return "reads"
    if "pg_advisory_xact_lock" in words or "access_log" in words:
        return "logs"
    if "cost_ledger" in words:
        return "meters"
    return "admits" if "used_token_id" in words else "not known"


async def counted(partner: Partner, asking: Asking, embedded: Embedded, log: Path, reads: int) -> list[Figure]:
    """``reads`` reads of different customers. ``log`` is PostgreSQL's."""
    await partner.introduce()
    async with await psycopg.AsyncConnection.connect(embedded.dsn("hub"), autocommit=True) as admin:
        await admin.execute("alter system set log_statement = 'all'")
        await admin.execute("select pg_reload_conf()")
        await asyncio.sleep(1)
        at = await asyncio.to_thread(lambda: log.stat().st_size)
        answered = await _read(partner, asking, reads)
        until = await asyncio.to_thread(lambda: log.stat().st_size)
        await admin.execute("alter system reset log_statement")
        await admin.execute("select pg_reload_conf()")
    found = Counter(kind_of(one) for one in statements(log, at, until))
    return [
        exactly("reads answered while PostgreSQL counts", reads, answered),
        exactly("statements that read the store, counted by PostgreSQL", reads, found["reads"] + found["not known"]),
        told("beside them", ", ".join(f"{name} {count:,}" for name, count in sorted(found.items()) if name != "reads")),
    ]


def statements(log: Path, at: int, until: int) -> Iterator[str]:
    """Those that were run between two places of the log."""
    with log.open("rb") as lines:
        lines.seek(at)
        # What a statement's later lines begin with.
        whole = lines.read(until - at).decode(errors="replace").replace("\n\t", " ")
    yield from (found[1] for found in map(_RUN.search, whole.splitlines()) if found)


async def _read(partner: Partner, asking: Asking, reads: int) -> int:
    ids, answered = asking.ids.read_text().split(), 0
    async with httpx.AsyncClient(trust_env=False, headers={"Accept": "application/json"}) as line:
        for number, proof in enumerate(partner.proofs(reads)):
            headers = {"Authorization": f"DPoP {partner.token}", "DPoP": proof}
            body = {"query": asking.document, "variables": {"id": ids[number * 37 % len(ids)]}}
            answered += (await line.post(asking.url, json=body, headers=headers)).json()["data"]["customer"] is not None
    return answered
