"""An evaluation as rows of the tables that hold its parts. Pure: values in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from hub.credit.crosscheck.explanations import explain
from hub.credit.dossier import Dossier, EvidenceSet
from hub.credit.evaluate import Evaluation, Findings
from hub.credit.expected import OFFERED, to_expected
from hub.credit.features.series import SERIES_MONTHS, SOURCE_OF
from hub.credit.models.run import Complete
from hub.credit.policies import document
from hub.credit.products.matching import document_of
from hub.credit.scenario.cost import cost_of
from hub.credit.scenario.limit import CAP_CODES, Amount, Limit
from hub.credit.scenario.reasons import wording
from hub.credit.values import Feature
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.domain.periods import window
from hub.store import tables
from hub.store.evaluations.model_rows import MODELS, hint_rows, model_evidence, model_rows
from hub.store.evaluations.profile import PROFILE, profile_evidence, profile_row

SALES = "SALES"
"""Name of the primary sales series among the series of an evaluation."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the store adds to an evaluation: whose it is, its id, when it was made, what it replaces, the digest of its inputs, and under
    consents for which purpose it was made."""

    customer_id: CustomerId
    evaluation_id: UUID
    created_at: datetime
    supersedes: UUID | None
    inputs_digest: str
    use_purpose: str
    known_at: datetime
    what_if: bool = False


Row = dict[str, Any]


def head_row(heading: Heading, made: Evaluation) -> Row:
    """The row of ``evaluation``."""
    policy, dossier, said = made.policy, made.dossier, made.reasons
    return {
        "customer_id": heading.customer_id,
        "evaluation_id": heading.evaluation_id,
        "scenario": policy.id,
        "policy_id": policy.id,
        "policy_version": policy.version,
        "policy_sha256": policy.sha256,
        "as_of": dossier.as_of,
        "known_at": dossier.known_at,
        "request_purpose": made.request.purpose,
        "use_purpose": heading.use_purpose,
        "requested_amount": made.request.amount,
        "outcome": made.outcome,
        "reasons": list(said.codes),
        "customer_reasons": list(said.customer),
        "notes": list(said.notes),
        "document": to_expected(made, str(heading.customer_id)),
        "inputs_digest": heading.inputs_digest,
        "created_at": heading.created_at,
        "supersedes": heading.supersedes,
        "what_if": heading.what_if,
        **(_found(made, made.findings) if made.findings else {}),
    }


def _found(made: Evaluation, found: Findings) -> Row:
    verdict, offered = found.verdict, made.outcome in OFFERED
    return {
        "tier": verdict.tier,
        "tau": verdict.tau,
        "consistency": verdict.consistency,
        "coverage": verdict.coverage,
        "verified_revenue": verdict.revenue,
        "flags": list(verdict.flags),
        "next_best_source": verdict.next_best_source,
        "score": found.score.total,
        "grade": found.score.grade,
        "probability_of_default": found.score.default_probability,
        "base_rate": found.price.base_rate if found.price else None,
        "rate": found.price.rate if found.price else None,
        "all_in_cost": cost_of(made),
        "risk_adjusted_margin": found.price.margin if found.price else None,
        "repayment": made.policy.repayment[0] if offered else None,
        "guarantee": found.guarantee if offered else None,
        **(_offered(found.limit) if found.limit else {}),
    }


def _offered(limit: Limit) -> Row:
    return {
        "base_limit": limit.base_limit,
        "final_limit": limit.final_limit,
        "enhancement": limit.enhancement,
        "base_term_months": limit.base_term,
        "term_months": limit.term,
        "binding": list(limit.binding),
    }


def part_rows(heading: Heading, found: Complete) -> Iterator[tuple[Table, list[Row]]]:
    """The rows of every other table, those that are not empty."""
    made = found.made
    parts = {tables.reason_text: _reasons(made), **(_of_findings(made, made.findings) if made.findings else {})}
    parts |= {tables.model_result: model_rows(found.results), tables.evaluation_hint: hint_rows(found.hints)}
    parts[tables.feature_evidence] = [*parts.get(tables.feature_evidence, ()), *_evidence(MODELS, model_evidence(found))]
    fitting = None if found.products is None else document_of(found.products)
    parts[tables.evaluation_profile] = [{**row, "products": fitting} for row in parts.get(tables.evaluation_profile, ())]
    mine = {"customer_id": heading.customer_id, "evaluation_id": heading.evaluation_id}
    for table, rows in parts.items():
        if rows:
            yield table, [{**mine, **row} for row in rows]


def _of_findings(made: Evaluation, found: Findings) -> Mapping[Table, list[Row]]:
    features = list(found.features.values())
    return {
        tables.feature_value: [_feature(one) for one in features],
        tables.feature_evidence: [row for one in features for row in _evidence(one.id, one.evidence)]
        + _evidence(PROFILE, profile_evidence(made.dossier)),
        tables.evaluation_profile: [profile_row(made.dossier, found)],
        tables.check_result: _checks(found),
        tables.score_point: _points(found),
        tables.limit_part: list(_limit_parts(found.limit)) if found.limit else [],
        tables.series_month: list(_series(made.dossier, found)),
    }


def _reasons(made: Evaluation) -> list[Row]:
    """What the customer may see, and what is kept inside; a notice only customers get has its place at the end."""
    catalogue, said = document("reasons")["codes"], made.reasons
    codes = dict.fromkeys((*said.codes, *said.customer))
    lacking = made.findings.eligibility.lacking if made.findings else ()
    words = {code: wording(code, made.gate, lacking) for code in codes}
    return [
        {
            "ordinal": ordinal,
            "code": code,
            "text_en": words[code][0],
            "text_zh": words[code][1],
            "cure_en": catalogue[code]["cure_en"],
            "cure_zh": catalogue[code]["cure_zh"],
            "customer_visible": code in said.customer,
        }
        for ordinal, code in enumerate(codes)
    ]


def _feature(one: Feature) -> Row:
    return {
        "feature_id": one.id,
        "number": one.number,
        "text": None if one.number is not None or one.value is None else _text(one.value),
        "unit": one.unit,
        "missing_reason": one.missing,
        "formula_version": one.version,
        "formula": one.formula,
        "window_first": one.first,
        "window_last": one.last,
        "covered_months": one.covered,
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _evidence(feature_id: str, sets: Iterable[EvidenceSet]) -> list[Row]:
    return [
        {
            "feature_id": feature_id,
            "ordinal": ordinal,
            "kind": found.kind,
            "source": found.source,
            "first_day": found.first,
            "last_day": found.last,
            "facts": found.facts,
            "digest": found.digest,
        }
        for ordinal, found in enumerate(sets)
    ]


def _checks(found: Findings) -> list[Row]:
    return [
        {
            "check_id": check.id,
            "dimension": check.dimension,
            "status": check.status,
            "deviation": check.deviation,
            "check_score": check.score,
            "weight": check.weight,
            "explanation_en": explain(check, found.observers, "en"),
            "explanation_zh": explain(check, found.observers, "zh"),
        }
        for check in found.verdict.checks.values()
    ]


def _points(found: Findings) -> list[Row]:
    return [
        {"characteristic": one.id, "feature_id": one.feature, "points": one.points, "maximum": one.maximum} for one in found.score.points
    ]


def _limit_parts(limit: Limit) -> Iterator[Row]:
    smallest = min(leg.value for leg in limit.legs.values() if leg.value is not None)
    for code, leg in limit.legs.items():
        yield _part("LEG", code, leg, binding=leg.value == smallest)
    for one in limit.uplifts:
        yield {**_part("UPLIFT", one.uplift.id, Amount(None, one.features)), "share": one.uplift.share, "earned": one.earned}
    for code, cap in limit.base_caps.items():
        yield _part("BASE_CAP", code, cap)
    for code, cap in limit.caps.items():
        yield _part("CAP", code, cap, binding=CAP_CODES[code] in limit.binding)


def _part(part: str, code: str, one: Amount, *, binding: bool = False) -> Row:
    return {
        "part": part,
        "code": code,
        "amount": one.value,
        "share": None,
        "earned": None,
        "binding": binding,
        "feature_ids": list(one.features),
    }


def _series(dossier: Dossier, found: Findings) -> Iterator[Row]:
    """Every monthly series of the evaluation's dossier over W24, null where a month is not covered; the sales series comes first."""
    months = window(dossier.as_of, SERIES_MONTHS)
    if found.sales.source:
        yield from _months(SALES, SOURCE_OF[found.sales.source], months, found.sales.months)
    for name in sorted(dossier.amounts):
        source = _source_of(name)
        if dossier.readable(source):
            yield from _months(name, source, months, dossier.series(name, source, months))


def _months(name: str, source: SourceKind, months: list[Any], values: Mapping[Any, Decimal]) -> Iterator[Row]:
    return ({"series": name, "month": month, "value": values.get(month), "source": source} for month in months)


def _source_of(name: str) -> SourceKind:
    """The source of a plain monthly sum, see :meth:`hub.credit.dossier.Dossier.series`."""
    if name in ("GMV", "REF", "ORDERS"):
        return SourceKind.SHOP
    return SourceKind.INVOICE if name in ("IO", "II", "IO_TAX") else SourceKind.PAYMENT
