"""What the lender knows, and what customers object to, in the small world: rows for tests that ask for everything."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from hub.store import tables
from hub.store.database import Write
from tests.hub.view.world import KNOWN, World

_OF_FACTS = text("""
    INSERT INTO dispute (customer_id, dispute_id, kind, about, source_key, state, statement, raised_at, raised_by, due_on)
    SELECT customer_id, md5('d' || fact_id)::uuid, kind, fact_id, source_key, 'OPEN', 'x', :at, 'partner-app', :due FROM fact WHERE customer_id = :customer
""")

_LOAN = {"kind": "LOAN", "name_zh": "电商贷", "name_en": "For sellers", "scenario": "S03", "limit": ["1000", "500000"], "terms": [9, 12]}
_LOAN |= {"rate": ["3.70", "8.00"], "repayment": ["EQUAL_PRINCIPAL"], "guarantee": ["UNSECURED"], "purposes": ["OPERATING"]}
_GROUPS = [{"overlays": ["NEW_CITIZEN"], "industries": ["F52"]}, {"clusters": ["QUALITY_TRADE"], "customer_types": ["OTHER"]}]
PRODUCTS: dict[str, Any] = {
    "products": {
        "S03": {**_LOAN, "eligible": _GROUPS},
        "PAYROLL": {"kind": "SERVICE", "name_zh": "代发", "name_en": "Payroll", "eligible": [{"product_classes": ["TRADITIONAL"]}]},
    },
    "peer_products": {"X": {**_LOAN, "peer": "River Bank", "seen_on": "2026-01-05", "eligible": []}},
}


def _id(number: int) -> UUID:
    return UUID(int=(0x0190 << 112) | (0x7 << 76) | (0x8 << 60) | number)


async def lend(tx: Write, world: World) -> None:
    """Two documents, one of them with two versions; two edges; what the evaluation was made by; what is objected to in it."""
    days = {"effective_from": date(2025, 1, 1), "sha256": "aa" * 32, "source": "board", "loaded_by": "admin"}
    names = [("lender", 1, "a bank"), ("lender", 2, "another"), ("crops", 1, {})]
    versions = [{**days, "name": name, "version": number, "document": said} for name, number, said in names]
    rows = [{**one, "loaded_at": KNOWN - timedelta(days=3 - n), "effective_to": None} for n, one in enumerate(versions)]
    await tx.execute(insert(tables.reference_version), rows)
    await tx.execute(insert(tables.reference_version), [{**rows[0], "name": name, "document": said} for name, said in PRODUCTS.items()])
    of = {"customer_id": world.mine, "evaluation_id": world.evaluation}
    kept = {"document": {"reference": {"lender": [1, "aa" * 32]}}, "code_version": "1.0", "engine_sha256": "e", "result_sha256": "r"}
    await tx.execute(insert(tables.evaluation_inputs), {**of, **kept})
    ends = [("91330203MA2DEMKX15", Decimal("0.3"), KNOWN + timedelta(days=9)), ("91999900MA9XXXX34X", None, None)]
    edges = [_edge(world, number, *end) for number, end in enumerate(ends)]
    await tx.execute(insert(tables.customer_relation), edges)
    await tx.execute(insert(tables.relation), [{name: said for name, said in one.items() if name != "customer_id"} for one in edges])
    about = [("Evaluation", None, "OPEN"), ("Evaluation", "ss_gmv_mean", "KEPT")]
    await tx.execute(insert(tables.dispute), [_dispute(world, number, *one) for number, one in enumerate(about)])


def _edge(world: World, number: int, other: str, weight: Decimal | None, known_to: Any) -> dict[str, Any]:
    ends = {"from_uscc": "92330203MA2DEMKX0M", "to_uscc": other, "type": "SHAREHOLDING", "weight": weight, "evidence": "register"}
    since = {"valid_from": date(2024, 1, 1), "valid_to": date(2027, 1, 1), "known_from": KNOWN - timedelta(days=5), "known_to": known_to}
    return {"customer_id": world.mine, "edge_id": _id(700 + number), **ends, **since, "source": "register", "loaded_by": "admin"}


def _dispute(world: World, number: int, kind: str, feature: str | None, state: str) -> dict[str, Any]:
    answered = None if state == "OPEN" else KNOWN
    told = {
        "kind": kind,
        "about": world.evaluation,
        "feature_id": feature,
        "state": state,
        "statement": b"x",
        "source_key": None,
        "note": None,
    }
    when = {"raised_at": KNOWN - timedelta(days=number + 1), "raised_by": "partner-app", "due_on": date(2026, 2, 9)}
    done = {"resolved_at": answered, "resolved_by": answered and "admin"}
    return {"customer_id": world.mine, "dispute_id": _id(720 + number), **told, **when, **done}


async def object_to_facts(tx: Write, world: World) -> None:
    """To every one."""
    await tx.execute(_OF_FACTS, {"customer": world.mine, "at": KNOWN, "due": date(2026, 2, 9)})
