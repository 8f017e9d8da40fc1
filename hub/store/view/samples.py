"""The facts of an evidence set: the newest few, selected again as they were known at the evaluation, while consent lets them be read.

Each kind is looked through by itself along its index, newest day first, and no further than it must: a set may hold all orders of a shop, of which a few are shown.
"""

from __future__ import annotations

from hub.domain.facts import FactSpec, all_specs
from hub.store.fact_tables import ENVELOPE
from hub.store.view.catalogue import Argued, Convert, Many, Rows, Scope
from hub.store.view.facts import FACT
from hub.store.view.gate import alive, in_force_now, of_kind, of_this_use

_FEW = 3


def _sample(t: str, scope: Scope) -> Rows:
    e, c = scope["FeatureEvidence"], f"{t}_c"
    mine = (f"{c}.customer_id = {e}.customer_id", f"{c}.source = {e}.source")
    consented = " and ".join((*mine, *of_this_use(c), *in_force_now(c), of_kind(c, f"{e}.kind")))
    branches = " union all ".join(f"({_newest(spec, f'{t}_f', c, scope)})" for spec in all_specs())
    # OFFSET keeps PostgreSQL from looking for the consent at each fact.
    return Rows(f"(select {c}.* from consent {c} where {consented} offset 0) {c} cross join lateral ({branches}) {t}", ())


def _newest(spec: FactSpec, f: str, c: str, scope: Scope) -> str:
    """The newest ones of a kind. Of a day all, so that the order of the whole decides between them: the index knows days alone."""
    e, v, few = scope["FeatureEvidence"], scope["Evaluation"], f"({scope.given.get('first', _FEW)})"
    where = (
        f"{e}.kind = '{spec.name}'",
        f"{f}.customer_id = {e}.customer_id",
        *_days(spec, f, c, scope),
        f"{f}.known_from <= {v}.known_at and ({f}.known_to is null or {f}.known_to > {v}.known_at)",
        alive(c, f),
    )
    shown = ", ".join(f"{f}.{name}" for name in ENVELOPE)
    ordered = f"{f}.occurred_on desc fetch first {few} rows with ties" if spec.occurred else f"{f}.fact_id desc limit {few}"
    return f"select '{spec.name}' as kind, {shown} from {spec.table} {f} where {' and '.join(where)} order by {ordered}"


def _days(spec: FactSpec, f: str, c: str, scope: Scope) -> tuple[str, ...]:
    """Within the set and the consent, and not after the evaluation's day. What has no day belongs to sets without an end."""
    e, v = scope["FeatureEvidence"], scope["Evaluation"]
    if spec.occurred is None:
        return (f"{e}.first_day is null", f"{e}.last_day is null")
    # GREATEST and LEAST pass over what is null, and row-level security lets the index be asked for them (for COALESCE it does not).
    return (f"{f}.occurred_on >= greatest({e}.first_day, {c}.data_from)", f"{f}.occurred_on <= least({e}.last_day, {v}.as_of, {c}.data_to)")


SAMPLE = Many(
    FACT, _sample, "{t}.occurred_on desc nulls last, {t}.fact_id desc", {"first": Argued("int", convert=Convert.PAGE)}, default=_FEW
)
