"""The sections of a stranger (:mod:`tests.personas.strangers`), each drawn by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from hub.domain.periods import add_months, last_day, month_of
from tests.connectors.cn_persona import uscc

Document = dict[str, Any]
CITIES = ("宁波市", "杭州市", "安庆市")
LENDER = "甬江普惠银行"
DAYS = (*[date(2026, 1, 20)] * 4, date(2026, 1, 1), date(2026, 2, 28), date(2025, 12, 31), date(2024, 2, 29), date(2026, 4, 16))
PARTIES = {name: {"name": f"客户{name}", "uscc": uscc(f"91999900MA9XXXX4{number}")} for number, name in enumerate("abcdef")}
OUT = (
    "PURCHASE",
    "WAGE",
    "RENT",
    "UTILITY",
    "LOGISTICS",
    "AD",
    "TAX",
    "SOCIAL",
    "OWNER_DRAW",
    "LOAN_REPAYMENT",
    "INVESTMENT",
    "CASH",
    "UNKNOWN",
    "OWN_TRANSFER",
)
IN = ("SALES_RECEIPT", "PLATFORM_PAYOUT", "SALES_RECEIPT", "LOAN_DISBURSEMENT", "REFUND_IN", "TAX_REFUND", "SUBSIDY", "CASH", "UNKNOWN", "CAPITAL_INJECTION")  # fmt: skip


class Stranger:
    """One seed's customer: the dice, the day, and how much he turns over in a month."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.day = self.dice.choice(DAYS)
        self.scenario = f"S{seed % 12 + 1:02}"
        self.turnover = self.dice.choice([1_000, 20_000, 60_000, 150_000, 150_000, 400_000, 20_000_000])
        self.growth = self.dice.choice([-0.05, 0, 0, 0.01, 0.03, 0.1])

    def maybe(self, share: float) -> bool:
        return self.dice.random() < share

    def month(self, back: int) -> str:
        """The month so many before that of the day."""
        return add_months(month_of(self.day), -back)

    def some_day(self, most: int = 900, least: int = 0) -> str:
        return str(self.day - timedelta(days=self.dice.randint(least, most)))

    def money(self, about: float, months: int) -> list[str]:
        """Amounts month by month: mostly steady and true, sometimes noisy, sparse, nothing, or one of them another."""
        manner = self.dice.choice(["steady"] * 6 + ["noisy", "noisy", "sparse", "nothing", "once", "odd"])
        return [f"{max(0.0, self._amount(manner, about, number, months)):.2f}" for number in range(months)]

    def _amount(self, manner: str, about: float, number: int, months: int) -> float:
        steady = about * (1 + self.growth) ** number
        match manner:
            case "noisy":
                return steady * self.dice.uniform(0.2, 2)
            case "sparse":
                return steady if self.maybe(0.4) else 0
            case "nothing":
                return 0
            case "once":
                return steady if number == months // 2 else 0
            case "odd":
                return steady * (self.dice.choice([0.01, 5]) if number == months - 1 else 1)
        return steady

    def series(self, about: float) -> Document:
        first = self.dice.choice([24, 24, 24, 13, 12, 5])
        if self.maybe(0.05):
            return {"first": self.month(first), "total": f"{about * first:.2f}", "months": first}
        step = 3 if self.maybe(0.1) else 1
        return {"first": self.month(first), "amounts": self.money(about, first // step), **({"step": step} if step > 1 else {})}


def place_of(one: Stranger) -> Document:
    return {"city": one.dice.choice(CITIES), "lat": round(one.dice.uniform(29, 31), 4), "lon": round(one.dice.uniform(120, 122), 4)}


def _tax(one: Stranger) -> Document:
    general, quarterly = one.maybe(0.5), one.maybe(0.3)
    months = one.dice.choice([24, 24, 24, 12])
    first, count = one.month(months), months
    if quarterly:
        year, quarter = one.day.year - 2, 1
        first, count = f"{year}Q{quarter}", 8 + (one.day.month - 1) // 3
    found: Document = {
        "holder": "business" if one.scenario not in ("S05", "S07", "S12") and one.maybe(0.5) else "owner",
        "taxpayer_type": "GENERAL" if general else "SMALL_SCALE", "frequency": "QUARTER" if quarterly else "MONTH",
        "vat_returns": [{"first": first, "declared": one.money(one.turnover * (3 if quarterly else 1), count), "filed_day": one.dice.choice([12, 12, 28])}],
        "payments": [{**one.series(one.turnover * 0.03), "kind": kind, "day": 13} for kind in ("VAT", "CIT", "SURCHARGE") if one.maybe(0.6)],
        "ratings": [
            {"year": one.day.year - back, "grade": one.dice.choice("AABBMCD"), "published_on": f"{one.day.year - back + 1}-04-20"}
            for back in (3, 2, 1) if one.maybe(0.7)
        ],
        "personal_income": [{**one.series(9_000), "person": "owner", "payer": PARTIES["c"]["uscc"]}] if one.maybe(0.5) else [],
    }  # fmt: skip
    if one.maybe(0.7):
        heads = _heads(one, 12)
        found["withholding"] = {"first": one.month(12), "headcount": heads, "wages": [f"{count * 5_000}.00" for count in heads]}
    if not quarterly and one.maybe(0.3):
        found["missed"] = sorted(
            {one.month(one.dice.randint(months + 1, months + 6)), one.month(one.dice.randint(1, 2))} if one.maybe(0.5) else set()
        )
        found["amendments"] = [{"period": one.month(4), "declared": f"{one.turnover}.00", "filed_on": one.some_day(30, 1)}]
    if one.maybe(0.15):
        cleared = {"open": True} if one.maybe(0.5) else {"open": False, "cleared_on": one.some_day(100, 1)}
        found["arrears"] = [{"amount": "0.00" if one.maybe(0.2) else "3000.00", "since": one.some_day(500, 110), **cleared}]
    return found


def _heads(one: Stranger, months: int) -> list[int]:
    least = one.dice.choice([0, 0, 1, 5, 5, 8, 30])
    return [least + (number // 4 if one.growth > 0 else 0) for number in range(months)]


def _invoices(one: Stranger) -> Document:
    names = one.dice.sample("abcdef", one.dice.randint(1, 6))
    split = [{"party": name, "share": f"{1 / len(names):.4f}"} for name in names]
    rate, months = one.dice.choice(["0.13", "0.01", "0.06", "0"]), one.dice.choice([24, 24, 24, 14, 6])

    def stream(about: float, parts: list[Document]) -> Document:
        return {"first": one.month(months), "net": one.money(about, months), "tax_rate": rate, "split": parts}

    found: Document = {
        "parties": PARTIES, "output": [stream(one.turnover, split)] if one.maybe(0.95) else [],
        "input": [stream(one.turnover * 0.6, [{"party": one.dice.choice("abcdef"), "share": "1"}])] if one.maybe(0.8) else [],
    }  # fmt: skip
    if one.maybe(0.3):
        net, back = f"{one.turnover * one.dice.choice([0.1, 1, 5]):.2f}", one.dice.randint(2, months - 1)
        found["red"] = [
            {"on": one.some_day(30, 1), "party": names[0], "net": net, "tax_rate": rate, "reason": "02", "original_month": one.month(back)}
        ]
        found["void"] = [{"on": one.some_day(300, 1), "party": names[-1], "net": net, "tax_rate": rate}]
    return found


def _ledger(one: Stranger) -> Document:
    holder = "owner" if one.scenario in ("S05", "S07", "S12") or one.maybe(0.5) else "business"
    accounts = [
        {"id": name, "type": one.dice.choice(["BANK_CORP", "BANK_PERSONAL", "ALIPAY", "ACQUIRING"]), "institution": one.dice.choice([LENDER, "样例银行"]),
         "holder": holder, "role": role, "opening_balance": f"{one.dice.choice([0, 500, 50_000])}.00", "opened_on": one.some_day(2_000, 1)}
        for name, role in (("main", "SETTLEMENT"), ("other", "GENERAL"))
    ]  # fmt: skip

    def flow(category: str, direction: str, about: float, per_month: int) -> Document:
        account = "main" if one.maybe(0.8) else "other"
        return {**one.series(about), "account": account, "category": category, "direction": direction, "per_month": per_month}

    many = 300 if one.scenario == "S04" and one.maybe(0.7) else 2
    flows = [flow("SALES_RECEIPT", "IN", one.turnover * 1.08, many)]
    flows += [flow(name, "IN", one.turnover * one.dice.choice([0.01, 0.3]), 1) for name in one.dice.sample(IN, 2)]
    flows += [
        flow(name, "OUT", one.turnover * one.dice.choice([0.02, 0.1, 0.5]), 1) for name in one.dice.sample(OUT, one.dice.randint(0, 5))
    ]
    return {"scope": "PARTIAL" if one.maybe(0.1) else "FULL", "accounts": accounts, "flows": flows}


def _shop(one: Stranger) -> Document:
    orders = one.dice.choice([0, 3, 12, 12, 40])
    rows = [
        {"month": one.month(back), "orders": orders, "unit_price": f"{one.turnover / max(1, orders):.2f}", "unpaid": one.dice.randint(0, 2),
         "refunds": min(orders, one.dice.choice([0, 0, 1, 3])), "refused_refunds": 0}
        for back in range(one.dice.choice([24, 14, 12, 5]), 0, -1) if one.maybe(0.97)
    ]  # fmt: skip
    found: Document = {
        "name": "望舒小店", "owner": "owner", "opened_on": one.some_day(3_000, 400), "months": rows, "fee_rate": one.dice.choice(["0", "0.05"]),
        "receiver_cities": list(CITIES), "ship_from": place_of(one), "score": {"description": one.dice.choice(["4.5", "4.8"]), "service": "4.9", "logistics": "4.7"},
    }  # fmt: skip
    if one.maybe(0.2):
        found["penalties"] = [{"kind": one.dice.choice(["FAKE_TRADE", "IP"]), "decided_on": one.some_day(600, 1)}]
    if one.maybe(0.5):
        found["buyers"] = {"distinct": max(1, orders * 6), "repeat": max(1, orders * 3)}
        found["skus"] = {"listed": one.dice.choice([0, 50]), "sold": one.dice.choice([0, 30, 45])}
    return found


def _insurance(one: Stranger) -> Document:
    heads = _heads(one, 12)
    stint = {
        "person": "owner",
        "employer": _employer(one),
        "from": one.month(36),
        "to": one.month(one.dice.choice([1, 1, 1, 2, 8])),
        "base": "8000.00",
    }
    if one.maybe(0.3):
        stint |= {"missed": [one.month(5)], "back_paid": [{"period": one.month(4), "paid_on": one.some_day(60, 1)}]}
    found: Document = {
        "city": CITIES[0],
        "rates": {"PENSION": ["0.14", "0.08"], "MEDICAL": ["0.095", "0.02"]},
        "persons": [stint] if one.maybe(0.8) else [],
    }
    if one.maybe(0.8):
        late = {one.dice.choice(["late", "unpaid"]): [one.month(one.dice.randint(1, 8))]} if one.maybe(0.25) else {}
        found["employer"] = {"first": one.month(12), "headcount": heads, "base": [f"{count * 4_800}.00" for count in heads], **late}
    return found


def _employer(one: Stranger) -> Document | None:
    return None if one.maybe(0.3) else PARTIES[one.dice.choice("cd")]


def _fund(one: Stranger) -> Document:
    row = {
        "person": "owner", "employer": PARTIES[one.dice.choice("cd")], "status": "NORMAL" if one.maybe(0.85) else "SEALED", "from": one.month(40),
        "to": one.month(one.dice.choice([1, 1, 1, 2, 9])), "base": one.dice.choice(["8000.00", "3000.00", "0.00"]), "employer_rate": "0.12", "employee_rate": "0.12",
    }  # fmt: skip
    return {"city": CITIES[0], "accounts": [row | ({"missed": [one.month(3)]} if one.maybe(0.2) else {})] if one.maybe(0.85) else []}


def _bureau(one: Stranger) -> Document:
    person = one.scenario in ("S05", "S07", "S12")
    accounts = [
        {"id": f"L{number}", "of": "owner" if person or one.maybe(0.4) else "business", "lender": one.dice.choice(["第一银行", "第二银行", LENDER]),
         "kind": one.dice.choice(["MORTGAGE", "OPERATING", "CONSUMER", "CARD", "GUARANTEED"]), "secured": one.maybe(0.5), "open": one.maybe(0.8),
         "repayment": one.dice.choice(["AMORTISING", "BULLET", "REVOLVING"]), "opened_on": one.some_day(1_500, 800), "bank_tax_loan": one.maybe(0.1),
         "balance": f"{one.dice.choice([0, 20_000, one.turnover])}.00", "monthly_due": f"{one.dice.choice([0, 300, 4_000])}.00",
         **({"matures_on": str(one.day + timedelta(days=one.dice.randint(-60, 2_000)))} if one.maybe(0.8) else {}),
         "statuses": {"first": one.month(24), "codes": "".join(one.dice.choice("N" * 60 + "1*#MC" + ("27" if one.maybe(0.1) else "")) for _ in range(24))}}
        for number in range(one.dice.choice([0, 0, 1, 1, 2, 4]))
    ]  # fmt: skip
    asked = [
        {
            "on": one.some_day(300, 1),
            "reason": one.dice.choice(["LOAN_APPROVAL", "CARD_APPROVAL", "SELF", "POST_LOAN"]),
            "org": f"银行{number % 3}",
        }
        for number in range(one.dice.choice([0, 1, 3, 12]))
    ]
    return {"accounts": accounts, "inquiries": asked}


def _identity(one: Stranger) -> Document:
    checks = [
        {
            "person": "owner",
            "method": "THREE_FACTOR",
            "result": one.dice.choice(["MATCH"] * 8 + ["MISMATCH", "UNAVAILABLE"]),
            "on": one.some_day(300, 1),
        }
        for _ in range(one.dice.choice([0, 1, 1, 2]))
    ]
    return {"checks": checks, **({"place": {**place_of(one), "verified_on": one.some_day(200, 1)}} if one.maybe(0.5) else {})}


def _device(one: Stranger) -> Document:
    return {
        "sessions": [{"city": one.dice.choice(CITIES), "count": one.dice.choice([0, 3, 20])} for _ in range(2)],
        "devices": one.dice.choice([1, 3, 9]),
    }


def _records(one: Stranger) -> list[Document]:
    return [
        {"kind": one.dice.choice(["LITIGATION", "ENFORCEMENT", "DISHONEST", "ADMIN_PENALTY"]), "role": one.dice.choice(["PLAINTIFF", "DEFENDANT"]),
         "status": status, "filed_on": one.some_day(3_000, 400), **({"closed_on": one.some_day(390, 1)} if status == "CLOSED" else {})}
        for status in (["OPEN", "CLOSED"] if one.maybe(0.12) else [])
    ]  # fmt: skip


def _procurement(one: Stranger) -> Document:
    def order(number: int) -> Document:
        amount, signed = one.dice.choice([0, 60_000, 60_000, 400_000]), one.day - timedelta(days=one.dice.randint(20, 300))
        due, past = signed + timedelta(days=120), one.maybe(0.6)
        said: Document = {
            "id": f"o{number}", "buyer": one.dice.choice(["a", "b", "gov"]), "amount": f"{amount}.00", "confirmed": f"{amount * one.dice.choice([0, 1, 1])}.00",
            "signed_on": str(signed), "deliver_by": str(due), "status": "DELIVERED" if past else one.dice.choice(["OPEN", "OPEN", "CANCELLED"]),
            "invoiced": f"{amount if past else 0}.00",
        }  # fmt: skip
        if past:
            delivered = min(one.day, signed + timedelta(days=one.dice.choice([30, 119, 140])))
            said |= {"delivered_on": str(delivered), **({"paid_on": str(delivered + timedelta(days=20))} if one.maybe(0.8) else {})}
        return said

    buyers = {name: {**PARTIES[name], "government": False} for name in "ab"}
    buyers["gov"] = {"name": "某区教育局", "uscc": PARTIES["b"]["uscc"], "government": True}
    return {"account_locked": one.maybe(0.5), "buyers": buyers, "orders": [order(number) for number in range(one.dice.choice([0, 1, 6]))]}


def _farm(one: Stranger) -> Document:
    plots = [
        {"id": f"p{number}", "crop": "水稻" if one.maybe(0.9) else "烟草", "season": "2026", "claimed_mu": one.dice.choice(["0", "20", "105"]),
         "satellite_mu": one.dice.choice(["0", "4", "20", "100"]), "claimed_yield": one.dice.choice(["0", "450", "900"]), "lat": 30.0 + number / 50, "lon": 120.0,
         **({"register_mu": one.dice.choice(["0", "20", "104"])} if one.maybe(0.7) else {}), **({"insured_mu": "20"} if one.maybe(0.4) else {})}
        for number in range(one.dice.randint(1, 3))
    ]  # fmt: skip
    return {
        "register_holder": "owner", "policy_holder": "owner", "verified_seasons": one.dice.randint(0, 3), "insured": one.maybe(0.5),
        "purchase_contract": one.maybe(0.5), "credit_village": one.maybe(0.5), "harvest_on": str(one.day + timedelta(days=one.dice.randint(-100, 500))),
        "plots": plots,
    }  # fmt: skip


def _financials(one: Stranger) -> Document:
    names = (
        "total_assets",
        "fixed_assets",
        "cash",
        "acceptance_deposits",
        "receivables",
        "inventory",
        "prepayments",
        "payables",
        "advances_received",
    )

    def sheet(back: int) -> Document:
        lines = {name: f"{one.turnover * one.dice.choice([0, 0.5, 2]):.2f}" for name in names}
        owed = f"{float(lines['total_assets']) * 0.4:.2f}"
        return {
            "on": str(last_day(add_months(month_of(one.day), -back))),
            "lines": {**lines, "total_liabilities": owed, "equity": f"{float(lines['total_assets']) - float(owed):.2f}"},
        }

    def year(back: int) -> Document:
        revenue = one.turnover * one.dice.choice([0, 12, 12, 12])
        return {
            "year": one.day.year - back,
            "lines": {
                "revenue": f"{revenue:.2f}",
                "cost": f"{revenue * 0.7:.2f}",
                "net_profit": f"{revenue * one.dice.choice([-0.1, 0.05]):.2f}",
            },
        }

    return {
        "balance_sheets": [sheet(back) for back in (13, 1) if one.maybe(0.8)],
        "profit_and_loss": [year(back) for back in (2, 1) if one.maybe(0.8)],
    }


SECTIONS: dict[str, Callable[[Stranger], Any]] = {
    "tax": _tax, "financials": _financials, "invoices": _invoices, "shop": _shop, "ledger": _ledger, "social_insurance": _insurance, "housing_fund": _fund,
    "bureau": _bureau, "identity": _identity, "device": _device, "public_records": _records, "procurement": _procurement, "farm": _farm,
}  # fmt: skip
