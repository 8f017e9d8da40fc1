"""What there is, whoever the customer: the catalogue of features, and the scenarios with the policy in force.

Formulas are code, and their catalogue stands in a statement as it stands here; policies are published documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import hub.credit.late_features  # noqa: F401  (declares the features of the cross-check and of the offer)
from hub.credit.features import CATALOGUE, Formula, sources_of
from hub.credit.parameters import words
from hub.store.view.catalogue import Argued, Column, Many, Member, One, Rows, Scope, TypeView, columns, plain
from hub.store.view.environment import TODAY


def _literal(value: object) -> str:
    """Our own words as SQL. A percent sign, which could be taken for the beginning of a parameter, is written by its code."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "array[" + ", ".join(_literal(one) for one in value) + "]::text[]"
    return "E'" + str(value).replace("\\", "\\\\").replace("'", "''").replace("%", "\\x25") + "'"


def _values(rows: Iterable[tuple[object, ...]]) -> str:
    return ", ".join(f"({', '.join(_literal(value) for value in row)})" for row in rows)


def _row(entry: Formula) -> tuple[object, ...]:
    said, span = words("features")[entry.id], entry.span
    who = "true" if entry.business_only else "false"
    return (
        entry.id,
        entry.family,
        said.zh,
        said.en,
        entry.unit,
        entry.doc,
        entry.version,
        span.name,
        span.months or None,
        span.days or None,
        who,
        sources_of(entry),
    )


_NAMES = "id, family, name_zh, name_en, unit, formula, formula_version, span, months, days, business_only, sources"


@cache
def _features() -> str:
    return _values(_row(CATALOGUE[name]) for name in sorted(CATALOGUE))


def _formulas(t: str, scope: Scope) -> Rows:
    return Rows(f"(values {_features()}) {t}({_NAMES})", ())


@cache
def _scenario_words() -> str:
    return _values((name, said.zh, said.en) for name, said in words("scenarios").items())


def _in_force(scope: Scope, values: str, more: str = "") -> str:
    """Of each scenario the version in force on the day asked for, as :func:`hub.store.evaluations.policies.in_force` says."""
    day = scope.as_of or TODAY
    stands = f"(e.ends_on is null or e.ends_on > {day})"
    begun = f"p.effective_from <= {day} and {stands}"
    latest = f"case when {begun} then p.effective_from end desc nulls last, case when {begun} then p.version end desc nulls last"
    order = f"p.policy_id, {latest}, {stands} desc, p.effective_from, p.version"
    ended = "left join policy_end e on e.policy_id = p.policy_id and e.version = p.version"
    return f"select distinct on (p.policy_id) {values} from policy p {ended} {more} order by {order}"


def in_force(scope: Scope) -> str:
    """``policy_id`` and ``version`` of what is in force."""
    return _in_force(scope, "p.policy_id, p.version")


def _scenarios(t: str, scope: Scope) -> Rows:
    said = f"left join (values {_scenario_words()}) w(id, zh, en) on w.id = p.policy_id"
    return Rows(f"({_in_force(scope, 'p.*, w.zh, w.en', said)}) {t}", ())


def _policy(t: str, scope: Scope) -> Rows:
    p = scope["Scenario"]
    return Rows(f"policy {t}", (f"{t}.policy_id = {p}.policy_id", f"{t}.version = {p}.version"))


def _sources(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_array_elements({scope['Scenario']}.document -> 'sources') with ordinality {t}(need, place)", ())


def _texts(name: str) -> str:
    return f"coalesce({{t}}.document -> '{name}', '[]'::jsonb)"


def reference_fields() -> dict[str, Member]:
    """The fields of Query."""
    of_features = {"ids": Argued("text[]", "{t}.id = any({p})"), "families": Argued("text[]", "{t}.family = any({p})")}
    of_scenarios = {"asOf": Argued("date", sets="as_of"), "ids": Argued("text[]", "{t}.policy_id = any({p})")}
    return {
        "features": Many("Feature", _formulas, "{t}.id", of_features, default=100, owned=False),
        "scenarios": Many("Scenario", _scenarios, "{t}.policy_id", of_scenarios, default=100, owned=False),
    }


REFERENCE_TYPES = [
    TypeView(
        "Feature",
        {
            **plain("id", "family", "nameZh", "nameEn", "unit", "formula", "formulaVersion", "sources"),
            **columns(window="{t}.span", months="{t}.months::int", days="{t}.days::int", businessOnly="{t}.business_only::boolean"),
        },
    ),
    TypeView(
        "Scenario",
        {
            **columns(id="{t}.policy_id", name="split_part({t}.document ->> 'title', ' ', 1)"),
            **columns(titleZh="nullif(substr({t}.document ->> 'title', strpos({t}.document ->> 'title', ' ') + 1), '')"),
            **columns(descriptionZh="{t}.zh", descriptionEn="{t}.en", repayment=_texts("repayment"), guarantee=_texts("guarantee")),
            "optionalSources": Column(_texts("optional_sources")),
            "baseTermMonths": Column(
                "case jsonb_typeof({t}.document #> '{term,base}') when 'number' then ({t}.document #>> '{term,base}')::int end"
            ),
            "termBonusMonths": Column("({t}.document #>> '{term,bonus}')::int"),
            "sources": Many("ScenarioSource", _sources, "{t}.place", default=20),
            "policy": One("PolicyVersion", _policy),
        },
    ),
    TypeView(
        "ScenarioSource",
        columns(
            anyOf="coalesce({t}.need -> 'any', jsonb_build_array({t}.need -> 'kind'))",
            months="({t}.need ->> 'months')::int",
            everyMonth="coalesce(({t}.need ->> 'all')::boolean, false)",
            singleOrderMonths="({t}.need ->> 'single_orders')::int",
        ),
    ),
]
