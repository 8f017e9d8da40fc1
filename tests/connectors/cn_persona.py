"""A small invented persona for the gateways' tests: every quirk of the rules E14-E16 once. Identifiers are made, with valid check characters."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

from connectors.sandbox.persona import Persona
from hub.connect import Connector, Context, Grant, Subject

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def resident(digits: str) -> str:
    """Completes 17 digits to a resident ID."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


def uscc(text: str) -> str:
    """Completes 17 characters to a unified social credit code."""
    total = sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(text))
    return text + _USCC[(31 - total % 31) % 31]


def context_of(connector: Connector, subject: Subject, grant: Grant | None = None, **config: str) -> Context:
    """What a connector's pure functions are handed on 2026-01-20, of a platform that nobody asks."""
    return Context(
        config={"base_url": "http://platform.test", **config},
        subject=subject,
        sources=frozenset(connector.manifest.sources),
        data_from=date(2025, 1, 1),
        data_to=date(2026, 1, 20),
        now=datetime(2026, 1, 20, 2, 0, tzinfo=UTC),
        today=date(2026, 1, 20),
        grant=grant,
    )


OWNER = resident("99999919850617003")
OTHER = resident("99999919900102004")
BUSINESS = uscc("92999900MA9XXXX01")
FORMER = uscc("91999900MA9XXXX55")

BASE: dict[str, Any] = {
    "format": "persona/1",
    "id": "tea-house",
    "title": "A tea house with one shop",
    "scenario": "S03",
    "as_of": "2026-01-20",
    "known_at": "2026-01-20T10:00:00+08:00",
    "reference": {"lender": "样例银行"},
    "people": {
        "owner": {
            "name": "顾青禾",
            "resident_id": OWNER,
            "residence_city": "苏州市",
            "hukou_city": "安庆市",
            "hukou_since": "1985-06-17",
            "home": {"city": "苏州市", "lat": 31.3012, "lon": 120.5981},
            "education": {"level": "BACHELOR", "verified": True, "graduated_on": "2007-07-01"},
        },
        "other": {
            "name": "罗映川",
            "resident_id": OTHER,
            "residence_city": "苏州市",
            "hukou_city": "苏州市",
            "hukou_since": "1990-01-02",
        },
    },
    "business": {
        "uscc": BUSINESS,
        "name": "苏州青禾茶舍",
        "industry": "F5226",
        "status": "ACTIVE",
        "established_on": "2021-03-09",
        "registered_capital": "120000.00",
        "responsible": "owner",
        "responsible_since": "2023-02-01",
        "registered_to": "owner",
        "registered_at": {"city": "苏州市", "lat": 31.299, "lon": 120.585},
        "operates_at": {"city": "苏州市", "lat": 31.31, "lon": 120.6},
        "qualifications": ["TECH_SME"],
    },
    "sources": {
        "REGISTRATION": {"from": "2021-03"},
        "SOCIAL_INSURANCE": {"from": "2024-01", "gaps": ["2024-05"]},
        "HOUSING_FUND": {"from": "2024-01"},
        "IDENTITY": {"from": "2025-01"},
        "PUBLIC_RECORD": {"from": "2021-01"},
    },
    "social_insurance": {
        "city": "苏州市",
        "rates": {"PENSION": ["0.16", "0.08"], "MEDICAL": ["0.099", "0.02"], "WORK_INJURY": ["0.0045", "0"]},
        "employer": {
            "first": "2025-07",
            "headcount": [3, 3, 3, 0, 4, 4],
            "base": ["14436.33", "14436.33", "14436.33", "0.00", "19248.45", "19248.45"],
            "late": ["2025-08", "2025-12"],
            "unpaid": ["2025-09"],
        },
        "persons": [
            {
                "person": "owner",
                "employer": {"name": "安庆旧东家有限公司", "uscc": FORMER},
                "from": "2023-10",
                "to": "2024-03",
                "base": "5012.35",
            },
            {
                "person": "owner",
                "employer": None,
                "from": "2024-04",
                "to": "2025-12",
                "base": "4879.00",
                "missed": ["2024-09"],
                "back_paid": [{"period": "2025-01", "paid_on": "2025-06-11"}, {"period": "2025-03", "paid_on": "2025-06-30"}],
            },
        ],
    },
    "housing_fund": {
        "city": "苏州市",
        "accounts": [
            {
                "person": "owner",
                "employer": {"name": "安庆旧东家有限公司", "uscc": FORMER},
                "status": "SEALED",
                "from": "2023-11",
                "to": "2024-03",
                "base": "5012.35",
                "employer_rate": "0.08",
                "employee_rate": "0.07",
                "opening_balance": "1200.50",
            },
            {
                "person": "owner",
                "employer": {"name": "苏州青禾茶舍", "uscc": BUSINESS},
                "status": "NORMAL",
                "from": "2024-06",
                "to": "2025-12",
                "base": "6000.00",
                "employer_rate": "0.05",
                "employee_rate": "0.05",
                "missed": ["2024-10"],
                "back_paid": [{"period": "2025-02", "paid_on": "2025-07-03"}],
            },
        ],
    },
    "identity": {
        "checks": [
            {"person": "owner", "method": "TWO_FACTOR", "result": "UNAVAILABLE", "on": "2025-08-02"},
            {"person": "owner", "method": "FACE_LIVENESS", "result": "MATCH", "on": "2026-01-17"},
        ],
        "place": {"city": "苏州市", "lat": 31.3111, "lon": 120.6021, "verified_on": "2025-11-05"},
    },
    "public_records": [
        {"kind": "LITIGATION", "role": "PLAINTIFF", "status": "OPEN", "filed_on": "2025-09-02", "amount": "86000.00"},
        {"kind": "ADMIN_PENALTY", "role": "DEFENDANT", "status": "CLOSED", "filed_on": "2022-04-01", "closed_on": "2022-06-30"},
    ],
}


def persona(**changes: Any) -> Persona:
    """The persona, whole sections replaced by name."""
    return Persona.model_validate(deepcopy(BASE) | changes)


def with_source(kind: str, **changes: Any) -> Persona:
    """The persona with one source's coverage changed."""
    sources = deepcopy(BASE["sources"])
    return persona(sources=sources | {kind: sources[kind] | changes})
