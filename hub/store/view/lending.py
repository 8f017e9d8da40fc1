"""Loans, warnings about them, and hints, in the catalogue. Loans are the lender's own; the rest was derived, and follows the consents of what it was derived from."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Many, Member, One, Order, Paged, Rows, Scope, TypeView, columns, decimals, global_id, plain
from hub.store.view.environment import INTERNAL, NOW, PURPOSE, TODAY
from hub.store.view.evaluations import readable_ones, still_readable
from hub.store.view.merged import is_part

_SOME_SCENARIO = {"scenario": Argued("text", "{t}.scenario = {p}")}
_SIGNALS = {
    **_SOME_SCENARIO,
    "triggers": Argued("text[]", "{t}.trigger_id = any({p})"),
    "severities": Argued("text[]", "{t}.severity = any({p})"),
    "over": Argued("boolean"),
}


def _loans(t: str, scope: Scope) -> Rows:
    """Of each number the latest word, on the day and at the instant asked for."""
    row, known_at = f"{t}_l", scope.known_at or NOW
    where = [
        is_part(row, scope),
        f"({INTERNAL} or {row}.recorded_by = (select current_setting('hub.client', true)))",
        f"{row}.status_on <= {scope.as_of or TODAY}",
        f"{row}.known_from <= {known_at} and ({row}.known_to is null or {row}.known_to > {known_at})",
    ]
    latest = f"select distinct on ({row}.customer_id, {row}.number) {row}.* from loan_status {row} where {' and '.join(where)}"
    return Rows(f"({latest} order by {row}.customer_id, {row}.number, {row}.status_on desc, {row}.known_from desc) {t}", ())


def signal_shows(t: str) -> str:
    """While the evaluation that raised it does, under the purpose that it was raised for."""
    v = f"{t}_v"
    mine = f"{v}.customer_id = {t}.customer_id and {v}.evaluation_id = {t}.evaluation_id"
    return f"{t}.use_purpose = {PURPOSE} and exists (select 1 from evaluation {v} where {mine} and {still_readable(v)})"


def _signals(t: str, scope: Scope) -> Rows:
    """As it was on the day and at the instant asked for."""
    over = scope.given.get("over", "false")
    ended, raised = f"{t}.ended_at is not null", "true"
    if scope.known_at is not None:
        ended = f"coalesce({t}.ended_at <= {scope.known_at}, false)"
        raised = f"{t}.known_at <= {scope.known_at}"
    if scope.as_of is not None:
        ended = f"({ended} and {t}.until <= {scope.as_of})"
        raised = f"{raised} and {t}.since <= {scope.as_of}"
    return Rows(f"monitoring_signal {t}", (is_part(t, scope), raised, f"{ended} = {over}", signal_shows(t)))


def _latest(t: str, scope: Scope) -> str:
    """The latest decision of each scenario, of those that may be shown."""
    where = " and ".join((*readable_ones(t, scope), f"not {t}.what_if"))
    newest = f"{t}.scenario, {t}.created_at desc, {t}.evaluation_id desc"
    return f"select distinct on ({t}.scenario) {t}.* from evaluation {t} where {where} order by {newest}"


def _hints(t: str, scope: Scope) -> Rows:
    v = f"{t}_v"
    joined = f"select h.*, {v}.scenario from ({_latest(v, scope)}) {v} join evaluation_hint h using (customer_id, evaluation_id)"
    return Rows(f"({joined}) {t}", ())


def _group(t: str, scope: Scope) -> Rows:
    return Rows(f"({_latest(f'{t}_v', scope)}) {t}", (f"{t}.final_limit > 0", f"{t}.outcome in ('ENHANCED', 'BASE_ONLY')"))


def lending_fields() -> dict[str, Member]:
    """The customer's fields."""
    kinds = {**_SOME_SCENARIO, "kinds": Argued("text[]", "{t}.kind = any({p})")}
    pressing = "array_position(array['ACTION', 'RENEWAL', 'CROSS_SELL', 'COMPANION'], {t}.kind), {t}.scenario, {t}.ordinal"
    return {
        "loans": Many("Loan", _loans, "{t}.status_on desc, {t}.status_id desc", default=100),
        "monitoringSignals": Paged("MonitoringSignal", _signals, Order("signal_id"), _SIGNALS),
        "hints": Many("Hint", _hints, pressing, kinds, default=100),
        "groupLimit": One("GroupLimit", _group, "{t}.final_limit desc, {t}.scenario"),
    }


def _evaluation_of_hint(t: str, scope: Scope) -> Rows:
    h = scope["Hint"]
    return Rows(f"evaluation {t}", (f"{t}.customer_id = {h}.customer_id", f"{t}.evaluation_id = {h}.evaluation_id"))


def _evidence(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_to_recordset({scope['MonitoringSignal']}.evidence) {t}(name text, value text, missing text, features text[])", ())


LENDING_TYPES = [
    TypeView(
        "Loan",
        {
            **plain("number", "scenario", "state", "statusOn", "grantedOn", "maturesOn", "daysPastDue", "knownFrom", "partner"),
            **decimals("partnerShare"),
            **decimals("granted", "balance", "due"),
            **columns(evaluationId=global_id("Evaluation", "evaluation_id")),
        },
    ),
    TypeView(
        "MonitoringSignal",
        {
            **columns(id=global_id("MonitoringSignal", "signal_id"), trigger="{t}.trigger_id"),
            **plain("part", "scenario", "severity", "points", "since", "until", "knownAt", "textZh", "textEn", "condition"),
            **columns(evaluationId=global_id("Evaluation", "evaluation_id")),
            "evidence": Many("SignalEvidence", _evidence, "{t}.name", default=20),
        },
    ),
    TypeView("SignalEvidence", {**plain("name", "value", "features"), **columns(missingReason="{t}.missing")}),
    TypeView(
        "Hint",
        {
            **plain("kind", "code", "whyZh", "whyEn", "loan", "scenario", "featureIds"),
            **decimals("share"),
            "evaluation": One("Evaluation", _evaluation_of_hint),
        },
    ),
    TypeView("GroupLimit", {**columns(limit="{t}.final_limit::text"), **plain("scenario")}),
]
