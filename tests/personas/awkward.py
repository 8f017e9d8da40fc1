"""Customers who are hard to decide: each a small change of a golden persona, and what must come of it by the brief.

"Cannot decide" (INSUFFICIENT_DATA, G codes, nothing offered, nothing asserted against the customer) is never "declined" (INELIGIBLE, E codes) nor "a person looks"
(REFER_MANUAL).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.connectors import own_persona
from tests.connectors.cn_persona import resident
from tests.personas import NAMES, document_of
from tests.personas.arithmetic import D, Derived, dev, ratio, text, thousands, yuan
from tests.personas.firms import untold_research

Document = dict[str, Any]
Change = Callable[[Document], Any]


@dataclass(frozen=True)
class Case:
    base: str
    changes: tuple[Change, ...]
    derived: Derived

    def document(self) -> Document:
        found = document_of(self.base) if self.base in NAMES else own_persona.document_of(self.base)
        for change in self.changes:
            change(found)
        return found


def source(name: str, **values: Any) -> Change:
    return lambda document: document["sources"][name].update(values)


def section(name: str, **values: Any) -> Change:
    return lambda document: document[name].update(values)


def employer(**values: Any) -> Change:
    return lambda document: document["social_insurance"]["employer"].update(values)


def cannot_decide(code: str, **more: Any) -> Derived:
    return {"outcome": "INSUFFICIENT_DATA", "reasons": [code], "customer_reasons": [code], "limit": None, "price": None, **more}


def closed(code: str) -> Derived:
    """Behind a closed gate nothing else is asserted."""
    return cannot_decide(code, features=None, checks=None, eligibility=None, tier=None, score=None, verified_revenue=None)


def unknown(*codes: str, failed: tuple[str, ...] = (), code: str = "G05") -> Derived:
    return cannot_decide(code, eligibility={"failed": list(failed), "unknown": list(codes)})


def declined(*codes: str) -> Derived:
    return {
        "outcome": "INELIGIBLE", "reasons": list(codes), "customer_reasons": list(codes), "limit": None, "price": None,
        "eligibility": {"failed": list(codes), "unknown": []},
    }  # fmt: skip


def offered(outcome: str, limit: int, **more: Any) -> Derived:
    return {"outcome": outcome, "limit.final_limit": yuan(limit), "eligibility": {"failed": [], "unknown": []}, **more}


def quarterly(document: Document) -> None:
    document["tax"].update(
        frequency="QUARTER", vat_returns=[{"first": "2024Q1", "declared": ["600000.00"] * 4 + ["690000.00"] * 4, "filed_day": 12}]
    )
    del document["tax"]["amendments"]


def files_quarterly() -> Derived:
    """A quarter has no monthly values, so S is the invoices: 2,685,000 of 2025 on 2,280,000 of 2024. TAX 2,760,000. NEED takes it, with the growth of .10."""
    days = 360 * (D(410_000 - 190_000 + 20_000) / 1_936_200 + D(330_000 - 10_000) / 2_766_000)
    need = D(2_760_000) * (1 - D(180_000) / 2_766_000) * D("1.10") * days / 360 - 260_000
    return offered("ENHANCED", int(thousands(need))) | {
        "observers.TAX.value": "2760000.00", "checks.R1.d": ratio(dev(D(2_760_000), D(2_685_000))), "features.ss_net_sales": "2685000.00",
        "features.ss_growth_yoy": ratio(D(2_685_000) / 2_280_000 - 1), "limit.binding": ["K05"], "score.total": 669,
    }  # fmt: skip


def much_is_red(document: Document) -> None:
    document["invoices"]["red"].append(
        {"on": "2025-11-20", "party": "a", "net": "250000.00", "tax_rate": "0.13", "reason": "02", "original_month": "2025-10"}
    )


def half_of_the_accounts() -> Derived:
    """CASH is a lower bound: R2 and R3 one-sided at half weight, .675 of .725 available. 600,000/1.01: 605,940.59 is above both by .0098."""
    above = (D(612_000) / D("1.01") - 600_000) / (D(612_000) / D("1.01"))
    share = D(".675") / D(".725")
    return {
        "checks.R2.d": ratio(above), "checks.R3.d": ratio(above), "checks.R2.weight": "0.1750", "checks.R3.weight": "0.1000",
        "coverage": ratio(D(".5") * share + D(".2") * D(".7") + D(".3") * D(".8")), "tier": "HIGH", "outcome": "REFER_MANUAL",
    }  # fmt: skip


def no_revenue_left() -> Derived:
    """Invoices and receipts agree, .35 of .90: too few to judge by, so R does not apply, nobody verifies a revenue, and the debt cap has no input. Such a cap does not bind
    (5.1): what is left is less sure, dearer, and by the capacity of an unverified D more than the 280,000 of before. The tier says it: UNVERIFIED, no uplift.
    """
    spare = D(12 * 47_470 - 54 * (5_500 + 1_200) - 12 * 3_000) / D("1.2") * 36 / 12
    most = spare / (1 + D(".08") * 37 / 24)
    return offered("BASE_ONLY", int(thousands(most))) | {
        "tier": "UNVERIFIED", "verified_revenue": None, "score.total": 597, "score.grade": "D", "price.rate": "0.0800",
        "limit.caps": {"PRODUCT": "5000000.00", "DEBT": None, "CAPACITY": yuan(most)}, "next_best_source": "TAX",
    }  # fmt: skip


def of_his_wife(document: Document) -> None:
    document["people"]["wife"] = {
        "name": "何清和", "resident_id": resident("33999819930404002"), "residence_city": "宁波市", "hukou_city": "宁波市", "hukou_since": "1993-04-04",
    }  # fmt: skip
    document["ledger"]["accounts"][0]["holder"] = "wife"


def came_in_october(document: Document) -> None:
    document["social_insurance"]["persons"][0]["from"] = document["housing_fund"]["accounts"][0]["from"] = "2025-10"


def account_of_july(document: Document) -> None:
    document["housing_fund"]["accounts"] = [document["housing_fund"]["accounts"][1] | {"from": "2025-07"}]


def core_is_related(document: Document) -> None:
    document["relations"]["related"] = [{"party": "core", "type": "LEGAL_REP"}]


def cleared(document: Document) -> None:
    document["tax"]["arrears"] = [{"amount": "3000.00", "since": "2025-06-15", "open": False, "cleared_on": "2025-12-20"}]


def four_insured(document: Document) -> None:
    document["social_insurance"]["employer"]["headcount"] = document["tax"]["withholding"]["headcount"] = [4] * 12


def no_line_of_research(document: Document) -> None:
    document["financials"]["profit_and_loss"][0]["lines"].pop("research_cost")


def no_research(document: Document) -> None:
    document["financials"]["profit_and_loss"][0]["lines"]["research_cost"] = "0.00"


GAPS = [f"2024-0{month}" for month in range(3, 8)]
FARMER, SUPPLIER, MAKER, PRINTER, NURSE = own_persona.FARMER, own_persona.SUPPLIER, "furniture-maker", "printing-house", "nurse"
OWN = {
    "outcome": "REFER_MANUAL",
    "flags": ["HARD_L1"],
    "tier": "CONFLICT",
    "verified_revenue": None,
    "limit": None,
    "reasons": ["XL1H"],
    "customer_reasons": ["XL1H", "XC1"],
}

CASES: dict[str, Case] = {
    "s01-owes-tax": Case(MAKER, (section("tax", arrears=[{"amount": "3000.00", "since": "2025-11-15", "open": True}]),), declined("E06")),
    "s01-owed-tax": Case(MAKER, (cleared,), offered("ENHANCED", 421_000)),
    "s01-tax-withdrawn": Case(MAKER, (source("TAX", consent="REVOKED", consent_changed_on="2026-01-15"),), closed("G02")),
    "s01-files-quarterly": Case(MAKER, (quarterly,), files_quarterly()),
    "s02-much-is-red": Case(PRINTER, (much_is_red,), declined("E10") | {"features.ss_red_void_ratio": ratio(D(295_000) / 2_235_000)}),
    "s02-five-months-unserved": Case(PRINTER, (source("INVOICE", gaps=GAPS),), closed("G05")),
    # 20 of 24 months open the gate. 8 of the year before are too few for a growth (8 points of 25) and for who came back (.15 of .25): unknown is not 0.
    "s02-four-months-unserved": Case(
        PRINTER, (source("INVOICE", gaps=GAPS[:4]),),
        offered("ENHANCED", 188_000) | {
            "features.ss_growth_yoy": "INSUFFICIENT_COVERAGE", "features.sc_customer_retention": "INSUFFICIENT_COVERAGE", "features.ss_growth_6m_yoy": ratio(D(1_260) / 990 - 1), "score.total": 639,
            "features.sc_supplier_tenure": text(D(20 * 84_000 * 24 + 360_000 * 10) / (20 * 84_000 + 360_000), 2), "features.ss_net_sales": "2190000.00",
        },
    ),
    "s03-shop-is-stale": Case("incense-shop", (source("SHOP", until="2026-01-16"),), closed("G04")),
    "s03-account-of-his-wife": Case("incense-shop", (of_his_wife,), OWN),
    "s04-half-of-the-accounts": Case("noodle-shop", (section("ledger", scope="PARTIAL"),), half_of_the_accounts()),
    "s04-acquires-for-five-months": Case("noodle-shop", (lambda one: one["ledger"]["accounts"][0].update(opened_on="2025-08-01"),), declined("E01")),
    "s04-three-months-of-payments": Case("noodle-shop", (source("PAYMENT", **{"from": "2025-10"}),), closed("G05")),
    "s05-identity-refused": Case(NURSE, (lambda one: one["identity"]["checks"][0].update(result="MISMATCH"),), declined("XL1")),
    "s05-identity-feed-down": Case(
        NURSE, (lambda one: one["identity"]["checks"][0].update(result="UNAVAILABLE"),),
        offered("ENHANCED", 86_000) | {"features.op_identity_verified": "UPSTREAM_ERROR"},
    ),
    "s05-fund-expired": Case(NURSE, (source("HOUSING_FUND", consent="EXPIRED", consent_changed_on="2026-01-10"),), closed("G02")),
    "s05-identity-is-stale": Case(NURSE, (source("IDENTITY", until="2025-07-23"),), closed("G04")),
    "s05-opened-in-july": Case(NURSE, (account_of_july,), declined("E13") | {"features.op_hf_streak": 6}),
    # paid since 2022, but the centre serves half a year: six months are known, and nothing of an interruption
    "s05-half-a-year-of-record": Case(
        NURSE, tuple(source(name, **{"from": "2025-07"}) for name in ("SOCIAL_INSURANCE", "HOUSING_FUND")), unknown("E13", "E14")
    ),
    # on the list for longer than five years, which count from the end of an entry
    "s05-dishonest-since-2018": Case(
        NURSE,
        (lambda one: one["public_records"].append({"kind": "DISHONEST", "role": "DEFENDANT", "status": "OPEN", "filed_on": "2018-05-02"}), source("PUBLIC_RECORD", **{"from": "2017-01"})),
        declined("E15") | {"features.op_open_litigation": 2},
    ),
    "s06-december-unpaid": Case("cleaning-company", (employer(unpaid=["2025-12"]),), declined("E12")),
    "s06-insurance-is-stale": Case("cleaning-company", (source("SOCIAL_INSURANCE", until="2025-11-20"),), closed("G04")),
    "s06-no-consent-to-tax": Case("cleaning-company", (source("TAX", consent="NEVER"),), closed("G01")),
    "s07-no-consent-to-the-plots": Case(FARMER, (source("FARM", consent="NEVER"),), closed("G01")),
    "s07-grows-tobacco": Case(FARMER, (lambda one: one["farm"]["plots"][0].update(crop="烟草"),), declined("E23")),
    "s08-no-proof": Case("graduate-studio", (lambda one: one["business"].pop("qualifications"),), unknown("E20")),
    "s08-a-category-of-the-place": Case(
        "graduate-studio", (lambda one: one["business"].update(qualifications=["STARTUP_LOCAL_TALENT"]),), offered("BASE_ONLY", 280_000)
    ),
    "s08-tax-withdrawn": Case("graduate-studio", (source("TAX", consent="REVOKED", consent_changed_on="2026-01-15"),), no_revenue_left()),
    "s09-orders-are-stale": Case(SUPPLIER, (source("PROCUREMENT", until="2026-01-09"),), closed("G04")),
    "s09-orders-are-ten-days-old": Case(SUPPLIER, (source("PROCUREMENT", until="2026-01-10"),), offered("ENHANCED", 451_000)),
    "s09-invoices-expired": Case(SUPPLIER, (source("INVOICE", consent="EXPIRED", consent_changed_on="2026-01-12"),), closed("G02")),
    "s09-three-months-of-orders": Case(SUPPLIER, (source("PROCUREMENT", **{"from": "2025-10"}),), unknown("E19")),
    "s10-three-months-unserved": Case("appliance-dealer", (source("INVOICE", gaps=["2025-02", "2025-03", "2025-04"]),), closed("G05")),
    # since when it has bought from it nobody knows: January is not served
    "s10-eleven-months-of-record": Case("appliance-dealer", (source("INVOICE", **{"from": "2025-02"}),), unknown("E19")),
    "s10-its-own-core-enterprise": Case("appliance-dealer", (core_is_related,), declined("E21")),
    "s11-four-insured": Case("sensor-maker", (four_insured,), declined("E22")),
    "s11-no-line-of-research": Case("sensor-maker", (no_line_of_research,), untold_research()),
    "s11-no-statements": Case("sensor-maker", (lambda one: one["sources"].pop("FINANCIALS"),), untold_research()),
    "s11-statements-withdrawn": Case("sensor-maker", (source("FINANCIALS", consent="REVOKED", consent_changed_on="2026-01-15"),), unknown("E20", code="G02")),
    "s11-nothing-on-research": Case("sensor-maker", (no_research,), declined("E20")),
    "s11-no-consent-to-insurance": Case("sensor-maker", (source("SOCIAL_INSURANCE", consent="NEVER"),), closed("G01")),
    "s12-came-three-months-ago": Case("hairdresser", (came_in_october,), declined("E14") | {"features.op_local_months": 3}),
    # the sources begin in October: whether she was here in August nobody knows
    "s12-three-months-of-record": Case(
        "hairdresser", tuple(source(name, **{"from": "2025-10"}) for name in ("PAYMENT", "SOCIAL_INSURANCE", "HOUSING_FUND")), unknown("E14", "E01")
    ),
    "s12-at-home": Case("hairdresser", (lambda one: one["people"]["owner"].update(hukou_city="宁波市"),), declined("E20")),
}  # fmt: skip
