"""Two invented taxpayers and a driver for them: a workshop (general payer, monthly, everything connected) and a shop (small-scale, quarterly)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from connectors.cn_tax import connector
from connectors.cn_tax.sandbox import build
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect import Context, Page, Request, Response, Stream, Subject, Window
from tests.contract.drive import Drive

MAKER, SHOP, CLIENT, STEEL = "91330299MA7TE5T01L", "92330299MA7TE5T03P", "91330299MA7TE5T02P", "91330299MA7TE5T04X"
BOSS, CLERK = "339999198001010019", "339999199002020029"
WINDOW = Window("returns", date(2025, 1, 1), date(2025, 12, 31))
PLACE = {"city": "宁波市", "lat": 29.8, "lon": 121.5}


def _persona(**parts: Any) -> dict[str, Any]:
    return {
        "format": "persona/1",
        "title": "invented",
        "scenario": "S01",
        "as_of": "2026-01-20",
        "known_at": "2026-01-20T10:00:00+08:00",
        "reference": {"lender": "样例银行"},
        "people": {
            "boss": {"name": "王一", "resident_id": BOSS, "residence_city": "宁波市", "hukou_city": "宁波市", "hukou_since": "1980-01-01"},
            "clerk": {
                "name": "李二",
                "resident_id": CLERK,
                "residence_city": "宁波市",
                "hukou_city": "宁波市",
                "hukou_since": "1990-02-02",
            },
        },
        **parts,
    }


def _business(uscc: str, industry: str) -> dict[str, Any]:
    return {
        "uscc": uscc,
        "name": "测试金属制品厂",
        "industry": industry,
        "status": "ACTIVE",
        "established_on": "2020-01-01",
        "responsible": "boss",
        "registered_to": "boss",
        "registered_at": PLACE,
    }


BALANCE = {
    "total_assets": "1000.00",
    "total_liabilities": "400.00",
    "equity": "600.00",
    "fixed_assets": "300.00",
    "cash": "100.00",
    "acceptance_deposits": "10.00",
    "receivables": "200.00",
    "inventory": "150.00",
    "prepayments": "20.00",
    "payables": "180.00",
    "advances_received": "5.00",
}
PROFIT = {"revenue": "5000.00", "cost": "4000.00", "net_profit": "300.00", "owner_withdrawals": "50.00"}


def maker(**changes: Any) -> Persona:
    """The workshop. TAX from July 2024 with March 2025 missing, statements, invoices of 2025."""
    tax = {
        "holder": "boss",
        "taxpayer_type": "GENERAL",
        "frequency": "MONTH",
        "vat_returns": [{"first": "2025-01", "declared": [f"{n * 1000}.00" for n in range(1, 13)], "filed_day": 14}],
        "amendments": [{"period": "2025-05", "declared": "5500.00", "filed_on": "2025-09-03"}],
        "missed": ["2025-08"],
        "payments": [
            {"kind": "VAT", "first": "2025-02", "amounts": ["30.00", "31.00", "0.00", "33.00"], "day": 31},
            {"kind": "CIT", "first": "2025-01", "step": 3, "amounts": ["90.00", "90.00", "90.00", "90.00"], "day": 14},
        ],
        "ratings": [
            {"year": 2023, "grade": "B", "published_on": "2024-04-24"},
            {"year": 2024, "grade": "A", "published_on": "2025-04-25"},
            {"year": 2025, "grade": "A", "published_on": "2026-04-25"},
        ],
        "withholding": {"first": "2025-11", "headcount": [4, 5, 6], "wages": ["400.00", "500.00", "600.00"]},
        "personal_income": [{"person": "boss", "first": "2025-11", "amounts": ["150.00", "160.00"], "payer": MAKER}],
        "arrears": [
            {"amount": "70.00", "since": "2025-10-15", "open": True},
            {"amount": "80.00", "since": "2024-06-15", "open": False, "cleared_on": "2025-02-01"},
        ],
    }
    financials = {
        "balance_sheets": [{"on": "2024-12-31", "lines": BALANCE}, {"on": "2025-12-31", "lines": BALANCE}],
        "profit_and_loss": [{"year": 2025, "lines": PROFIT}],
    }
    parts = {
        "id": "maker",
        "business": _business(MAKER, "C3311"),
        "sources": {
            "TAX": {"from": "2024-07", "gaps": ["2025-03"]},
            "FINANCIALS": {"from": "2024-01"},
            "INVOICE": {"from": "2025-01", "until": "2025-12-31"},
        },
        "tax": tax,
        "financials": financials,
        "invoices": INVOICES,
    }
    return Persona.model_validate(_persona(**{**parts, **changes}))


INVOICES = {
    "parties": {"c1": {"name": "买方", "uscc": CLIENT}, "s1": {"name": "钢贸", "uscc": STEEL}},
    "output": [
        {
            "first": "2025-05",
            "net": ["1000.00", "0.00", "100.01"],
            "tax_rate": "0.13",
            "split": [{"party": "c1", "share": "0.333", "days": [5, 31]}, {"party": "s1", "share": "0.667"}],
        }
    ],
    "input": [{"first": "2025-05", "net": ["200.00"], "tax_rate": "0.03", "split": [{"party": "s1", "share": "1", "invoices": 3}]}],
    "red": [
        {"on": "2025-06-02", "party": "c1", "net": "166.50", "tax_rate": "0.13", "reason": "02", "original_month": "2025-05"},
        {"on": "2025-07-20", "party": "s1", "net": "1.00", "tax_rate": "0.13", "reason": "04", "original_month": "2025-05"},
    ],
    "void": [{"on": "2025-06-03", "party": "c1", "net": "60.00", "tax_rate": "0.13"}],
}


def shop(**changes: Any) -> Persona:
    """The shop: quarterly returns, filed through 2025Q3; the operator's tax affairs are in the clerk's name."""
    tax = {
        "holder": "clerk",
        "taxpayer_type": "SMALL_SCALE",
        "frequency": "QUARTER",
        "vat_returns": [
            {
                "first": "2024Q4",
                "declared": ["100.00", "200.00", "300.00", "400.00", "500.00"],
                "exempt": ["100.00", "0.00", "120.00", "400.00", "0.00"],
                "filed_day": 12,
            }
        ],
        "payments": [
            {"kind": "VAT", "first": "2025-04", "step": 3, "amounts": ["2.00", "3.00", "4.00"], "day": 13},
            {"kind": "IIT_BUSINESS", "first": "2025-04", "step": 3, "amounts": ["1.00", "1.00", "1.00"], "day": 13},
        ],
        "withholding": {"first": "2025-09", "headcount": [0], "wages": ["0.00"]},
    }
    sources = {"TAX": {"from": "2025-01", "until": "2025-11-30"}}
    parts = {"id": "shop", "business": _business(SHOP, "F5292"), "sources": sources, "tax": tax}
    return Persona.model_validate(_persona(**{**parts, **changes}))


def drive(*personas: Persona, switches: tuple[str, ...] = (), **options: Any) -> Drive:
    """A driver for the first persona, on a gateway that serves all of them."""
    world = World(personas, switches={"cn_tax": set(switches)})
    return Drive(connector, build(world), personas[0], **options)


def stream(name: str) -> Stream:
    return next(one for one in connector.streams if one.name == name)


async def ask(it: Drive, request: Request) -> Response:
    return await it.send(connector.sign(it.context, request))


async def step(it: Drive, name: str, cursor: Any = None) -> Page:
    """One request of a stream, from a cursor."""
    one = stream(name)
    return one.read(it.context, WINDOW, cursor, await ask(it, one.request(it.context, WINDOW, cursor)))


async def to_package(it: Drive, name: str) -> Any:
    """The cursor at the first page of an item's package."""
    cursor: Any = None
    while cursor is None or cursor["step"] != "check":
        cursor = (await step(it, name, cursor)).next
        assert cursor is not None
    return cursor


def envelope(**data: Any) -> Response:
    """An answer of the gateway that holds ``data``."""
    return Response(200, {}, json.dumps({"code": "00000", "message": "success", "request_id": "r", "data": data}).encode())


def item_entry(result: str | None, state: str = "30", **more: Any) -> dict[str, Any]:
    """What a collection says of its item SBXX."""
    return {"SJX_DM": "SBXX", "CJZT_DM": state, "JGDM": result, "ZJLS": None, "ZY": None, **more}


NOW = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
CONTEXT = Context(
    config={one.name: one.default or "" for one in connector.manifest.settings},
    subject=Subject(MAKER, None, "测试"),
    sources=frozenset(connector.manifest.sources),
    data_from=date(2024, 1, 1),
    data_to=date(2026, 1, 20),
    now=NOW,
    today=date(2026, 1, 20),
)
