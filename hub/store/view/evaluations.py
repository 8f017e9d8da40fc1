"""Evaluations in the catalogue: the result, and the walk from each of its numbers to the facts it was made of."""

from __future__ import annotations

from hub.store.view.catalogue import (
    SHOWN_NUMBER,
    Argued,
    Column,
    Many,
    Member,
    One,
    Order,
    Paged,
    Rows,
    RowsOf,
    Scope,
    TypeView,
    Valued,
    below,
    columns,
    decimals,
    global_id,
    plain,
)
from hub.store.view.disputes import EVALUATION_DISPUTES, FEATURE_DISPUTES
from hub.store.view.environment import INTERNAL
from hub.store.view.gate import in_force_now, of_kind, of_this_use
from hub.store.view.merged import is_part
from hub.store.view.models import MODEL_ORDER, MODEL_TYPES
from hub.store.view.products import PRODUCT_MATCHES
from hub.store.view.reference_versions import evaluation_origin
from hub.store.view.samples import SAMPLE

_SCENARIO = {"scenario": Argued("text", "{t}.scenario = {p}")}
_OF_KIND = {**_SCENARIO, "whatIf": Argued("boolean", "{t}.what_if = {p}")}

NEWEST = "{t}.created_at desc, {t}.evaluation_id desc"


def still_readable(t: str) -> str:
    """What was derived follows its inputs: an evaluation shows while every source and kind it read has a consent in force for this use and its scenario, which
    has not become narrower since."""
    e, c = f"{t}_e", f"{t}_c"
    as_it_was = f"({c}.narrowed_at is null or {c}.narrowed_at <= {t}.known_at)"
    for_this = f"{t}.scenario = any({c}.scenarios)"
    in_force = " and ".join((*of_this_use(c), *in_force_now(c), of_kind(c, f"{e}.kind"), for_this, as_it_was))
    consented = f"exists (select 1 from consent {c} where {c}.customer_id = {e}.customer_id and {c}.source = {e}.source and {in_force})"
    mine = f"{e}.customer_id = {t}.customer_id and {e}.evaluation_id = {t}.evaluation_id"
    # The few kinds, which are kept each once, and not the many features.
    return f"not exists (select 1 from evidence_kind {e} where {mine} and not {consented})"


def readable_ones(t: str, scope: Scope) -> tuple[str, ...]:
    """Evaluations of the enclosing customer that may be shown, up to the day and the instant asked for."""
    where = [is_part(t, scope), still_readable(t)]
    if scope.known_at is not None:
        where.append(f"{t}.known_at <= {scope.known_at}")
    if scope.as_of is not None:
        where.append(f"{t}.as_of <= {scope.as_of}")
    return tuple(where)


def _evaluations(t: str, scope: Scope) -> Rows:
    return Rows(f"evaluation {t}", readable_ones(t, scope))


def missing(rows_of: RowsOf) -> RowsOf:
    """Why there is none of these, as one ``value``; no row where there is one. It is told by the consents alone: what is not shown is not there.
    A scenario that there is no policy for has no evaluations of anybody."""

    def rows(t: str, scope: Scope) -> Rows:
        c, there = f"{t}_c", rows_of(f"{t}_v", scope)
        consented = " and ".join((is_part(c, scope), *of_this_use(c), *in_force_now(c)))
        named = scope.given.get("scenario")
        unknown = f"when not exists (select 1 from policy where policy_id = {named}) then 'UNKNOWN_SCENARIO'" if named else ""
        reason = f"case {unknown} when exists (select 1 from consent {c} where {consented}) then 'NOT_EVALUATED' else 'CONSENT_MISSING' end"
        return Rows(f"(select {reason} as value where not exists (select 1 from {there.source} where {' and '.join(there.where)})) {t}", ())

    return rows


def _of_kind(t: str, scope: Scope) -> Rows:
    """As ``evaluation`` finds it under the same arguments."""
    given = (
        f"{t}.{column} = {scope.given[name]}" for name, column in (("scenario", "scenario"), ("whatIf", "what_if")) if name in scope.given
    )
    return Rows(f"evaluation {t}", (*readable_ones(t, scope), *given))


def evaluation_fields() -> dict[str, Member]:
    """The customer's fields."""
    return {
        "evaluation": One("Evaluation", _evaluations, NEWEST, _OF_KIND),
        "evaluationMissing": Valued(missing(_of_kind), {"scenario": Argued("text"), "whatIf": Argued("boolean")}),
        "evaluations": Paged("Evaluation", _evaluations, Order("evaluation_id"), _OF_KIND),
    }


def _part(table: str) -> RowsOf:
    return below(table, "Evaluation", "evaluation_id")


def _reasons(t: str, scope: Scope) -> Rows:
    rows = below("evaluation_reason", "Evaluation", "evaluation_id")(t, scope)
    return Rows(rows.source, (*rows.where, f"({t}.customer_visible or {INTERNAL})"))


def _lacking(t: str, scope: Scope) -> Rows:
    rows = f"jsonb_to_recordset(coalesce({scope['Evaluation']}.lacking, '[]'::jsonb)) as {t}(name text, reason text, part text)"
    return Rows(rows, ())


def _features_of_part(t: str, scope: Scope) -> Rows:
    rows, p = below("feature_value", "LimitPart", "evaluation_id")(t, scope), scope["LimitPart"]
    return Rows(rows.source, (*rows.where, f"{t}.feature_id = any({p}.feature_ids)"))


def _feature_of_point(t: str, scope: Scope) -> Rows:
    rows, p = below("feature_value", "ScorePoint", "evaluation_id")(t, scope), scope["ScorePoint"]
    return Rows(rows.source, (*rows.where, f"{t}.feature_id = {p}.feature_id"))


def _evidence(t: str, scope: Scope) -> Rows:
    rows, p = below("feature_evidence", "FeatureValue", "evaluation_id")(t, scope), scope["FeatureValue"]
    return Rows(rows.source, (*rows.where, f"{t}.feature_id = {p}.feature_id"))


def _policy(t: str, scope: Scope) -> Rows:
    p = scope["Evaluation"]
    return Rows(f"policy {t}", (f"{t}.policy_id = {p}.policy_id", f"{t}.version = {p}.policy_version"))


EVALUATION = TypeView(
    "Evaluation",
    {
        **columns(id=global_id("Evaluation", "evaluation_id"), purpose="{t}.request_purpose"),
        **columns(supersedes=global_id("Evaluation", "supersedes")),
        **plain("scenario", "asOf", "knownAt", "createdAt", "outcome", "tier", "score", "grade", "baseTermMonths", "termMonths"),
        **plain("whatIf"),
        **plain("repayment", "guarantee", "binding", "flags", "notes", "nextBestSource", "inputsDigest"),
        **decimals("requestedAmount", "tau", "consistency", "coverage", "verifiedRevenue", "probabilityOfDefault"),
        **decimals("baseLimit", "finalLimit", "enhancement", "baseRate", "rate", "allInCost", "riskAdjustedMargin"),
        **evaluation_origin(),
        "disputes": EVALUATION_DISPUTES,
        "policy": One("PolicyVersion", _policy),
        "reasons": Many("Reason", _reasons, "{t}.ordinal"),
        "lacking": Many("LackingInput", _lacking, "{t}.part, {t}.name"),
        "models": Many("ModelResult", _part("model_result"), MODEL_ORDER),
        "checks": Many("CheckResult", _part("check_result"), "{t}.check_id"),
        "scorePoints": Many("ScorePoint", _part("score_point"), "{t}.characteristic"),
        "features": Many("FeatureValue", _part("feature_value"), "{t}.feature_id", {"ids": Argued("text[]", "{t}.feature_id = any({p})")}),
        "limitParts": Many("LimitPart", _part("limit_part"), "{t}.part, {t}.code", {"parts": Argued("text[]", "{t}.part = any({p})")}),
        "products": PRODUCT_MATCHES,
        "series": Many("SeriesMonth", _part("series_month"), "{t}.series, {t}.month", {"names": Argued("text[]", "{t}.series = any({p})")}),
    },
)

EVALUATION_TYPES = [
    EVALUATION,
    *MODEL_TYPES,
    TypeView("PolicyVersion", {**columns(id="{t}.policy_id"), **plain("version", "sha256", "effectiveFrom", "publishedAt")}),
    TypeView("LackingInput", plain("name", "reason", "part")),
    TypeView("Reason", plain("code", "textZh", "textEn", "cureZh", "cureEn", "customerVisible")),
    TypeView(
        "CheckResult",
        {
            **columns(id="{t}.check_id", deviation="round({t}.deviation, case {t}.check_id when 'L2' then 2 else 4 end)::text"),
            **columns(score="round({t}.check_score, 4)::text", weight="round({t}.weight, 4)::text"),
            **plain("dimension", "status", "explanationZh", "explanationEn"),
        },
    ),
    TypeView(
        "ScorePoint", {**plain("characteristic", "featureId", "points", "maximum"), "feature": One("FeatureValue", _feature_of_point)}
    ),
    TypeView(
        "FeatureValue",
        {
            **columns(id="{t}.feature_id", number=SHOWN_NUMBER),
            **plain("text", "unit", "missingReason", "formula", "formulaVersion", "windowFirst", "windowLast", "coveredMonths"),
            "evidence": Many("FeatureEvidence", _evidence, "{t}.ordinal"),
            "disputes": FEATURE_DISPUTES,
        },
    ),
    TypeView(
        "FeatureEvidence",
        {
            **plain("kind", "source", "firstDay", "lastDay", "facts", "digest"),
            "sample": SAMPLE,
        },
    ),
    TypeView(
        "LimitPart",
        {
            **plain("part", "code", "earned", "binding"),
            **decimals("amount", "share"),
            "features": Many("FeatureValue", _features_of_part, "{t}.feature_id"),
        },
    ),
    TypeView(
        "SeriesMonth",
        {
            **plain("series", "month", "source"),
            "value": Column("trim_scale({t}.value)::text"),
            "unit": Column("case {t}.series when 'ORDERS' then 'COUNT' else 'YUAN' end"),
            "missingReason": Column("case when {t}.value is null then 'INSUFFICIENT_COVERAGE' end"),
        },
    ),
]
