"""The kinds of fact in the catalogue, derived from their declarations: type, fields of the customer, provenance.

A personal field shows its masked form and nothing else; so does a party's number that is a natural person's.
"""

from __future__ import annotations

from hub.domain.facts import FactSpec, FieldSpec, FieldType, all_specs
from hub.domain.facts.names import choosers, field_name, list_name, summed
from hub.store.view.catalogue import (
    Argued,
    Column,
    Embedded,
    Many,
    Member,
    NodeRow,
    One,
    Order,
    Paged,
    Rows,
    RowsOf,
    Scope,
    Totals,
    TypeView,
    plain,
)
from hub.store.view.disputes import fact_disputes
from hub.store.view.environment import PURPOSE
from hub.store.view.gate import covered_by_consent, facts_of_customer, in_force_now, of_this_use
from hub.store.view.sources import access_of

FACT = "Fact"
_DAYS = {"from": Argued("date", "{t}.occurred_on >= {p}"), "to": Argued("date", "{t}.occurred_on <= {p}")}


def _envelope(owner: str, kind: str) -> dict[str, Member]:
    return {
        "id": Column(f"{kind} || ':' || {{t}}.customer_id || ':' || {{t}}.fact_id"),
        **plain("version", "occurredOn", "knownFrom", "knownTo"),
        "evidence": Embedded("Provenance"),
        "disputes": fact_disputes(owner, kind),
    }


def _member(field: FieldSpec) -> Member:
    match field.kind:
        case FieldType.PERSONAL:
            return Column(f"{{t}}.{field.name}_masked")
        case FieldType.PARTY:
            return Column(f"coalesce({{t}}.{field.name}_masked, {{t}}.{field.name})")
        case FieldType.MONEY:
            return Column(f"{{t}}.{field.name}::text")
        case FieldType.NUMBER:
            return Column(f"trim_scale({{t}}.{field.name})::text")
        case FieldType.LINES:
            return Many("StatementLine", _lines(field.name), "{t}.code")
    return Column(f"{{t}}.{field.name}")


def _lines(column: str) -> RowsOf:
    def rows(t: str, scope: Scope) -> Rows:
        return Rows(f"jsonb_each_text({scope['FinancialStatement']}.{column}) {t}(code, amount)", ())

    return rows


def _type_of(spec: FactSpec) -> TypeView:
    own = {field_name(field): _member(field) for field in spec.fields}
    return TypeView(spec.name, {**own, **_envelope(spec.name, f"'{spec.name}'")}, spec.table, "fact_id")


def fact_fields() -> dict[str, Member]:
    """The customer's fields: one connection per kind of fact, newest first."""
    return {list_name(spec): _paged(spec) for spec in all_specs()}


def _paged(spec: FactSpec) -> Paged:
    day = "occurred_on" if spec.occurred else None
    arguments = {**(_DAYS if day else {}), **{field_name(field): _chosen_by(field) for field in choosers(spec)}}
    extras: dict[str, Member] = {"access": One("SourceAccess", access_of(spec.source))}
    if amounts := summed(spec):
        extras["totals"] = Totals(f"{spec.name}Totals", {field_name(field): field.name for field in amounts})
    rows = facts_of_customer(spec.table, spec.source, spec.name, dated=spec.occurred is not None)
    return Paged(spec.name, rows, Order("fact_id", day), arguments, extras=extras)


def _chosen_by(field: FieldSpec) -> Argued:
    if field.kind is FieldType.BOOL:
        return Argued("boolean", f"{{t}}.{field.name} = {{p}}")
    if field.kind is FieldType.PARTY:
        # Nobody is chosen by a hash.
        return Argued("text[]", f"{{t}}.{field.name} = any({{p}}) and {{t}}.{field.name}_masked is null")
    return Argued("text[]", f"{{t}}.{field.name} = any({{p}})")


def fact_nodes() -> dict[str, NodeRow]:
    """Every version of a fact is found by its id, while a consent lets it be read."""
    return {spec.name: NodeRow(spec.table, "fact_id", "facts:read", covered_by_consent(spec.source, spec.name)) for spec in all_specs()}


def _in_customer(table: str, key: str, parent_key: str) -> RowsOf:
    """The one row of a customer's table that the fact points at."""

    def rows(t: str, scope: Scope) -> Rows:
        p = scope["Provenance"]
        return Rows(f"{table} {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.{key} = {p}.{parent_key}"))

    return rows


def _consent(t: str, scope: Scope) -> Rows:
    """The consent that the fact was fetched by. Another purpose's is none of the asking client's business: then it is its own, by which it reads the fact."""
    p, f = scope["Provenance"], f"{t}_f"
    fetched = f"{f}.customer_id = {p}.customer_id and {f}.consent_id = {p}.consent_id"
    joined = f"consent {f} join consent {t} on {t}.customer_id = {f}.customer_id and {t}.source = {f}.source"
    own = " and ".join((*of_this_use(t), *in_force_now(t)))
    return Rows(joined, (fetched, f"case when {f}.purpose = {PURPOSE} then {t}.consent_id = {f}.consent_id else {own} end"))


def _run_of_page(t: str, scope: Scope) -> Rows:
    p = scope["RawPage"]
    return Rows(f"sync_run {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.run_id = {p}.run_id"))


PROVENANCE = TypeView(
    "Provenance",
    {
        "position": Column("{t}.position"),
        "sourceKey": Column("{t}.source_key"),
        "contentHash": Column("encode({t}.content_hash, 'hex')"),
        "page": One("RawPage", _in_customer("raw_page", "page_id", "page_id")),
        "connection": One("PlatformConnection", _in_customer("connection", "connection_id", "connection_id")),
        "consent": One("Consent", _consent),
    },
)

RAW_PAGE = TypeView(
    "RawPage",
    {
        **plain("sha256", "size", "status", "contentType", "fetchedAt", "stream"),
        "request": Embedded("PageRequest"),
        "run": One("SyncRun", _run_of_page),
    },
)

PAGE_REQUEST = TypeView(
    "PageRequest",
    {
        "method": Column("{t}.request->>'method'"),
        "path": Column("{t}.request->>'path'"),
        "query": Column("({t}.request->'query')::text"),
        "bodySha256": Column("{t}.request->>'body_sha256'"),
    },
)

STATEMENT_LINE = TypeView("StatementLine", plain("code", "amount"))


def fact_types() -> list[TypeView]:
    """Every type that belongs to facts."""
    interface = TypeView(FACT, _envelope(FACT, "{t}.kind"), None, "fact_id", "{t}.kind")
    return [interface, PROVENANCE, RAW_PAGE, PAGE_REQUEST, STATEMENT_LINE, *(_type_of(spec) for spec in all_specs())]
