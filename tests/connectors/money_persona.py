"""A small invented persona with two accounts of two holders and a credit file: the quirks of the rules E1, E10 and E17 once each.

The payment source has a gap, ends in the middle of a month and begins after the first movement; the bureau's ends in the middle of a month.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from connectors.sandbox.persona import Persona

OPERATOR, BUSINESS = "339997198403150038", "92330199MA2XXXX01P"

_ONE_EACH = [
    ("CAPITAL_INJECTION", "IN"),
    ("REFUND_IN", "IN"),
    ("TAX_REFUND", "IN"),
    ("SUBSIDY", "IN"),
    ("CASH", "IN"),
    ("UNKNOWN", "IN"),
    ("PURCHASE", "OUT"),
    ("WAGE", "OUT"),
    ("RENT", "OUT"),
    ("UTILITY", "OUT"),
    ("LOGISTICS", "OUT"),
    ("PLATFORM_FEE", "OUT"),
    ("AD", "OUT"),
    ("TAX", "OUT"),
    ("SOCIAL", "OUT"),
    ("LOAN_REPAYMENT", "OUT"),
    ("OWNER_DRAW", "OUT"),
    ("INVESTMENT", "OUT"),
]

_DOCUMENT: dict[str, Any] = {
    "format": "persona/1",
    "id": "noodle-shop",
    "title": "A noodle shop with two accounts",
    "scenario": "S04",
    "as_of": "2026-01-20",
    "known_at": "2026-01-20T10:00:00+08:00",
    "reference": {"lender": "样例银行"},
    "people": {
        "operator": {
            "name": "乔南枝",
            "resident_id": OPERATOR,
            "residence_city": "杭州市",
            "hukou_city": "杭州市",
            "hukou_since": "1984-03-15",
        }
    },
    "business": {
        "uscc": BUSINESS,
        "name": "杭州南枝面馆",
        "industry": "H6210",
        "status": "ACTIVE",
        "established_on": "2021-03-01",
        "responsible": "operator",
        "registered_to": "operator",
        "registered_at": {"city": "杭州市", "lat": 30.2, "lon": 120.1},
    },
    "sources": {
        "PAYMENT": {"from": "2025-09", "until": "2026-01-10", "gaps": ["2025-11"]},
        "BUREAU": {"from": "2024-01", "until": "2025-12-15", "gaps": ["2025-03"]},
    },
    "ledger": {
        "scope": "PARTIAL",
        "accounts": [
            {
                "id": "till",
                "type": "ALIPAY",
                "institution": "支付宝",
                "holder": "business",
                "role": "SETTLEMENT",
                "opened_on": "2021-04-01",
                "opening_balance": "1000.00",
            },
            {
                "id": "own",
                "type": "BANK_PERSONAL",
                "institution": "西湖银行",
                "holder": "operator",
                "role": "GENERAL",
                "opening_balance": "0.00",
            },
        ],
        "flows": [
            {
                "account": "till",
                "category": "SALES_RECEIPT",
                "direction": "IN",
                "first": "2025-08",
                "months": 6,
                "total": "6000.01",
                "per_month": 4,
            },
            {
                "account": "till",
                "category": "PLATFORM_PAYOUT",
                "direction": "IN",
                "first": "2025-12",
                "amounts": ["300.00", "90.00"],
                "days": [5, 31],
            },
            {"account": "till", "category": "OWN_TRANSFER", "direction": "OUT", "first": "2025-12", "amounts": ["50.00"], "days": [5]},
            {"account": "own", "category": "OWN_TRANSFER", "direction": "IN", "first": "2025-12", "amounts": ["50.00"], "days": [5]},
            {"account": "own", "category": "LOAN_DISBURSEMENT", "direction": "IN", "first": "2025-12", "amounts": ["800.00"], "days": [5]},
            *(
                {"account": "own", "category": category, "direction": direction, "first": "2025-10", "amounts": ["10.00"]}
                for category, direction in _ONE_EACH
            ),
        ],
    },
    "bureau": {
        "accounts": [
            {
                "id": "B1",
                "of": "business",
                "lender": "钱江银行",
                "kind": "OPERATING",
                "secured": False,
                "repayment": "REVOLVING",
                "opened_on": "2025-01-08",
                "limit": "200000.00",
                "balance": "80000.50",
                "monthly_due": "240.00",
                "bank_tax_loan": True,
                "statuses": {"first": "2025-01", "codes": "*N1N2MNNNNNN"},
            },
            {
                "id": "P1",
                "of": "operator",
                "lender": "西湖银行",
                "kind": "MORTGAGE",
                "secured": True,
                "open": False,
                "repayment": "AMORTISING",
                "opened_on": "2016-05-01",
                "matures_on": "2036-05-01",
                "balance": "0.00",
                "monthly_due": "0.00",
                "statuses": {"first": "2023-11", "codes": "NNNC"},
            },
            {
                "id": "B2",
                "of": "business",
                "lender": "钱江银行",
                "kind": "GUARANTEED",
                "secured": True,
                "repayment": "BULLET",
                "opened_on": "2025-12-20",
                "balance": "1.00",
                "monthly_due": "1.00",
                "statuses": {"first": "2026-01", "codes": "*"},
            },
        ],
        "inquiries": [
            {"on": "2023-12-31", "reason": "SELF", "org": "乔南枝"},
            {"on": "2025-02-03", "reason": "LOAN_APPROVAL", "org": "钱江银行"},
            {"on": "2025-02-03", "reason": "LOAN_APPROVAL", "org": "钱江银行"},
            {"on": "2025-03-09", "reason": "CARD_APPROVAL", "org": "西湖银行"},
            {"on": "2025-12-15", "reason": "GUARANTEE_REVIEW", "org": "西湖银行"},
            {"on": "2025-12-16", "reason": "LOAN_APPROVAL", "org": "钱江银行"},
        ],
    },
}


def document() -> dict[str, Any]:
    """The persona as data, for a test that changes it."""
    return deepcopy(_DOCUMENT)


def noodle_shop(**sources: dict[str, Any]) -> Persona:
    """The persona; a named source replaces that of the document."""
    changed = document()
    changed["sources"] |= sources
    return Persona.model_validate(changed)
