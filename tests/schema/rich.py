"""The small world with many rows: more than a page of everything that comes in pages, more than usual of everything that does not."""

from __future__ import annotations

from sqlalchemy import text

from hub.store.database import Write
from hub.store.metadata import metadata
from tests.hub.view.world import World

MANY = 130
_NEW = "md5('{table}' || {t}.customer_id || g)::uuid"


async def fill(tx: Write, world: World) -> None:
    """Rows of the same kind as the world's own, under ids of their own."""
    mine = f"x.customer_id = '{world.mine}'"
    await _copies(tx, "customer", MANY, mine, customer_id=_new("customer"), subject_hash="'s' || g")
    await tx.execute(
        text("insert into customer_client (customer_id, client_id) select customer_id, 'risk-desk' from customer on conflict do nothing")
    )
    await _copies(tx, "party", 20, mine, party_id=_new("party"))
    await _copies(
        tx,
        "fact_order",
        MANY,
        f"{mine} and x.source_key = 'k1'",
        fact_id=_new("fact_order"),
        source_key="'m' || g",
        order_number="'M' || g",
    )
    await _copies(tx, "evaluation", MANY, mine, evaluation_id=_new("evaluation"))
    await _copies(tx, "sync_run", MANY, f"{mine} and x.epoch = 2", run_id=_new("sync_run"), epoch="100 + g")
    await _copies(tx, "access_log", MANY, mine, log_id=_new("access_log"), client_id="'c' || g")
    await _copies(tx, "consent", 90, f"{mine} and x.source = 'TAX'", consent_id=_new("consent"), status="'REVOKED'")
    await _copies(tx, "consent_event", 40, mine, event_id=_new("consent_event"))
    await _copies(tx, "feature_value", 150, f"{mine} and x.feature_id = 'rr_none'", feature_id="'f' || g")
    await _copies(
        tx, "series_month", 60, f"{mine} and x.month = '2025-07'", month="(2000 + g / 12)::text || '-' || lpad((g % 12 + 1)::text, 2, '0')"
    )
    await _copies(tx, "loan_status", MANY, mine, status_id=_new("loan_status"), number="'L' || g")
    await _copies(tx, "evaluation_hint", MANY, mine, ordinal="g")
    await _copies(tx, "model_result", 60, mine, slot="'S' || g")
    await _copies(tx, "monitoring_signal", MANY, mine, signal_id=_new("monitoring_signal"), part="1 + g")
    await _copies(tx, "sync_event", 40, mine, event_id=_new("sync_event"))
    await _copies(tx, "sync_window", 60, f"{mine} and x.state <> 'DONE'", stream="x.stream || x.first_day || g")
    await _copies(tx, "identity_event", MANY, mine, event_id=_new("identity_event"))
    await _copies(tx, "quota_ledger", 40, "x.connector = 'market'", connector="'p' || g", credential="'p' || g")
    await _copies(tx, "record_shape", 40, "x.connector = 'market'", path="'p' || g")


def _new(table: str) -> str:
    """An id made of the copied row's and the copy's number."""
    key = list(metadata.tables[table].primary_key)[-1].name
    return f"md5('{table}' || x.{key} || g)::uuid"


async def _copies(tx: Write, table: str, number: int, where: str, /, **changed: str) -> None:
    names = [column.name for column in metadata.tables[table].columns if column.computed is None]
    values = ", ".join(changed.get(name, f"x.{name}") for name in names)
    copied = (
        f"insert into {table} ({', '.join(names)}) select {values} from {table} x cross join generate_series(1, {number}) g where {where}"
    )
    await tx.execute(text(copied))
