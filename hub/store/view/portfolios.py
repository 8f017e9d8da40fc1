"""Portfolios that were pre-screened, in the catalogue: how far a screening is and what it counted, for whoever may read it; what came of a customer, for whoever sees him
under a consent that still covers everything it was made from."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Convert, Many, Member, Order, Paged, Rows, Scope, TypeView, columns, decimals, plain
from hub.store.view.environment import PURPOSE
from hub.store.view.gate import in_force_now, of_this_use

# What is no id is nobody's.
_AS_ID = "(case when {p} ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then {p}::uuid end)"
_EVERYBODY = "(select sum(a.customers) from portfolio_count a where a.screening_id = {t}.screening_id and a.axis = 'ALL')"


def _screenings(t: str, scope: Scope) -> Rows:
    return Rows(f"portfolio_screening {t}", ())


def _counts(t: str, scope: Scope) -> Rows:
    return Rows(f"portfolio_count {t}", (f"{t}.screening_id = {scope['PortfolioScreening']}.screening_id",))


def _results(t: str, scope: Scope) -> Rows:
    """What was derived follows its inputs: a result shows while every source it read has a consent in force for this use and its scenario."""
    c = f"{t}_c"
    as_it_was = f"({c}.narrowed_at is null or {c}.narrowed_at <= {t}.known_at)"
    in_force = " and ".join((*of_this_use(c), *in_force_now(c), f"{t}.scenario = any({c}.scenarios)", as_it_was))
    consented = f"exists (select 1 from consent {c} where {c}.customer_id = {t}.customer_id and {c}.source = s.source and {in_force})"
    ended = f"not exists (select 1 from unnest({t}.sources) s(source) where not {consented})"
    some = f"exists (select 1 from consent {c} where {c}.customer_id = {t}.customer_id and {in_force})"
    return Rows(f"portfolio_result {t}", (f"{t}.purpose = {PURPOSE}", some, ended))


def portfolio_fields() -> dict[str, Member]:
    """The fields of Query."""
    one = {"screeningId": Argued("text", f"{{t}}.screening_id = {_AS_ID}")}
    chosen = {
        **one,
        "outcomes": Argued("text[]", "{t}.outcome = any({p})"),
        "customerId": Argued("uuid", "{t}.customer_id = {p}", convert=Convert.CUSTOMER_ID),
    }
    return {
        "portfolioScreenings": Paged("PortfolioScreening", _screenings, Order("screening_id"), one, owned=False),
        "portfolioResults": Paged("PortfolioResult", _results, Order("result_id"), chosen),
    }


PORTFOLIO_TYPES = [
    TypeView(
        "PortfolioScreening",
        {
            **plain("screeningId", "version", "sha256", "purpose", "asOf", "knownAt", "author", "createdAt", "endedAt", "customers", "comeTo"),
            **columns(portfolio="{t}.portfolio_id", title="{t}.document ->> 'title'"),
            "counts": Many(
                "PortfolioCount", _counts, "{t}.axis, {t}.customers desc, {t}.value, {t}.outcome", {"axis": Argued("text", "{t}.axis = {p}")},
                default=100, owned=False,
            ),
        },
    ),
    TypeView(
        "PortfolioCount",
        {
            **plain("axis", "customers"),
            **columns(value="nullif({t}.value, '')", outcome="nullif({t}.outcome, '')"),
            **columns(share=f"case when {{t}}.axis <> 'LEFT' then round({{t}}.customers / nullif({_EVERYBODY}, 0), 4)::text end"),
            **decimals("limits"),
        },
    ),
    TypeView(
        "PortfolioResult",
        {
            **plain("screeningId", "customerId", "scenario", "outcome", "tier", "belowFloor", "termMonths", "reasons", "customerType", "region"),
            **columns(limit="{t}.offered_limit::text", rate="{t}.rate::text", allInCost="{t}.all_in_cost::text", size="{t}.size_class", industry="{t}.industry_code"),
        },
    ),
]  # fmt: skip
