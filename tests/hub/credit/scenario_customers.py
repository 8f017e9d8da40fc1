"""Invented customers of the scenarios S02 and S04 to S12, small and round, so that every figure of an evaluation can be derived on paper.

``firm``      a maker of metal goods: sells 165,000 a month on invoices, declares 168,000, receives 180,000; five insured employees
``cafe``      an individual business that acquires 400 payments a month, 36,000 and 44,000 in turn, and has no employees
``employee``  a person with a housing fund, an employer and a mortgage
``farmer``    a person with two plots of rice

A customer of a scenario is one of these with what the scenario needs. As-of is 2026-01-20: W12 is 2025.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

from hub.credit.expected import to_expected
from tests.connectors.cn_persona import resident, uscc
from tests.hub.credit.variants import Document, evaluated

OWNER = resident("33999819850617003")
WORKER = resident("33999819900102004")
LENDER = "甬江普惠银行"
HOME = {"city": "宁波市", "lat": 29.87, "lon": 121.55}
CORE, OTHER_SUPPLIER, GOVERNMENT = uscc("91999900MA9XXXX31"), uscc("91999900MA9XXXX32"), uscc("11999900MA9XXXX33")
EMPLOYER = uscc("91999900MA9XXXX34")
BUYERS = {name: uscc(f"91999900MA9XXXX4{number}") for number, name in enumerate("abcdefgh")}
SHARES = dict(zip("abcdefgh", ("0.20", "0.15", "0.15", "0.10", "0.10", "0.10", "0.10", "0.10"), strict=True))


def _head(scenario: str, title: str) -> Document:
    return {
        "format": "persona/1",
        "id": f"customer-{scenario.lower()}",
        "title": title,
        "scenario": scenario,
        "as_of": "2026-01-20",
        "known_at": "2026-01-20T10:00:00+08:00",
        "reference": {"lender": LENDER},
        "people": {
            "owner": {
                "name": "程望舒",
                "resident_id": OWNER,
                "residence_city": "宁波市",
                "hukou_city": "宁波市",
                "hukou_since": "1985-06-17",
                "home": HOME,
            }
        },
    }


def _register(code: str, name: str, industry: str, since: str) -> Document:
    return {
        "uscc": code,
        "name": name,
        "industry": industry,
        "status": "ACTIVE",
        "established_on": since,
        "responsible": "owner",
        "registered_to": "owner",
        "registered_at": HOME,
    }


def _identity(**place: Any) -> Document:
    check = {"person": "owner", "method": "THREE_FACTOR", "result": "MATCH", "on": "2025-11-03"}
    return {"checks": [check], **({"place": place["place"]} if place else {})}


def _flow(category: str, direction: str, amounts: list[str], first: str = "2025-01", **more: Any) -> Document:
    return {"account": "main", "category": category, "direction": direction, "first": first, "amounts": amounts, **more}


def _account(kind: str, holder: str, **more: Any) -> Document:
    row = {"id": "main", "type": kind, "institution": "样例银行", "holder": holder, "role": "SETTLEMENT", "opening_balance": "50000.00"}
    return row | more


def _loan(of: str, kind: str, repayment: str, balance: str, due: str, matures: str) -> Document:
    return {
        "id": "L1",
        "of": of,
        "lender": "第一银行",
        "kind": kind,
        "secured": True,
        "repayment": repayment,
        "opened_on": "2023-12-20",
        "matures_on": matures,
        "balance": balance,
        "monthly_due": due,
        "statuses": {"first": "2024-01", "codes": "N" * 24},
    }


def _inquiries(*days: str) -> list[Document]:
    return [{"on": day, "reason": "LOAN_APPROVAL", "org": f"银行{number}"} for number, day in enumerate(days)]


def firm(scenario: str) -> Document:
    """See the module. Files monthly as a general taxpayer, rated B; one bullet loan of 100,000 at 400 a month until 2026-12-20."""
    found = _head(scenario, "A maker of metal goods with eight customers")
    parties = {name: {"name": f"客户{name}", "uscc": code} for name, code in BUYERS.items()}
    parties |= {"core": {"name": "核心企业", "uscc": CORE}, "other": {"name": "供应商", "uscc": OTHER_SUPPLIER}}
    sold = [{"party": name, "share": share} for name, share in SHARES.items()]
    bought = [{"party": "core", "share": "0.6"}, {"party": "other", "share": "0.4"}]
    sources = ("REGISTRATION", "TAX", "INVOICE", "PAYMENT", "SOCIAL_INSURANCE", "BUREAU", "IDENTITY")
    return found | {
        "sources": {name: {"from": "2024-01"} for name in sources},
        "business": _register(uscc("91330203MA2DEMKX5"), "宁波望舒五金厂", "C3311", "2020-03-10"),
        "tax": {
            "holder": "owner",
            "taxpayer_type": "GENERAL",
            "frequency": "MONTH",
            "vat_returns": [{"first": "2024-01", "declared": ["150000.00"] * 12 + ["168000.00"] * 12, "filed_day": 12}],
            "ratings": [{"year": 2024, "grade": "B", "published_on": "2025-04-20"}],
            "withholding": {"first": "2025-01", "headcount": [5] * 12, "wages": ["25000.00"] * 12},
        },
        "invoices": {
            "parties": parties,
            "output": [{"first": "2024-01", "net": ["150000.00"] * 12 + ["165000.00"] * 12, "tax_rate": "0.13", "split": sold}],
            "input": [{"first": "2024-01", "net": ["110000.00"] * 24, "tax_rate": "0.13", "split": bought}],
        },
        "relations": {"related": [{"party": "h", "type": "SHAREHOLDING", "share": "0.30"}]},
        "ledger": {
            "accounts": [_account("BANK_CORP", "business")],
            "flows": [
                _flow("SALES_RECEIPT", "IN", ["180000.00"] * 12),
                _flow("PURCHASE", "OUT", ["141250.00"] * 12),
                _flow("WAGE", "OUT", ["25000.00"] * 12),
            ],
        },
        "social_insurance": {
            "city": "宁波市",
            "rates": {"PENSION": ["0.14", "0.08"], "MEDICAL": ["0.095", "0.02"]},
            "employer": {"first": "2025-01", "headcount": [5] * 12, "base": ["24000.00"] * 12},
            "persons": [{"person": "owner", "employer": None, "from": "2022-01", "to": "2025-12", "base": "4800.00"}],
        },
        "bureau": {
            "accounts": [_loan("business", "OPERATING", "BULLET", "100000.00", "400.00", "2026-12-20")],
            "inquiries": _inquiries("2025-11-10"),
        },
        "identity": _identity(place={**HOME, "verified_on": "2025-11-03"}),
    }


def cafe(scenario: str) -> Document:
    """See the module. Small-scale, declares 118,000 a quarter, invoices 39,450 a month; the lender acquires its payments since June 2024; owes nothing."""
    found = _head(scenario, "A cafe that takes its money by code")
    sources = {
        "REGISTRATION": "2021-05",
        "TAX": "2025-01",
        "INVOICE": "2025-01",
        "PAYMENT": "2025-01",
        "BUREAU": "2024-01",
        "IDENTITY": "2025-01",
    }
    guest = {"party": "guest", "share": "1"}
    return found | {
        "sources": {name: {"from": first} for name, first in sources.items()},
        "business": _register(uscc("92330203MA2DEMKX6"), "宁波望舒咖啡馆", "H6231", "2021-05-10"),
        "tax": {
            "holder": "owner",
            "taxpayer_type": "SMALL_SCALE",
            "frequency": "QUARTER",
            "vat_returns": [{"first": "2025Q1", "declared": ["118000.00"] * 4, "filed_day": 12}],
            "withholding": {"first": "2025-01", "headcount": [0] * 12, "wages": ["0.00"] * 12},
        },
        "invoices": {
            "parties": {"guest": {"name": "客人", "uscc": BUYERS["a"]}},
            "output": [{"first": "2025-01", "net": ["39450.00"] * 12, "tax_rate": "0.01", "split": [guest]}],
            "input": [],
        },
        "ledger": {
            "accounts": [_account("ACQUIRING", "owner", institution=LENDER, opened_on="2024-06-01")],
            "flows": [
                _flow("SALES_RECEIPT", "IN", [*["36000.00", "44000.00"] * 6, "36000.00"], per_month=400),
                _flow("PURCHASE", "OUT", ["200000.00"], "2025-03"),
                _flow("UTILITY", "OUT", ["800.00"] * 12),
                _flow("RENT", "OUT", ["5000.00"] * 12),
                _flow("OWNER_DRAW", "OUT", ["5000.00"] * 12),
            ],
        },
        "bureau": {"accounts": [], "inquiries": []},
        "identity": _identity(place={**HOME, "verified_on": "2025-11-03"}),
    }


def employee(scenario: str) -> Document:
    """See the module. Paid into the fund 8,000 x 24 % a month since June 2022; declared 8,500 a month; owes 2,000 a month."""
    found = _head(scenario, "An employee with a housing fund")
    found["people"]["owner"] |= {"education": {"level": "BACHELOR", "verified": True, "graduated_on": "2007-07-01"}}
    employer = {"name": "宁波样例公司", "uscc": EMPLOYER}
    stint = {"person": "owner", "employer": employer, "from": "2022-06", "to": "2025-12", "base": "8000.00"}
    sources = ("TAX", "SOCIAL_INSURANCE", "HOUSING_FUND", "BUREAU", "IDENTITY")
    return found | {
        "sources": {name: {"from": "2022-06"} for name in sources},
        "subject_person": "owner",
        "tax": {
            "holder": "owner",
            "personal_income": [{"person": "owner", "payer": EMPLOYER, "first": "2025-01", "amounts": ["8500.00"] * 12}],
        },
        "social_insurance": {"city": "宁波市", "rates": {"PENSION": ["0.14", "0.08"]}, "persons": [stint]},
        "housing_fund": {
            "city": "宁波市",
            "accounts": [{**stint, "status": "NORMAL", "employer_rate": "0.12", "employee_rate": "0.12"}],
        },
        "bureau": {
            "accounts": [_loan("owner", "MORTGAGE", "AMORTISING", "300000.00", "2000.00", "2040-12-20")],
            "inquiries": _inquiries("2025-10-10", "2025-11-10", "2025-12-10"),
        },
        "identity": _identity(),
    }


def farmer(scenario: str) -> Document:
    """See the module. 100 mu that the register knows as 104, and 20 mu that only the insurer knows."""
    found = _head(scenario, "A farmer with two plots of rice")
    found["reference"] |= {"crops": {"水稻": {"yield_norm": "480", "price": "2.6", "input_cost": "600"}}}
    found["people"]["owner"]["home"] = {"city": "宁波市", "lat": 30.0, "lon": 120.0}
    plot = {"crop": "水稻", "season": "2026", "lon": 120.0}
    return found | {
        "sources": {name: {"from": "2025-01"} for name in ("FARM", "IDENTITY", "BUREAU")},
        "subject_person": "owner",
        "farm": {
            "register_holder": "owner",
            "policy_holder": "owner",
            "verified_seasons": 2,
            "insured": True,
            "purchase_contract": False,
            "credit_village": True,
            "harvest_on": "2026-09-20",
            "plots": [
                {**plot, "id": "p1", "claimed_mu": "105", "satellite_mu": "100", "register_mu": "104", "claimed_yield": "500", "lat": 30.0},
                {**plot, "id": "p2", "claimed_mu": "20", "satellite_mu": "20", "insured_mu": "20", "claimed_yield": "520", "lat": 30.06},
            ],
        },
        "bureau": {"accounts": [], "inquiries": []},
        "identity": _identity(),
    }


def technology_firm() -> Document:
    """The firm with a qualification and a subsidy; its cost of research is added to the dossier, see the test."""
    found = firm("S11")
    found["business"]["qualifications"] = ["TECH_SME"]
    found["ledger"]["flows"].append(_flow("SUBSIDY", "IN", ["20000.00"], "2025-09"))
    return found


def startup() -> Document:
    """The cafe as a graduate's start-up: staff grew from 2 to 7, each insured at 5,000 and paid 5,200."""
    found = cafe("S08")
    heads = [2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    wages = [f"{5200 * count}.00" for count in heads]
    found["business"]["qualifications"] = ["STARTUP_GRADUATE"]
    found["sources"]["SOCIAL_INSURANCE"] = {"from": "2025-01"}
    found["tax"]["withholding"] = {"first": "2025-01", "headcount": heads, "wages": wages}
    found["social_insurance"] = {
        "city": "宁波市",
        "rates": {"PENSION": ["0.14", "0.08"]},
        "employer": {"first": "2025-01", "headcount": heads, "base": [f"{5000 * count}.00" for count in heads]},
    }
    found["ledger"]["flows"][0]["per_month"] = 1
    flows = [flow for flow in found["ledger"]["flows"] if flow["category"] not in ("PURCHASE", "OWNER_DRAW")]
    found["ledger"]["flows"] = [*flows, _flow("PURCHASE", "OUT", ["5000.00"] * 12), _flow("WAGE", "OUT", wages)]
    return found


def supplier() -> Document:
    """The firm with an open order of the government and one of customer a, who has paid four."""
    found = firm("S09")
    found["reference"] |= {"approved_buyers": [GOVERNMENT, BUYERS["a"]]}
    found["sources"]["PROCUREMENT"] = {"from": "2024-01"}
    open_order = {"signed_on": "2025-12-01", "status": "OPEN"}
    past = {
        "buyer": "a",
        "amount": "90000.00",
        "confirmed": "90000.00",
        "invoiced": "90000.00",
        "status": "DELIVERED",
        "signed_on": "2025-01-05",
    }
    found["procurement"] = {
        "account_locked": True,
        "buyers": {
            "gov": {"name": "某区教育局", "uscc": GOVERNMENT, "government": True},
            "a": {"name": "客户a", "uscc": BUYERS["a"], "government": False},
        },
        "orders": [
            {**open_order, "id": "o1", "buyer": "gov", "amount": "400000.00", "confirmed": "400000.00", "invoiced": "0.00", "deliver_by": "2026-05-20"},
            {**open_order, "id": "o2", "buyer": "a", "amount": "300000.00", "confirmed": "297000.00", "invoiced": "100000.00", "deliver_by": "2026-03-31"},
            *(
                {**past, "id": f"d{month}", "deliver_by": f"2025-0{month}-28", "delivered_on": f"2025-0{month}-20", "paid_on": f"2025-0{month + 1}-20"}
                for month in (3, 4, 5, 6)
            ),
        ],
    }  # fmt: skip
    return found


def dealer() -> Document:
    """The firm as a dealer that has bought 60 % of its goods from a core enterprise since December 2022."""
    found = firm("S10")
    found["business"]["industry"] = "F5175"
    found["reference"] |= {"core_enterprises": [CORE]}
    found["sources"] |= {"INVOICE": {"from": "2022-12"}, "PROCUREMENT": {"from": "2024-01"}}
    found["invoices"]["input"][0] |= {"first": "2022-12", "net": ["110000.00"] * 37}
    found["procurement"] = {"account_locked": False, "buyers": {}, "orders": []}
    return found


def newcomer() -> Document:
    """The employee with a hukou elsewhere."""
    found = employee("S12")
    found["people"]["owner"]["hukou_city"] = "安庆市"
    return found


CUSTOMERS: dict[str, Callable[[], Document]] = {
    "S02": lambda: firm("S02") | {"reference": {"lender": LENDER, "core_enterprises": [BUYERS["a"]]}},
    "S04": lambda: cafe("S04"),
    "S05": lambda: employee("S05"),
    "S06": lambda: firm("S06"),
    "S07": lambda: farmer("S07"),
    "S08": startup,
    "S09": supplier,
    "S10": dealer,
    "S11": technology_firm,
    "S12": newcomer,
}


def customer(scenario: str) -> Document:
    """A fresh copy of the customer of a scenario."""
    return deepcopy(_made(scenario))


@cache
def _made(scenario: str) -> Document:
    return CUSTOMERS[scenario]()


def result_with(document: Document) -> Document:
    return to_expected(evaluated(document), document["id"])


@cache
def result_of(scenario: str) -> Document:
    """The document of a customer's evaluation; tests read it, none changes it."""
    return result_with(customer(scenario))
