"""Reference documents and edges in the catalogue: all versions, and those that an evaluation was made by."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Column, Many, Member, Order, Paged, Rows, Scope, TypeView, columns, decimals, plain

MOST_NAMES, MOST_EDGES = 20, 200
# A version has no id that a cursor could hold: this one stands for its name and number.
_ROWS = "(select v.*, md5(v.name || ':' || v.version)::uuid as row_id, (v.loaded_at at time zone 'UTC')::date as loaded_on from reference_version v)"


def _versions(t: str, scope: Scope) -> Rows:
    return Rows(f"{_ROWS} {t}", ())


def _used(t: str, scope: Scope) -> Rows:
    """The versions that an evaluation names."""
    p, i = scope["Evaluation"], f"{t}_i"
    joined = f"reference_version {t} join evaluation_inputs {i} on ({i}.document -> 'reference' -> {t}.name ->> 0)::int = {t}.version"
    return Rows(joined, (f"{i}.customer_id = {p}.customer_id", f"{i}.evaluation_id = {p}.evaluation_id"))


def _edges(t: str, scope: Scope) -> Rows:
    """The edges that an evaluation knew: as known at its instant, on its day."""
    p = scope["Evaluation"]
    known = (f"{t}.known_from <= {p}.known_at", f"({t}.known_to is null or {t}.known_to > {p}.known_at)")
    valid = (f"({t}.valid_from is null or {t}.valid_from <= {p}.as_of)", f"({t}.valid_to is null or {t}.valid_to >= {p}.as_of)")
    return Rows(f"customer_relation {t}", (f"{t}.customer_id = {p}.customer_id", *known, *valid))


def _kept(column: str) -> Column:
    mine = "i.customer_id = {t}.customer_id and i.evaluation_id = {t}.evaluation_id"
    return Column(f"(select i.{column} from evaluation_inputs i where {mine})")


def evaluation_origin() -> dict[str, Member]:
    """What an evaluation was made by, beside its policy and its facts."""
    return {
        "references": Many("ReferenceVersion", _used, "{t}.name", default=MOST_NAMES, owned=False),
        "relations": Many("Relation", _edges, "{t}.from_uscc, {t}.type, {t}.to_uscc", default=MOST_EDGES),
        "codeVersion": _kept("code_version"),
        "engineSha256": _kept("engine_sha256"),
        "resultSha256": _kept("result_sha256"),
    }


def _graph(t: str, scope: Scope) -> Rows:
    return Rows(f"relation {t}", ())


def reference_version_fields() -> dict[str, Member]:
    """The fields of Query. The graph names businesses that may be somebody else's customers: it is read as the hub, and leads to none."""
    filters = {"names": Argued("text[]", "{t}.name = any({p})")}
    of_graph = {
        "uscc": Argued("text", "({t}.from_uscc = {p} or {t}.to_uscc = {p})"),
        "types": Argued("text[]", "{t}.type = any({p})"),
        "inForce": Argued("boolean", "({t}.known_to is null) = {p}"),
    }
    return {
        "references": Paged("ReferenceVersion", _versions, Order("row_id", "loaded_on"), filters, owned=False),
        "relations": Paged("KnownRelation", _graph, Order("edge_id"), of_graph, owned=False, private=True),
    }


_EDGE: dict[str, Member] = {
    **plain("fromUscc", "toUscc", "type", "evidence", "source", "knownFrom", "knownTo"),
    **columns(since="{t}.valid_from", until="{t}.valid_to"),
    **decimals("weight"),
}


REFERENCE_VERSION_TYPES = [
    TypeView(
        "ReferenceVersion",
        {
            **plain("name", "version", "sha256", "source", "effectiveFrom", "effectiveTo", "loadedAt", "loadedBy"),
            **columns(document="{t}.document::text"),
        },
    ),
    TypeView("Relation", _EDGE),
    TypeView("KnownRelation", {**_EDGE, **plain("loadedBy")}),
]
