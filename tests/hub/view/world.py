"""A small world in the store, written row by row: two customers, a shop and a tax connection, one evaluation with its evidence.

All names, numbers and identifiers are invented. ``KNOWN`` is the business instant at which everything was fetched.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.access.audit import AccessLog, ChainKeys
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.store import tables
from hub.store.database import Database, Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.view import CATALOGUE, Reader, ViewSettings
from hub.store.view.reader import Log
from schema.access import AUDIENCES
from tests.hub.view.fitting import MATCHES

KNOWN = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
GRANTEE = "试验银行"
RISK = Caller("risk-desk", "INTERNAL", AUDIENCES["INTERNAL"], "CREDIT_APPROVAL")
PARTNER = Caller("partner-app", "PARTNER", AUDIENCES["PARTNER"], "CREDIT_APPROVAL")


def _id(number: int) -> uuid.UUID:
    """Ids that sort like their numbers."""
    return uuid.UUID(int=(0x0190 << 112) | (0x7 << 76) | (0x8 << 60) | number)


@dataclass
class World:
    """Ids of what was written."""

    mine: uuid.UUID = field(default_factory=lambda: _id(1))
    theirs: uuid.UUID = field(default_factory=lambda: _id(2))
    shop: uuid.UUID = field(default_factory=lambda: _id(11))
    tax: uuid.UUID = field(default_factory=lambda: _id(12))
    shop_consent: uuid.UUID = field(default_factory=lambda: _id(21))
    tax_consent: uuid.UUID = field(default_factory=lambda: _id(22))
    page: uuid.UUID = field(default_factory=lambda: _id(31))
    run: uuid.UUID = field(default_factory=lambda: _id(41))
    evaluation: uuid.UUID = field(default_factory=lambda: _id(51))

    @property
    def id(self) -> str:
        return str(self.mine)


def reader(database: Database, now: datetime = KNOWN, log: Log | None = None) -> Reader:
    return Reader(
        database,
        CATALOGUE,
        ViewSettings(GRANTEE, {"SHOP": 3}, {"market": {"in_flight": 8, "per_minute": 100}}),
        Clock.frozen(now),
        log or AccessLog(database, ChainKeys(b"k" * 32)),
    )


async def build(database: Database) -> World:
    world = World()
    async with database.work() as tx:
        for customer_id, client, name in ((world.mine, "risk-desk", "青*"), (world.theirs, "another", "白*")):
            await _customer(tx, customer_id, client, name)
        await tx.execute(insert(tables.customer_client), {"customer_id": world.mine, "client_id": "partner-app"})
        await _links(tx, world)
        await _facts(tx, world)
        await _evaluation(tx, world)
    return world


async def _customer(tx: Write, customer_id: uuid.UUID, client: str, name: str) -> None:
    row = {"customer_id": customer_id, "kind": "ORG", "name_masked": name, "uscc": None, "subject_hash": str(customer_id)}
    await tx.execute(insert(tables.customer), {**row, "created_at": KNOWN})
    await tx.execute(insert(tables.customer_client), {"customer_id": customer_id, "client_id": client})


def consent_row(world: World, consent_id: uuid.UUID, source: str, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": world.mine,
        "consent_id": consent_id,
        "source": source,
        "connector": "market" if source == "SHOP" else "bureau_of_tax",
        "grantee": GRANTEE,
        "purpose": "CREDIT_APPROVAL",
        "scenarios": ["S03"],
        "data_from": date(2024, 1, 1),
        "data_to": date(2027, 1, 31),
        "status": "ACTIVE",
        "starts_at": KNOWN,
        "expires_at": datetime(2027, 1, 31, tzinfo=UTC),
        "data_life_days": 400,
        "written": True,
        "adverse_notice": True,
        "text_version": "2026-01-01",
        "text_hash": "ab" * 32,
        "evidence": {},
        "changed_at": KNOWN,
        "apps": [PARTNER.client_id, "another"],
        **more,
    }


async def _links(tx: Write, world: World) -> None:
    rows = [consent_row(world, world.shop_consent, "SHOP"), consent_row(world, world.tax_consent, "TAX")]
    await tx.execute(insert(tables.consent), rows)
    for connection_id, name in ((world.shop, "market"), (world.tax, "bureau_of_tax")):
        row = {"customer_id": world.mine, "connection_id": connection_id, "connector": name, "status": "ACTIVE", "last_verdict": "COMPLETE"}
        await tx.execute(insert(tables.connection), {**row, "created_at": KNOWN})
    run = {"customer_id": world.mine, "run_id": world.run, "connection_id": world.shop, "epoch": 1, "started_at": KNOWN}
    await tx.execute(insert(tables.sync_run), {**run, "verdict": "COMPLETE", "fetched": 5, "stored": 5})
    page = {"customer_id": world.mine, "page_id": world.page, "connection_id": world.shop, "consent_id": world.shop_consent}
    request = {"method": "GET", "path": "/router/rest", "query": {"page_no": "1"}, "body_sha256": None}
    await tx.execute(
        insert(tables.raw_page),
        {
            **page,
            "run_id": world.run,
            "stream": "orders",
            "first_day": date(2025, 12, 1),
            "request": request,
            "status": 200,
            "fetched_at": KNOWN,
            "sha256": "cd" * 32,
            "size": 1234,
            "body": b"x",
        },
    )
    window = {"customer_id": world.mine, "connection_id": world.shop, "stream": "orders", "source": "SHOP", "kinds": ["Order"]}
    for first, last in ((date(2025, 1, 1), date(2025, 12, 31)), (date(2026, 1, 1), date(2026, 1, 19))):
        covered = f"{{[{first},{last}]}}"
        row = {**window, "first_day": first, "last_day": last, "state": "DONE", "run_id": world.run, "completed_at": KNOWN}
        await tx.exec_driver_sql(
            "insert into sync_window (customer_id, connection_id, stream, source, kinds, first_day, last_day, state, run_id,"
            " completed_at, covered) values (%(customer_id)s, %(connection_id)s, %(stream)s, %(source)s, %(kinds)s, %(first_day)s,"
            " %(last_day)s, %(state)s, %(run_id)s, %(completed_at)s, %(covered)s::datemultirange)",
            {**row, "covered": covered},
        )


def fact_row(world: World, number: int, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": world.mine,
        "fact_id": _id(1000 + number),
        "source_key": f"k{number}",
        "version": 1,
        "supersedes": None,
        "known_from": KNOWN - timedelta(days=1),
        "known_to": None,
        "connection_id": world.shop,
        "consent_id": world.shop_consent,
        "page_id": world.page,
        "position": number,
        "content_hash": b"\x01",
        **more,
    }


def order_row(world: World, number: int, day: date, amount: str, **more: Any) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    own = {
        "platform": "market",
        "order_number": f"N{number}",
        "status": "COMPLETED",
        "created_at": at,
        "paid_at": at,
        "goods_amount": Decimal(amount),
        "discount": Decimal(0),
        "paid_amount": Decimal(amount),
        "buyer_hash": f"h{number}",
        "buyer_masked": f"b{number}***",
        "receiver_city": "330100",
    }
    return {**fact_row(world, number), "occurred_on": day, **own, **more}


async def _facts(tx: Write, world: World) -> None:
    """Five live orders and one superseded version; one tax return; a balance sheet is not consented and must never show."""
    orders = [order_row(world, n, date(2025, 12, n), f"{n}0.50") for n in range(1, 6)]
    orders[4]["version"], orders[4]["supersedes"], orders[4]["known_from"] = 2, _id(1006), KNOWN - timedelta(hours=1)
    old = order_row(world, 6, date(2025, 12, 5), "99.00", known_to=KNOWN - timedelta(hours=1), source_key="k5")
    await tx.execute(insert(FACT_TABLES["Order"]), [*orders, old])
    vat = {
        "tax_kind": "VAT",
        "period_start": date(2025, 10, 1),
        "period_end": date(2025, 12, 31),
        "filed_on": date(2026, 1, 10),
        "due_on": date(2026, 1, 15),
        "declared_revenue": Decimal("351250.00"),
        "amendment": 0,
    }
    columns = FACT_TABLES["TaxReturn"].columns.keys()
    row = {**fact_row(world, 20, connection_id=world.tax, consent_id=world.tax_consent), "occurred_on": date(2025, 12, 31), **vat}
    await tx.execute(insert(FACT_TABLES["TaxReturn"]), {key: value for key, value in row.items() if key in columns})
    sheet = {"kind": "BS", "period_start": date(2025, 1, 1), "period_end": date(2025, 12, 31), "basis": "TAX_FILED"}
    lines = {"total_assets": "2.00", "cash": "1.00"}
    await tx.execute(
        insert(FACT_TABLES["FinancialStatement"]),
        {**fact_row(world, 30), "occurred_on": date(2025, 12, 31), **sheet, "lines": lines},
    )


async def _evaluation(tx: Write, world: World) -> None:
    policy = {"policy_id": "S03", "version": "2026-01-01", "sha256": "ef" * 32, "effective_from": date(2026, 1, 1)}
    await tx.execute(insert(tables.policy), {**policy, "document": {}, "published_at": KNOWN})
    await tx.execute(
        insert(tables.evaluation),
        {
            "customer_id": world.mine,
            "evaluation_id": world.evaluation,
            "scenario": "S03",
            "policy_id": "S03",
            "policy_version": "2026-01-01",
            "policy_sha256": "ef" * 32,
            "as_of": date(2026, 1, 20),
            "known_at": KNOWN,
            "request_purpose": "OPERATING",
            "outcome": "ENHANCED",
            "tier": "HIGH",
            "consistency": Decimal("0.9"),
            "final_limit": Decimal("223000"),
            "score": 679,
            "document": {},
            "inputs_digest": "00" * 32,
            "lacking": [{"name": "ss_tax_paid", "reason": "NOT_CONNECTED", "part": "E08"}],
            "created_at": KNOWN,
        },
    )
    mine = {"customer_id": world.mine, "evaluation_id": world.evaluation}
    found: dict[str, Any] = {
        "customer_type": "INDIVIDUAL_BUSINESS",
        "overlays": ["NEW_CITIZEN"],
        "size_class": "MICRO",
        "product_class": "LIGHT_ASSET",
    }
    found |= {"clusters": ["QUALITY_TRADE"], "clusters_undecided": ["TECH_INNOVATION", "SPECIALIZED"], "products": MATCHES}
    place = {"industry_section": "F", "industry_code": "F5292", "region": "宁波市"}
    why = {"verifiedRevenue": "INSUFFICIENT_COVERAGE"}
    await tx.execute(insert(tables.evaluation_profile), {**mine, **found, **place, "missing": why})
    feature = {"unit": "YUAN", "formula_version": "1", "formula": "mean", "window_first": "2025-12", "window_last": "2025-12"}
    values = [
        {"feature_id": "ss_gmv_mean", "number": Decimal("1428869.204000"), "missing_reason": None},
        {"feature_id": "rr_none", "number": None, "missing_reason": "NOT_CONNECTED"},
    ]
    await tx.execute(insert(tables.feature_value), [{**mine, **feature, "text": None, "covered_months": 1, **value} for value in values])
    evidence = {"kind": "Order", "source": "SHOP", "first_day": date(2025, 12, 2), "last_day": date(2025, 12, 31), "facts": 4}
    await tx.execute(insert(tables.feature_evidence), {**mine, "feature_id": "ss_gmv_mean", "ordinal": 0, **evidence, "digest": "11" * 32})
    part = {"part": "LEG", "code": "AVERAGE", "amount": Decimal("195940"), "binding": True, "feature_ids": ["ss_gmv_mean"]}
    await tx.execute(insert(tables.limit_part), {**mine, **part})
    await _lending(tx, world)
    reason = {"text_en": "t", "text_zh": "文", "cure_en": "c", "cure_zh": "治"}
    rows = [
        {**mine, "ordinal": n, "code": code, "customer_visible": seen, **reason}
        for n, (code, seen) in enumerate([("C06", True), ("XL4", False)])
    ]
    await tx.execute(insert(tables.reason_text), rows)


async def _lending(tx: Write, world: World) -> None:
    """A running loan, a warning about it, what one model says, a hint."""
    of = {"customer_id": world.mine, "evaluation_id": world.evaluation}
    days = {"status_on": date(2026, 1, 19), "granted_on": date(2025, 6, 1), "matures_on": date(2026, 5, 31)}
    owed = {"granted": Decimal(100_000), "balance": Decimal(50_000), "due": Decimal(0), "days_past_due": 0}
    told = {"recorded_by": "partner-app", "known_from": KNOWN}
    loan = {"status_id": _id(61), "number": "L-1", "scenario": "S03", "state": "ACTIVE", **days, **owed, **told}
    await tx.execute(insert(tables.loan_status), {**of, **loan})
    outputs = [
        {"place": 0, "name": "pattern", "unit": "ENUM", "number": None, "text": "STABLE", "missing": None},
        {"place": 1, "name": "anomaly", "unit": "TIMES", "number": "1.234567", "text": None, "missing": None},
        {"place": 2, "name": "buyerRecency", "unit": "DAYS", "number": None, "text": None, "missing": "NOT_APPLICABLE"},
    ]
    model = {"slot": "BEHAVIOUR_ANALYSIS", "kind": "DEFAULT", "model_id": "hub.behaviour_analysis", "version": "1", "outputs": outputs}
    await tx.execute(insert(tables.model_result), {**of, **model})
    hint = {"ordinal": 0, "kind": "CROSS_SELL", "code": "PAYROLL", "why_en": "w", "why_zh": "文", "feature_ids": ["ss_gmv_mean"]}
    await tx.execute(insert(tables.evaluation_hint), {**of, **hint})
    seen = [{"name": "latest_sales_ratio", "value": "0.6", "missing": None, "features": []}]
    words = {"text_en": "t", "text_zh": "文", "condition": "latest_sales_ratio < 0.70", "cause": "11" * 32, "evidence": seen}
    raised = {"scenario": "S03", "use_purpose": "CREDIT_APPROVAL", "trigger_id": "T1", "part": 1, "points": 15, "severity": "MEDIUM"}
    at = {"since": date(2026, 1, 20), "known_at": KNOWN}
    await tx.execute(insert(tables.monitoring_signal), {**of, "signal_id": _id(71), **raised, **words, **at})
