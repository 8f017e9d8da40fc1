"""Small changes of the project's own seller, each a persona the project has never seen: what the tests evaluate and what they check against the formats.

A variant is a function that changes a fresh copy of the persona's document in place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from connectors.sandbox.persona import Persona
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import load_policy
from tests.connectors.cn_persona import resident, uscc
from tests.hub.credit.dossiers import dossier_of

SELLER = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"
Document = dict[str, Any]
Change = Callable[[Document], None]

YEAR = [f"2025-{month:02d}" for month in range(1, 13)]
OTHER = {
    "name": "秦远山",
    "resident_id": resident("33999819900102004"),
    "residence_city": "宁波市",
    "hukou_city": "宁波市",
    "hukou_since": "1990-01-02",
}
SUPPLIER, CUSTOMER, EMPLOYER = uscc("91999900MA9XXXX55"), uscc("91999900MA9XXXX66"), uscc("91999900MA9XXXX77")


def seller() -> Document:
    return deepcopy(_seller())


@cache
def _seller() -> Document:
    document: Document = json.loads(SELLER.read_text("utf-8"))
    return document


def changed(*changes: Change) -> Document:
    document = seller()
    for change in changes:
        change(document)
    return document


def evaluated(document: Document) -> Evaluation:
    persona = Persona.model_validate(document)
    request = Request(persona.request.purpose, persona.request.amount) if persona.request else Request()
    return evaluate(dossier_of(persona), load_policy(persona.scenario), request)


def result(*changes: Change) -> dict[str, Any]:
    """The document of the changed seller's evaluation."""
    document = changed(*changes)
    return to_expected(evaluated(document), document["id"])


def without(*sources: str) -> Change:
    """The sources are not connected."""

    def change(document: Document) -> None:
        for name in sources:
            del document["sources"][name]

    return change


def source(name: str, **values: Any) -> Change:
    def change(document: Document) -> None:
        document["sources"].setdefault(name, {"from": "2024-01"}).update(values)

    return change


def declares(*quarters: int) -> Change:
    """Declared revenue of the quarters of 2025."""

    def change(document: Document) -> None:
        document["tax"]["vat_returns"] = [{"first": "2025Q1", "declared": [f"{amount}.00" for amount in quarters], "filed_day": 12}]

    return change


def receives(*payouts: int) -> Change:
    """Platform payouts of the months of 2025."""

    def change(document: Document) -> None:
        document["ledger"]["flows"][0]["amounts"] = [f"{amount}.00" for amount in payouts]

    return change


def shop(**values: Any) -> Change:
    return lambda document: document["shop"].update(values)


def ledger(**values: Any) -> Change:
    return lambda document: document["ledger"].update(values)


def business(**values: Any) -> Change:
    return lambda document: document["business"].update(values)


def asks(purpose: str, amount: str | None = None) -> Change:
    return lambda document: document.update(request={"purpose": purpose} | ({"amount": amount} if amount else {}))


def held_by_another(document: Document) -> None:
    document["people"]["other"] = OTHER
    document["ledger"]["accounts"][0]["holder"] = "other"


def pays(category: str, total: str) -> Change:
    """A yearly outflow of 2025 instead of the seller's."""

    def change(document: Document) -> None:
        flow = next(flow for flow in document["ledger"]["flows"] if flow["category"] == category)
        flow["total"] = total

    return change


def statuses(codes: str) -> Change:
    return lambda document: document["bureau"]["accounts"][0].update(statuses={"first": "2024-01", "codes": codes})


def has_fund(document: Document) -> None:
    """A housing-fund account of the owner with an employer, paid all 2025."""
    row = {"person": "owner", "employer": {"name": "前东家", "uscc": EMPLOYER}, "status": "NORMAL", "from": "2025-01", "to": "2025-12"}
    document["housing_fund"]["accounts"] = [{**row, "base": "6000.00", "employer_rate": "0.05", "employee_rate": "0.05"}]


def has_invoices(document: Document) -> None:
    """10,000 a month, 60 % to one related customer; a red invoice of 6,000 to it and a voided one of 4,000."""
    parties = {"big": {"name": "大客户", "uscc": CUSTOMER}, "small": {"name": "小客户", "uscc": SUPPLIER}}
    shares = [{"party": "big", "share": "0.6"}, {"party": "small", "share": "0.4"}]
    stream = {"first": "2025-01", "net": ["10000.00"] * 12, "tax_rate": "0.01", "split": shares}
    red = {"on": "2025-07-03", "party": "big", "net": "6000.00", "tax_rate": "0.01", "reason": "02", "original_month": "2025-06"}
    void = {"on": "2025-08-04", "party": "small", "net": "4000.00", "tax_rate": "0.01"}
    document["invoices"] = {"parties": parties, "output": [stream], "input": [], "red": [red], "void": [void]}
    document["relations"] = {"related": [{"party": "big", "type": "SHAREHOLDING", "share": "0.30"}]}
    document["sources"]["INVOICE"] = {"from": "2025-01"}


def company(document: Document) -> None:
    """A company that files monthly as a general taxpayer; its owner's loan is not its own."""
    document["business"]["uscc"] = uscc("91330203MA2DEMKX1")
    document["tax"].update(taxpayer_type="GENERAL", frequency="MONTH")
    document["tax"]["vat_returns"] = [{"first": "2024-01", "declared": ["100000.00"] * 12 + ["105000.00"] * 12, "filed_day": 12}]


def first_of_february(document: Document) -> None:
    """The same seller on 1 February, with a January like that of the year before."""
    document.update(as_of="2026-02-01", known_at="2026-02-01T10:00:00+08:00")
    document["shop"]["months"].append({"month": "2026-01", "orders": 1300, "unit_price": "80.00", "refunds": 78})
    document["ledger"]["flows"][0]["amounts"].append("96000.00")


def quiet_month(document: Document) -> None:
    """February 2025 without an order."""
    document["shop"]["months"][2].update(orders=0, refunds=0)


def amended(declared: str, on: str) -> Change:
    return lambda document: document["tax"].update(amendments=[{"period": "2025Q4", "declared": declared, "filed_on": on}])


def missed(*periods: str) -> Change:
    return lambda document: document["tax"].update(missed=list(periods))


def identity(verdict: str) -> Change:
    return lambda document: document["identity"]["checks"][0].update(result=verdict)


def has_statements(*years: int) -> Change:
    """Balance sheets at the ends of 2023, 2024 and 2025, profit and loss of some years."""
    lines = {
        "total_assets": "400000.00", "fixed_assets": "20000.00", "cash": "30000.00",
        "acceptance_deposits": "10000.00", "receivables": "65000.00", "inventory": "70000.00", "prepayments": "0.00",
        "payables": "35000.00", "advances_received": "0.00",
    }  # fmt: skip
    equity = {"2023": "100000.00", "2024": "130000.00", "2025": "175000.00"}
    result = {"revenue": "1300000.00", "cost": "700000.00", "net_profit": "60000.00", "owner_withdrawals": "20000.00"}

    def change(document: Document) -> None:
        sheets = [
            {"on": f"{year}-12-31", "lines": {**lines, "equity": value, "total_liabilities": f"{Decimal(400000) - Decimal(value):f}"}}
            for year, value in equity.items()
        ]
        document["financials"] = {"balance_sheets": sheets, "profit_and_loss": [{"year": year, "lines": result} for year in years]}
        document["sources"]["FINANCIALS"] = {"from": "2023-01"}

    return change


def refunds_of_twelve_percent(document: Document) -> None:
    for row in document["shop"]["months"]:
        row["refunds"] = row["orders"] * 12 // 100


def scored(lowest: str) -> Change:
    return shop(score={"description": "4.9", "service": lowest, "logistics": "4.9"})


def december(**values: int) -> Change:
    return lambda document: document["shop"]["months"][-1].update(values)


def moves_own_money(document: Document) -> None:
    flows = document["ledger"]["flows"]
    flows[1]["total"] = "5000000.00"
    flows[2]["amounts"] = ["900000.00"]


def filed_late(document: Document) -> None:
    """The second quarter stands in no block: it was missed, and filed in September."""
    blocks = [("2024Q4", ["334000.00", "285000.00"]), ("2025Q3", ["318000.00", "430000.00"])]
    document["tax"]["vat_returns"] = [{"first": first, "declared": declared, "filed_day": 12} for first, declared in blocks]
    document["tax"].update(missed=["2025Q2"], amendments=[{"period": "2025Q2", "declared": "372000.00", "filed_on": "2025-09-02"}])


def begins(document: Document) -> None:
    """Established in August 2024: the first return is that of the third quarter."""
    document["business"]["established_on"] = "2024-08-15"
    document["tax"]["vat_returns"] = [{"first": "2024Q3", "declared": ["288000.00", "334000.00", *QUARTERS], "filed_day": 12}]


def withholds_since_april(document: Document) -> None:
    document["tax"]["withholding"] = {"first": "2025-04", "headcount": [2] * 9, "wages": ["10000.00"] * 9}


def insures_without_pension(document: Document) -> None:
    document["social_insurance"]["rates"] = {"MEDICAL": ["0.09", "0.02"], "WORK_INJURY": ["0.004", "0"]}


def late_payer(*months: str, streak: bool = True) -> Change:
    def change(document: Document) -> None:
        document["social_insurance"]["employer"]["late"] = list(months)
        if not streak:
            document["social_insurance"]["persons"] = []

    return change


def without_business(document: Document) -> None:
    """A person who sells under his own name."""
    del document["business"]
    document["subject_person"] = "owner"


QUARTERS = ["285000.00", "372000.00", "318000.00", "430000.00"]

VARIANTS: dict[str, tuple[Change, ...]] = {
    "as it is": (),
    "no tax": (without("TAX"),),
    "tax consent withdrawn": (source("TAX", consent="REVOKED", consent_changed_on="2026-01-15"),),
    "tax consent never given": (source("TAX", consent="NEVER"),),
    "no settlement": (without("SETTLEMENT"),),
    "stale shop": (source("SHOP", until="2026-01-16"),),
    "shop a day fresher": (source("SHOP", until="2026-01-17"),),
    "archived orders": (source("SHOP", orders_from="2025-10"),),
    "too few single orders": (source("SHOP", orders_from="2025-11"),),
    "a gap in the shop": (source("SHOP", gaps=["2025-04"]),),
    "a missed quarter": (missed("2025Q2"),),
    "amended": (amended("230000.00", "2026-01-16"),),
    "amended too late": (amended("230000.00", "2026-01-21"),),
    "tax is the outlier": (declares(140000, 190000, 160000, 210000),),
    "low tier": (declares(250000, 250000, 250000, 250000), receives(*[95950] * 12)),
    "low tier, more asked": (declares(250000, 250000, 250000, 250000), receives(*[95950] * 12), asks("OPERATING", "50000.00")),
    "partial shop": (shop(scope="PARTIAL"),),
    "partial shop, much declared": (shop(scope="PARTIAL"), declares(750000, 750000, 750000, 750000)),
    "partial both, no tax": (shop(scope="PARTIAL"), ledger(scope="PARTIAL"), without("TAX")),
    "one address, just below": (shop(top_address_orders=907),),
    "one address": (shop(top_address_orders=908),),
    "account of another": (held_by_another,),
    "company": (company,),
    "young": (business(established_on="2025-03-01"),),
    "many reasons": (
        business(established_on="2025-03-01", status="ABNORMAL"),
        identity("MISMATCH"),
        shop(score={"description": "4.8", "service": "4.59", "logistics": "4.9"}),
    ),
    "identity feed down": (identity("UNAVAILABLE"),),
    "a quiet month": (quiet_month,),
    "no cash left": (pays("PURCHASE", "1200000.00"),),
    "consumption": (asks("CONSUMPTION"),),
    "housing fund": (has_fund,),
    "invoices": (has_invoices,),
    "invoices withdrawn": (has_invoices, source("INVOICE", consent="REVOKED")),
    "first of February": (first_of_february,),
    "tax until the tenth": (source("TAX", until="2026-01-10"),),
    "arrears now": (statuses("N" * 23 + "1"),),
    "penalised": (shop(penalties=[{"kind": "FAKE_TRADE", "decided_on": "2025-01-01"}]),),
    "company with statements": (company, has_statements(2024, 2025)),
    "a year without a statement": (has_statements(2025),),
    "score of 4.65": (scored("4.65"),),
    "twelve percent refunded": (refunds_of_twelve_percent, scored("4.65")),
    "late refunds": (december(late_refunds=100, refused_refunds=40, unpaid=500),),
    "own money": (moves_own_money,),
    "filed late": (filed_late,),
    "just begun": (begins,),
    "withholding since April": (withholds_since_april,),
    "withholding since April, no insurance": (withholds_since_april, without("SOCIAL_INSURANCE")),
    "no pension": (insures_without_pension,),
    "pays late twice": (late_payer("2025-03", "2025-04"),),
    "pays late twice, no streak": (late_payer("2025-03", "2025-04", streak=False),),
    "nineteen months": (business(established_on="2024-06-01"),),
    "three gates": (source("SHOP", consent="REVOKED"), source("SETTLEMENT", until="2026-01-05"), without("BUREAU")),
    "a person": (without_business,),
    "no orders at all": (shop(months=[], top_address_orders=0),),
}


@cache
def result_of(name: str) -> dict[str, Any]:
    """The document of one of the variants; tests read it, none changes it."""
    return result(*VARIANTS[name])
