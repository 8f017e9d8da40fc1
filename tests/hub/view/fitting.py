"""How products fit the customer of the small world."""

from __future__ import annotations

from typing import Any

_NAMED = {"name_zh": "贷", "name_en": "Loan", "scenario": "S03", "why_zh": "匹配。", "why_en": "It fits."}
_COMPARED = {"ours": "223000", "theirs": "300000", "difference": "77000", "same": False, "text_zh": "多", "text_en": "More."}
MATCHES: list[dict[str, Any]] = [
    {**_NAMED, "code": "S03", "holder": "OWN", "kind": "LOAN", "peer": None, "seen_on": None, "fit": "FITS", "criteria": ["PURPOSE"], "exclusive": True, "differences": []},
    {**_NAMED, "code": "PAYROLL", "holder": "OWN", "kind": "SERVICE", "peer": None, "seen_on": None, "fit": "UNKNOWN", "criteria": [], "exclusive": False, "differences": []},
    {
        **{**_NAMED, "code": "X", "holder": "PEER", "kind": "LOAN", "peer": "River Bank", "seen_on": "2026-01-05", "fit": "FITS", "criteria": [], "exclusive": False},
        "differences": [{**_COMPARED, "element": "LIMIT"}, {**_COMPARED, "element": "GUARANTEE", "difference": None, "same": True}],
    },
]  # fmt: skip
