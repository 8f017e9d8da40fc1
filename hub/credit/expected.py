"""An evaluation in the shape of the expected format (``expected/1``): what ``hub evaluate --json`` prints and tests compare.

Rounded half up, once, here: yuan and km 2 decimals, ratios and scores of checks 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.credit.crosscheck import Check
from hub.credit.evaluate import Evaluation, Findings
from hub.credit.scenario.limit import Amount, Limit
from hub.credit.values import Feature
from hub.domain.enums import Outcome, Unit

PLACES = {Unit.RATIO: 4, Unit.TIMES: 4}
TOLERANCE = {
    "YUAN": "0.01",
    "RATIO": "0.0001",
    "TIMES": "0.0001",
    "DAYS": "0.01",
    "MONTHS": "0.01",
    "HEADS": "0.01",
    "PER_MONTH": "0.01",
    "SCORE": "0.01",
    "KM": "0.01",
}
FOREIGN = frozenset({Unit.SECONDS, Unit.KM, Unit.DEGREE})
"""Units the format has no word for; features in them are left out."""
OFFERED = (Outcome.ENHANCED, Outcome.BASE_ONLY)


def rounded(value: Decimal | None, places: int) -> str | None:
    """Decimal text, half up. A zero has no sign."""
    return None if value is None else f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0:f}"


def to_expected(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """The document; behind a closed gate only outcome and reasons are asserted and everything else is null."""
    found, said = evaluation.findings, evaluation.reasons
    head = {
        "format": "expected/1",
        "persona": name,
        "scenario": evaluation.policy.id,
        "as_of": str(evaluation.dossier.as_of),
        "tolerance": TOLERANCE,
    }
    body = _sections(found, evaluation.outcome, evaluation.policy) if found else dict.fromkeys(SECTIONS)
    tail = {
        "outcome": evaluation.outcome.value,
        "reasons": list(said.codes),
        "customer_reasons": list(said.customer),
        "notes": list(said.notes),
    }
    best = found.verdict.next_best_source if found else None
    return {**head, **body, **tail, "next_best_source": best.value if best else None}


SECTIONS = (
    "segments", "eligibility", "features", "observers", "checks", "dimensions", "consistency", "coverage", "tier", "tau", "verified_revenue",
    "flags", "score", "limit", "price", "term_months", "repayment", "guarantee",
)  # fmt: skip


def _sections(found: Findings, outcome: Outcome, policy: Any) -> dict[str, Any]:
    verdict, groups, offered = found.verdict, found.segments, outcome in OFFERED
    return {
        "segments": {
            "customer_type": groups.customer_type,
            "overlays": list(groups.overlays),
            "size": groups.size,
            "product_class": groups.product_class,
        },
        "eligibility": {"failed": list(found.eligibility.failed), "unknown": list(found.eligibility.unknown_codes)},
        "features": {name: feature_document(feature) for name, feature in sorted(found.features.items()) if feature.unit not in FOREIGN},
        "observers": _observers(found) if found.verdict.frame.has_observers else None,
        "checks": {name: _check(check) for name, check in verdict.checks.items()},
        "dimensions": {name: rounded(value, 4) for name, value in verdict.dimensions.items()},
        "consistency": rounded(verdict.consistency, 4),
        "coverage": rounded(verdict.coverage, 4),
        "tier": verdict.tier.value,
        "tau": rounded(verdict.tau, 1),
        "verified_revenue": rounded(verdict.revenue, 2),
        "flags": list(verdict.flags),
        "score": _score(found),
        "limit": limit_document(found.limit) if found.limit else None,
        "price": _price(found),
        "term_months": {"base": found.limit.base_term, "offered": found.limit.term} if found.limit else None,
        "repayment": policy.repayment[0] if offered else None,
        "guarantee": found.guarantee if offered else None,
    }


def feature_document(feature: Feature) -> dict[str, Any]:
    """A count as integer, a flag as boolean, all else as text."""
    value = feature.value
    text = rounded(value, PLACES.get(feature.unit, 2)) if isinstance(value, Decimal) else value
    return {"value": text, "unit": feature.unit.value, "missing_reason": feature.missing.value if feature.missing else None}


def _observers(found: Findings) -> dict[str, Any]:
    months = found.observers.months
    span = {"first_month": months[0], "last_month": months[-1], "months": len(months)} if months else {"months": 0}
    values = {
        name: {"value": rounded(one.value, 2), "missing_reason": one.missing.value if one.missing else None}
        for name, one in found.observers.by_name.items()
    }
    return {**span, **values}


def _check(check: Check) -> dict[str, Any]:
    places = 2 if check.id == "L2" else 4
    return {
        "status": check.status.value,
        "d": rounded(check.deviation, places),
        "s": rounded(check.score, 4),
        "weight": rounded(check.weight, 4),
    }


def _score(found: Findings) -> dict[str, Any]:
    score = found.score
    return {
        "points": {one.id: one.points for one in score.points},
        "total": score.total,
        "grade": score.grade,
        "pd": rounded(score.default_probability, 4),
    }


def _price(found: Findings) -> dict[str, Any] | None:
    price = found.price
    if price is None:
        return None
    return {"base_rate": rounded(price.base_rate, 4), "rate": rounded(price.rate, 4), "risk_adjusted_margin": rounded(price.margin, 4)}


def limit_document(limit: Limit) -> dict[str, Any]:
    return {
        "legs": _amounts(limit.legs),
        "base": rounded(limit.base, 2),
        "uplifts": [{"id": one.uplift.id, "share": rounded(one.uplift.share, 2), "earned": one.earned} for one in limit.uplifts],
        "uplift": rounded(limit.uplift, 2),
        "effective_uplift": rounded(limit.effective, 4),
        "before_caps": rounded(limit.before_caps, 2),
        "base_caps": _amounts(limit.base_caps),
        "caps": _amounts(limit.caps),
        "binding": list(limit.binding),
        "base_limit": rounded(limit.base_limit, 2),
        "final_limit": rounded(limit.final_limit, 2),
        "enhancement": rounded(limit.enhancement, 2),
    }


def _amounts(amounts: Mapping[str, Amount]) -> dict[str, str | None]:
    return {name: rounded(one.value, 2) for name, one in amounts.items()}
