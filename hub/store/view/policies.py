"""Policies in the catalogue: the published versions, and drafts with what their trials have found.

Nobody's customer is told of: drafts, and the cases of a trial without the customers they are of, are read as the hub (``private``), for those who hold the scope.
A difference is what :mod:`hub.credit.differences` says it is; here it is summed up where the rows are. A trial's sums are of at most :data:`MOST_COUNTED` cases.
"""

from __future__ import annotations

from hub.credit.differences import EXAMPLES
from hub.credit.models.declare import figures
from hub.store.evaluations.compared import cases, to_try
from hub.store.view.catalogue import (
    MOST_COUNTED,
    Argued,
    Column,
    Embedded,
    Many,
    Member,
    One,
    Order,
    Paged,
    Rows,
    RowsOf,
    Scope,
    TypeView,
    columns,
    plain,
)
from hub.store.view.reference import in_force

_SAME = "(c.outcome, c.final_limit, c.rate, c.term_months, c.reasons) is not distinct from (c.other_outcome, c.other_limit, c.other_rate, c.other_term, c.other_reasons)"
_BEFORE, _AFTER = "coalesce(c.final_limit, 0)", "coalesce(c.other_limit, 0)"

_DUE = f"((greatest(p.published_at, a.approved_at) at time zone 'Asia/Shanghai')::date + interval '{int(figures()['slot']['reapproval_months'])} months')::date"


def _published(t: str, scope: Scope) -> Rows:
    # A version has no id that a cursor could hold: this one stands for its name.
    row_id = "md5(p.policy_id || ':' || p.version)::uuid as row_id"
    ended = "e.ends_on, e.actor as ended_by, e.at as ended_at, e.reason as end_reason"
    joined = "left join policy_end e on e.policy_id = p.policy_id and e.version = p.version"
    anew = "left join lateral (select a.approved_at, a.actor from policy_approval a where a.policy_id = p.policy_id and a.version = p.version order by 1 desc limit 1) a on true"
    approved = f"greatest(p.published_at, a.approved_at) as approved_at, a.actor as approved_by, {_DUE} as approval_due_on"
    applying = f"join ({in_force(scope)}) f on f.policy_id = p.policy_id"
    return Rows(
        f"(select p.*, {row_id}, {ended}, {approved}, f.version = p.version as applies from policy p {joined} {anew} {applying}) {t}", ()
    )


def _drafts(t: str, scope: Scope) -> Rows:
    return Rows(f"policy_draft {t}", ())


def _trial(t: str, scope: Scope) -> Rows:
    return Rows(f"policy_draft {t}", (f"{t}.draft_id = {scope['PolicyDraft']}.draft_id", f"{t}.tried_since is not null"))


def _cases(scope: Scope) -> str:
    return f"({cases(scope['PolicyTrial'] + '.draft_id')} limit {MOST_COUNTED + 1}) c"


def _compared(t: str, scope: Scope) -> Rows:
    """One row: the sums over all cases that can be compared."""
    sums = {
        "compared": "count(*)", "changed": f"count(*) filter (where not ({_SAME}))",
        "limit_before": f"coalesce(sum({_BEFORE}), 0)", "limit_after": f"coalesce(sum({_AFTER}), 0)",
        "raised": f"count(*) filter (where {_AFTER} > {_BEFORE})", "lowered": f"count(*) filter (where {_AFTER} < {_BEFORE})",
        "dearer": "count(*) filter (where c.other_rate > c.rate)", "cheaper": "count(*) filter (where c.other_rate < c.rate)",
    }  # fmt: skip
    told = ", ".join(f"{sql} as {name}" for name, sql in sums.items())
    return Rows(f"(select {told} from {_cases(scope)} where c.left_out is null) {t}", ())


def _grouped(keys: str, where: str, source: str = "") -> RowsOf:
    """Cases counted by something."""

    def rows(t: str, scope: Scope) -> Rows:
        return Rows(
            f"(select {keys}, count(*) as count from {_cases(scope)} {source} where {where} group by {', '.join(_names(keys))}) {t}", ()
        )

    return rows


def _names(keys: str) -> list[str]:
    return [str(number) for number in range(1, keys.count(",") + 2)]


def _reasons(these: str, others: str) -> RowsOf:
    codes = f"cross join lateral (select distinct unnest(c.{these}) as code except select unnest(c.{others})) r"
    return _grouped("r.code", "c.left_out is null", codes)


def _changed(t: str, scope: Scope) -> Rows:
    weight = f"c.outcome is distinct from c.other_outcome as moved, abs({_AFTER} - {_BEFORE}) as moved_by"
    return Rows(f"(select c.*, {weight} from {_cases(scope)} where c.left_out is null and not ({_SAME})) {t}", ())


def policy_fields() -> dict[str, Member]:
    """The fields of Query."""
    of_scenario = Argued("text", "{t}.policy_id = {p}")
    of_drafts = {
        "draftId": Argued("text", "{t}.draft_id::text = lower({p})"),
        "scenario": of_scenario,
        "states": Argued("text[]", "{t}.state = any({p})"),
    }
    published = {"scenario": of_scenario, "asOf": Argued("date", sets="as_of")}
    return {
        "policies": Paged("PublishedPolicy", _published, Order("row_id", "effective_from"), published, owned=False),
        "policyDrafts": Paged("PolicyDraft", _drafts, Order("draft_id"), of_drafts, owned=False, private=True),
    }


def _count(of: str) -> Column:
    return Column(f"(select least(count(*), {MOST_COUNTED}) from (select 1 from {of} limit {MOST_COUNTED + 1}) n)")


_TO_TRY = f"evaluation v where {to_try('{t}.policy_id', '{t}.tried_since')}"
_DONE = "exists (select 1 from policy_trial p where p.customer_id = v.customer_id and p.evaluation_id = v.evaluation_id and p.draft_id = {t}.draft_id)"
_VERSION = {**columns(scenario="{t}.policy_id", document="{t}.document::text"), **plain("version", "sha256", "effectiveFrom")}


def _decision(name: str, outcome: str, limit: str, rate: str, term: str, reasons: str) -> TypeView:
    of = {"outcome": outcome, "limit": f"{limit}::text", "rate": f"{rate}::text", "termMonths": term, "reasons": reasons}
    return TypeView(name, columns(**{one: "{t}." + column for one, column in of.items()}), typename="'ComparedDecision'")


POLICY_TYPES = [
    TypeView(
        "PublishedPolicy",
        {
            **_VERSION,
            **plain("applies", "publishedAt", "endsOn", "endedBy", "endedAt", "endReason", "approvedAt", "approvedBy", "approvalDueOn"),
            **plain("assessmentId", "assessedOn"),
        },
    ),
    TypeView(
        "PolicyDraft",
        {
            **_VERSION,
            **plain("draftId", "state", "author", "createdAt", "decidedBy", "decidedAt"),
            **columns(
                discardReason="{t}.note", assessmentId="{t}.document #>> '{assessment,id}'", assessedOn="{t}.document #>> '{assessment,on}'"
            ),
            "trial": One("PolicyTrial", _trial),
        },
    ),
    TypeView(
        "PolicyTrial",
        {
            **columns(since="{t}.tried_since", running="{t}.state = 'TRIED'"),
            "evaluations": _count(_TO_TRY),
            "done": _count(f"{_TO_TRY} and {_DONE}"),
            "differences": One("PolicyDifferences", _compared),
        },
    ),
    TypeView(
        "PolicyDifferences",
        {
            **plain("changed", "raised", "lowered", "dearer", "cheaper"),
            **columns(compared=f"least({{t}}.compared, {MOST_COUNTED})", isExact=f"{{t}}.compared <= {MOST_COUNTED}"),
            **columns(limitBefore="{t}.limit_before::text", limitAfter="{t}.limit_after::text"),
            "outcomes": Many(
                "OutcomeMove",
                _grouped("c.outcome as before, c.other_outcome as after", "c.left_out is null"),
                "{t}.before, {t}.after",
                default=25,
            ),
            "gained": Many("ReasonMove", _reasons("other_reasons", "reasons"), "{t}.count desc, {t}.code", default=100),
            "lost": Many("ReasonMove", _reasons("reasons", "other_reasons"), "{t}.count desc, {t}.code", default=100),
            "leftOut": Many("LeftOut", _grouped("c.left_out as why", "c.left_out is not null"), "{t}.why", default=10),
            "examples": Many("ChangedCase", _changed, "{t}.moved desc, {t}.moved_by desc, {t}.evaluation_id", default=EXAMPLES),
        },
    ),
    TypeView("OutcomeMove", plain("before", "after", "count")),
    TypeView("ReasonMove", plain("code", "count")),
    TypeView("LeftOut", plain("why", "count")),
    TypeView("ChangedCase", {**plain("evaluationId"), "before": Embedded("DecisionBefore"), "after": Embedded("DecisionAfter")}),
    _decision("DecisionBefore", "outcome", "final_limit", "rate", "term_months", "reasons"),
    _decision("DecisionAfter", "other_outcome", "other_limit", "other_rate", "other_term", "other_reasons"),
]
