"""Objections in the catalogue: with the fact or the value that they are about, and all of them for whoever answers. Their text is sealed, and not here."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Convert, Many, Member, Order, Paged, Rows, RowsOf, Scope, TypeView, columns, global_id, plain

MOST = 20
_NEWEST = "{t}.raised_at desc, {t}.dispute_id desc"


def _of_fact(owner: str, kind: str) -> RowsOf:
    """About this version of a fact, or another one of the same: a correction does not answer it. Or about its kind as a whole."""

    def rows(t: str, scope: Scope) -> Rows:
        p = scope[owner]
        of = kind.replace("{t}", p)
        this = f"({t}.about = {p}.fact_id or {t}.source_key = {p}.source_key or {t}.about = {t}.customer_id)"
        return Rows(f"dispute {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.kind = {of}", this))

    return rows


def fact_disputes(owner: str, kind: str) -> Member:
    """The member of a kind of fact. ``kind`` is SQL."""
    return Many("Dispute", _of_fact(owner, kind), _NEWEST, default=MOST)


def _of_evaluation(t: str, scope: Scope) -> Rows:
    p = scope["Evaluation"]
    mine = (f"{t}.customer_id = {p}.customer_id", f"{t}.kind = 'Evaluation'", f"{t}.about = {p}.evaluation_id")
    return Rows(f"dispute {t}", (*mine, f"{t}.feature_id is null"))


def _of_feature(t: str, scope: Scope) -> Rows:
    p = scope["FeatureValue"]
    mine = (f"{t}.customer_id = {p}.customer_id", f"{t}.kind = 'Evaluation'", f"{t}.about = {p}.evaluation_id")
    return Rows(f"dispute {t}", (*mine, f"{t}.feature_id = {p}.feature_id"))


EVALUATION_DISPUTES = Many("Dispute", _of_evaluation, _NEWEST, default=MOST)
FEATURE_DISPUTES = Many("Dispute", _of_feature, _NEWEST, default=MOST)


def _all(t: str, scope: Scope) -> Rows:
    return Rows(f"dispute {t}", ())


def dispute_fields() -> dict[str, Member]:
    """The field of Query."""
    filters = {
        "open": Argued("boolean", "({t}.state = 'OPEN') = {p}"),
        "customerId": Argued("uuid", "{t}.customer_id = {p}", convert=Convert.CUSTOMER_ID),
    }
    return {"disputes": Paged("Dispute", _all, Order("dispute_id"), filters)}


DISPUTE_TYPES = [
    TypeView(
        "Dispute",
        {
            **columns(id=global_id("Dispute", "dispute_id"), customerId="{t}.customer_id"),
            **columns(about="{t}.kind || ':' || {t}.customer_id || ':' || {t}.about"),
            **plain("featureId", "state", "raisedAt", "raisedBy", "dueOn", "resolvedAt", "resolvedBy"),
        },
    )
]
