"""What kind of customer: the profile and the monthly series of the newest evaluation that found something, and customers chosen by it.

Whom a filter chooses is whom its field shows: the same evaluation is looked for, under the same consents, and what nobody may be shown chooses nobody. Beside that a
filter names candidates by an index, seen or not, newest or not: that only saves looking at every customer.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.store.view.catalogue import Argued, Column, Many, Member, One, Rows, Scope, TypeView, Valued, decimals, plain
from hub.store.view.evaluations import NEWEST, missing, readable_ones
from hub.store.view.merged import standing_customers
from hub.store.view.sources import STATUS, sources

_FOUND = (
    "customer_type, p.overlays, p.size_class, p.product_class, p.industry_section, p.industry_code, p.region, p.missing"
    ", p.clusters, p.clusters_undecided"
)
_PROFILED = f"(select v.*, p.{_FOUND} from evaluation v join evaluation_profile p using (customer_id, evaluation_id))"
_CATEGORY = "coalesce({t}.category, case when {t}.kind = 'PERSON' then 'INDIVIDUAL' when {t}.uscc like '92%%' then 'INDIVIDUAL_BUSINESS' else 'ENTERPRISE' end)"


def _of_scenario(t: str, scope: Scope) -> tuple[str, ...]:
    scenario = scope.given.get("scenario")
    return (f"{t}.scenario = {scenario}",) if scenario else ()


def _of_any(t: str, scope: Scope) -> tuple[str, ...]:
    return ()


def _profiled(t: str, scope: Scope) -> Rows:
    """Decisions that found something, with what they found."""
    return Rows(f"{_PROFILED} {t}", (*readable_ones(t, scope), f"not {t}.what_if", *_of_scenario(t, scope)))


def _series(t: str, scope: Scope) -> Rows:
    v = f"{t}_v"
    rows = _profiled(v, scope)
    newest = f"select {v}.customer_id, {v}.evaluation_id from {rows.source} where {' and '.join(rows.where)} order by {NEWEST.replace('{t}', v)} limit 1"
    return Rows(f"(select s.* from ({newest}) {v} join series_month s using (customer_id, evaluation_id)) {t}", ())


_SERIES = {
    "names": Argued("text[]", "{t}.series = any({p})"),
    "from": Argued("text", "{t}.month >= {p}"),
    "to": Argued("text", "{t}.month <= {p}"),
    "scenario": Argued("text"),
}


def profile_fields() -> dict[str, Member]:
    """The customer's fields."""
    return {
        "profile": One("Profile", _profiled, NEWEST),
        "profileMissing": Valued(missing(_profiled)),
        "series": Many("SeriesMonth", _series, "{t}.series, {t}.month", _SERIES),
        "category": Column(_CATEGORY),
    }


def _itself(t: str, scope: Scope) -> Rows:
    p = scope["Profile"]
    return Rows(f"evaluation {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.evaluation_id = {p}.evaluation_id"))


def _missing(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_each_text({scope['Profile']}.missing) {t}(field, reason)", ())


PROFILE_TYPES = [
    TypeView(
        "Profile",
        {
            **plain("customerType", "overlays", "productClass", "region", "asOf", "knownAt", "tier", "score", "grade", "flags"),
            **plain("clusters", "clustersUndecided"),
            "size": Column("{t}.size_class"),
            "industry": Column("{t}.industry_code"),
            **decimals("consistency", "coverage", "verifiedRevenue"),
            "evaluation": One("Evaluation", _itself),
            "missing": Many("MissingAttribute", _missing, "{t}.field", default=20),
        },
    ),
    TypeView("MissingAttribute", plain("field", "reason")),
]

BY_PROFILE = {
    "customerTypes": "{t}.customer_type = any({p})",
    "overlays": "{t}.overlays && {p}",
    "clusters": "{t}.clusters && {p}",
    "sizes": "{t}.size_class = any({p})",
    "productClasses": "{t}.product_class = any({p})",
    "industries": "({t}.industry_code = any({p}) or {t}.industry_section = any({p}))",
    "regions": "{t}.region = any({p})",
}
BY_DECISION = {
    "outcomes": "{t}.outcome = any({p})",
    "tiers": "{t}.tier = any({p})",
    "evaluatedSince": "{t}.as_of >= {p}",
    "evaluatedBefore": "{t}.as_of < {p}",
}
FILTERS = {
    **{name: Argued("text[]") for name in (*BY_PROFILE, "outcomes", "tiers", "available", "stale")},
    **{name: Argued("date") for name in ("evaluatedSince", "evaluatedBefore")},
    "scenario": Argued("text"),
    "categories": Argued("text[]", f"{_CATEGORY} = any({{p}})"),
}
"""The arguments that choose customers."""


def chosen_customers(t: str, scope: Scope) -> Rows:
    """Customers that nobody else answers for, as far as the arguments that were given choose them."""
    rows, inside = standing_customers(t, scope), Scope({"Customer": t}, scope.as_of, scope.known_at)
    conditions = [*_newest_is(t, inside, scope, BY_PROFILE, _PROFILED, "evaluation_profile")]
    conditions += _newest_is(t, inside, scope, BY_DECISION, "evaluation", "evaluation")
    return Rows(rows.source, (*rows.where, *conditions, *_by_access(t, inside, scope)))


def _newest_is(t: str, inside: Scope, scope: Scope, by: dict[str, str], table: str, index: str) -> Iterator[str]:
    """The newest evaluation that may be shown, of the asked scenario if it is its decision that is asked for, is one of those that the arguments choose."""
    scenario = _of_scenario if by is BY_DECISION else _of_any
    wanted = [by[name].replace("{p}", value) for name, value in scope.given.items() if name in by]
    if not wanted:
        return
    v, n = f"{t}_{index}", f"{t}_{index}_n"
    own, newer = ((*readable_ones(one, inside), f"not {one}.what_if", *scenario(one, scope)) for one in (v, n))
    later = f"({n}.created_at, {n}.evaluation_id) > ({v}.created_at, {v}.evaluation_id)"
    where = (*own, *(one.replace("{t}", v) for one in wanted))
    last = f"not exists (select 1 from {table} {n} where {' and '.join((*newer, later))})"
    # Asked of each candidate by its key. PostgreSQL would else join all evaluations with all customers: it does not know that `parts` are one or two.
    yield f"(select true from {table} {v} where {' and '.join((*where, last))} limit 1) is true"
    found = " and ".join(one.replace("{t}", "i") for one in wanted)
    merged = f"select m.into_id from {index} i join customer_merge m on m.customer_id = i.customer_id where {found}"
    yield f"({t}.customer_id in (select i.customer_id from {index} i where {found} union all {merged})) is true"


def _by_access(t: str, inside: Scope, scope: Scope) -> Iterator[str]:
    """All of some sources can be used now; one of some is stale."""
    s = f"{t}_s"
    rows, status = sources(s, inside).source, STATUS.replace("{t}", s)
    if available := scope.given.get("available"):
        yield f"not exists (select 1 from {rows} where {s}.source = any({available}) and {status} <> 'AVAILABLE')"
    if stale := scope.given.get("stale"):
        yield f"exists (select 1 from {rows} where {s}.source = any({stale}) and {status} = 'STALE')"
