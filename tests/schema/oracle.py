"""What graphql-core's ordinary execution walks over: the small world as nested mappings whose callables take a field's arguments.

The values are the store's own, each field asked for by itself; what arguments, pages, aliases, fragments and flags make of them is done here
and by graphql-core, in other ways than the view compiler does it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from graphql import GraphQLField, GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type

from hub.domain.facts import all_specs
from hub.domain.facts.names import list_name
from tests.hub.view.world import KNOWN

Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
Json = dict[str, Any]
Moment = tuple[str | None, str | None]
"""``asOf`` and ``knownAt``, as they are asked for."""

FILTERS = {
    **{"only": ("source",), "ids": ("id",), "parts": ("part",), "names": ("series", "name"), "scenario": ("scenario",)},
    **{"connector": ("connector",), "customerId": ("customerId",), "connectionId": ("connectionId",), "statuses": ("status",)},
    **{"clientId": ("clientId",), "audience": ("audience",), "outcomes": ("outcome",), "kinds": ("kind",), "fits": ("fit",)},
    **{"verdicts": ("verdict", "lastVerdict"), "states": ("state",), "streams": ("stream",)},
    **{"triggers": ("trigger",), "severities": ("severity",)},
}
"""Arguments that choose rows by a field of theirs: the first of these that a row has. Others choose by the field of their own name."""

POSITIONS = {"first", "after", "from", "to", "endsBefore", "accountShared", "disabled", "open", "over", "asOf", "knownAt"}
"""Arguments that say something else."""

BACK = {"evaluation", "evaluationMissing", "watched"}
"""Fields that are found again in what is known already."""

KINDS = ("Order", "TaxReturn", "FinancialStatement", "Customer", "Evaluation", "Consent", "PlatformConnection")
SOURCES = {list_name(spec): spec.source.value for spec in all_specs()}
"""The object types of abstract ones that the world has."""


def fields_of(schema: GraphQLSchema, type_name: str) -> list[str]:
    """Each field of a type with all that is below it, pages as long as they may be."""
    fields: Mapping[str, GraphQLField] = schema.type_map[type_name].fields  # type: ignore[attr-defined]
    found = [_whole(schema, name, one) for name, one in fields.items() if name not in BACK]
    also = [_whole(schema, name, one, "whatIf: true") for name, one in fields.items() if "whatIf" in one.args and name not in BACK]
    whose = ["whose: evaluation { id }"] * (type_name != "Customer" and "evaluation" in fields)
    return found + [f"whatIfs: {one}" for one in also] + whose


def everything(schema: GraphQLSchema, type_name: str) -> str:
    """A selection of all that a type has."""
    type_ = schema.type_map[type_name]
    if is_abstract_type(type_):
        concrete = [one.name for one in schema.get_possible_types(type_) if one.name in KINDS]
        return "{ __typename " + " ".join(f"... on {name} {everything(schema, name)}" for name in concrete) + " }"
    fields: Mapping[str, GraphQLField] = type_.fields  # type: ignore[attr-defined]
    if type_name.endswith("Connection") and "edges" in fields:
        return f"{{ edges {{ cursor node {everything(schema, type_name.removesuffix('Connection'))} }} }}"
    return "{ __typename " + " ".join(fields_of(schema, type_name)) + " }"


def _whole(schema: GraphQLSchema, name: str, one: GraphQLField, *more: str) -> str:
    returned = get_named_type(one.type)
    given = ", ".join(["first: 100"] * ("first" in one.args) + [*more])
    return name + (f"({given})" if given else "") + ("" if is_leaf_type(returned) else " " + everything(schema, returned.name))


class Oracle:
    """``at`` holds the customers at each moment; ``nodes`` whatever has an id of its own, as it is now."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.at: dict[Moment, list[Json]] = {}
        self.nodes: dict[str, Json] = {}
        self.watching: Json = {}
        self.cursors: dict[str, set[str]] = {}
        """By what their rows are."""

    def afters(self) -> dict[str, list[Any]]:
        """For each list the cursors of its own rows: another list's are refused."""
        found: dict[str, list[Any]] = {}
        for type_ in self.schema.type_map.values():
            for name, one in getattr(type_, "fields", {}).items():
                if "after" in getattr(one, "args", {}):
                    rows = str(one.type).strip("!").removesuffix("Connection")
                    found[f"{name}.after"] = [None, *sorted(self.cursors.get(rows, ()))]
        return found

    async def look(self, ask: Ask, moments: list[Moment]) -> None:
        for day, known in moments:
            self.at[day, known] = await self._customers_at(ask, day, known)
        for edge in self.at[None, None]:
            self._find(edge["node"])
        await self._watch(ask)

    async def _customers_at(self, ask: Ask, day: str | None, known: str | None) -> list[Json]:
        """All of each customer, a few fields at a time: one operation for everything would take long."""
        edges: list[Json] = []
        fields = fields_of(self.schema, "Customer")
        for start in range(0, len(fields), 3):
            page = f"edges {{ cursor node {{ __typename {' '.join(fields[start : start + 3])} }} }}"
            query = f"query ($d: Date, $k: DateTime) {{ customers(first: 100, asOf: $d, knownAt: $k) {{ {page} }} }}"
            found = (await ask(query, {"d": day, "k": known}))["customers"]["edges"]
            edges = edges or found
            for edge, more in zip(edges, found, strict=True):
                edge["node"] |= more["node"]
        for edge in edges:
            of = edge["node"]["evaluations"]["edges"]
            of += edge["node"].pop("whatIfs")["edges"]
            of.sort(key=lambda one: _place(one["cursor"], False), reverse=True)
        return edges

    async def _watch(self, ask: Ask) -> None:
        """What operators see; of a run also the connector, by which it is chosen and which it does not show."""
        roots = {
            "syncConnections": "WatchedConnectionConnection",
            "syncRuns": "WatchedRunConnection",
            "identityEvents": "IdentityEventConnection",
            "drift": "RecordDrift",
            "clients": "ClientConnection",
            "policies": "PublishedPolicyConnection",
            "policyDrafts": "PolicyDraftConnection",
            "portfolioScreenings": "PortfolioScreeningConnection",
            "portfolioResults": "PortfolioResultConnection",
            "references": "ReferenceVersionConnection",
            "relations": "KnownRelationConnection",
            "fairnessCells": "FairnessCellConnection",
            "partnerConcentration": "PartnerConcentrationConnection",
            "disputes": "DisputeConnection",
        }
        asked = [f"{name}(first: 100) {everything(self.schema, type_)}" for name, type_ in roots.items()]
        self.watching = await ask(
            f"{{ {' '.join(asked)} platforms {everything(self.schema, 'PlatformStatus')}"
            f" features {everything(self.schema, 'Feature')} scenarios {everything(self.schema, 'Scenario')}"
            f" products {everything(self.schema, 'Product')} }}",
            {},
        )
        self._find(self.watching)
        named = {edge["node"]["id"]: edge["node"]["connector"] for edge in self.watching["syncConnections"]["edges"]}
        for edge in self.watching["syncRuns"]["edges"]:
            edge["node"]["connector"] = named[edge["node"]["connectionId"]]

    def _find(self, value: Any) -> None:
        """Ids of nodes and cursors, wherever they are."""
        for item in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            self._find(item)
        if isinstance(value, dict):
            if value.get("__typename") in {one.name for one in self.schema.get_possible_types(self.schema.type_map["Node"])}:  # type: ignore[arg-type]
                self.nodes[value["id"]] = value
            if "cursor" in value:
                self.cursors.setdefault(value["node"]["__typename"], set()).add(value["cursor"])

    @property
    def root(self) -> Json:
        watched: Json = {
            "syncConnections": lambda **given: self._page(
                "WatchedConnection", self.watching["syncConnections"]["edges"], days=False, **given
            ),
            "syncRuns": lambda **given: self._page("WatchedRun", self.watching["syncRuns"]["edges"], days=False, **given),
            "identityEvents": lambda **given: self._page("IdentityEvent", self.watching["identityEvents"]["edges"], days=False, **given),
            "features": lambda ids=None, families=None: [
                self._made(row)
                for row in self.watching["features"]
                if (ids is None or row["id"] in ids) and (families is None or row["family"] in families)
            ],
            "scenarios": lambda ids=None, **_: [self._made(row) for row in self.watching["scenarios"] if ids is None or row["id"] in ids],
            "products": lambda codes=None, kinds=None, scenarios=None, holder=None, **_: [
                self._made(row)
                for row in self.watching["products"]
                if holder in (None, row["holder"])
                and all(one is None or row[name] in one for name, one in (("code", codes), ("kind", kinds), ("scenario", scenarios)))
            ],
            "clients": lambda **given: self._page("Client", self.watching["clients"]["edges"], days=True, **given),
            "policies": lambda as_of=None, **given: self._page("PublishedPolicy", self.watching["policies"]["edges"], days=True, **given),
            "policyDrafts": lambda **given: self._page("PolicyDraft", self.watching["policyDrafts"]["edges"], days=False, **given),
            "portfolioScreenings": lambda **given: self._page(
                "PortfolioScreening", self.watching["portfolioScreenings"]["edges"], days=False, **given
            ),
            "portfolioResults": lambda **given: self._page(
                "PortfolioResult", self.watching["portfolioResults"]["edges"], days=False, **given
            ),
            "references": lambda **given: self._page("ReferenceVersion", self.watching["references"]["edges"], days=True, **given),
            "fairnessCells": lambda **given: self._page("FairnessCell", self.watching["fairnessCells"]["edges"], days=True, **given),
            "relations": lambda uscc=None, types=None, inForce=None, **given: self._page(
                "KnownRelation",
                [
                    edge
                    for edge in self.watching["relations"]["edges"]
                    if uscc in (None, edge["node"]["fromUscc"], edge["node"]["toUscc"])
                    and inForce in (None, edge["node"]["knownTo"] is None)
                    and (types is None or edge["node"]["type"] in types)
                ],
                days=False,
                **given,
            ),
            "partnerConcentration": lambda **given: self._page(
                "PartnerConcentration", self.watching["partnerConcentration"]["edges"], days=True, **given
            ),
            "disputes": lambda **given: self._page("Dispute", self.watching["disputes"]["edges"], days=False, **given),
            "platforms": lambda **given: [self._made(row) for row in self._chosen(self.watching["platforms"], given)],
            "drift": lambda first, **given: [self._made(row) for row in self._chosen(self.watching["drift"], given)][:first],
        }
        return {"customer": self._customer, "customers": self._customers, "node": self._node, "nodes": self._nodes, **watched}

    def _customer(self, id: str, **at: Any) -> Json | None:
        found = [edge["node"] for edge in self._edges(at) if edge["node"]["id"] == id]
        return self._object("Customer", found[0]) if found else None

    def _customers(self, first: int, after: str | None = None, **given: Any) -> Json:
        asked = {name: value for name, value in given.items() if value is not None}
        edges = [edge for edge in self._edges(given) if chooses(edge["node"], asked)]
        return self._page("Customer", edges, days=False, first=first, after=after)

    def _node(self, id: str, **at: Any) -> Json | None:
        if id.count(":") == 0:
            return self._customer(id, **at)
        found = self.nodes.get(id)
        return self._object(found["__typename"], found) if found else None

    def _nodes(self, ids: list[str], **at: Any) -> list[Json | None]:
        return [self._node(one, **at) for one in ids]

    def _edges(self, at: Json) -> list[Json]:
        day, known = at.get("asOf"), at.get("knownAt")
        return self.at[day and day.isoformat(), known and known.isoformat()]

    def _object(self, type_name: str, value: Json) -> Json:
        fields: Mapping[str, GraphQLField] = self.schema.type_map[type_name].fields  # type: ignore[attr-defined]
        made = {name: self._member(one, value[name]) for name, one in fields.items() if name in value}
        if type_name == "Customer":
            made |= {name: self._facts(value, name, source) for name, source in SOURCES.items()}
            made["evaluation"] = lambda **given: self._latest(value, **given)
            made["profile"] = self._profile(value)
            made["evaluationMissing"] = lambda **given: None if latest(value, **given) else self._unevaluated(value, given.get("scenario"))
            assert value["profileMissing"] == (None if value["profile"] else self._missing(value))
            made["series"] = lambda **given: self._series(value, **given)
        if value.get("whose"):
            made["evaluation"] = lambda: self._node(value["whose"]["id"])
        if type_name == "WatchedRun":
            made["watched"] = lambda: self._watched(value["connectionId"])
        return {"__typename": type_name, **made}

    def _facts(self, customer: Json, name: str, source: str) -> Callable[..., Json]:
        """The facts of one kind, with the access block and the sums of their list."""
        (access,) = [one for one in customer["sources"] if one["source"] == source]
        kind = get_named_type(self.schema.type_map["Customer"].fields[name].type).name.removesuffix("Connection")  # type: ignore[attr-defined]
        days = "from" in self.schema.type_map["Customer"].fields[name].args  # type: ignore[attr-defined]

        def page(**given: Any) -> Json:
            edges = customer[name]["edges"]
            rows = [edge["node"] for edge in edges if self._within(edge["node"], given)]
            return {
                **self._page(kind, edges, days=days, **given),
                "access": self._object("SourceAccess", access),
                "totals": self._totals(f"{kind}Totals", rows),
            }

        return page

    def _totals(self, type_name: str, rows: list[Json]) -> Json:
        type_ = self.schema.type_map.get(type_name)
        amounts = {name: [Decimal(row[name]) for row in rows if row[name] is not None] for name in getattr(type_, "fields", {})}
        return {"__typename": type_name, **{name: str(sum(found)) if found else None for name, found in amounts.items()}}

    def _watched(self, connection_id: str) -> Json:
        (found,) = [edge["node"] for edge in self.watching["syncConnections"]["edges"] if edge["node"]["id"] == connection_id]
        return self._object("WatchedConnection", found)

    def _member(self, one: GraphQLField, value: Any) -> Any:
        returned = get_named_type(one.type)
        if is_leaf_type(returned) or value is None:
            return value
        if isinstance(value, dict) and "edges" in value:
            kind = returned.name.removesuffix("Connection")
            return lambda **given: self._page(kind, value["edges"], days="from" in one.args, **given)
        if isinstance(value, list) and one.args:
            return lambda **given: [self._made(row) for row in self._chosen(value, given)][: given.get("first")]
        return [self._made(row) for row in value] if isinstance(value, list) else self._made(value)

    def _made(self, value: Json) -> Json:
        return self._object(value["__typename"], value)

    def _chosen(self, rows: list[Json], given: Json) -> Iterator[Json]:
        wanted = [
            (FILTERS.get(name, (name,)), value if isinstance(value, list) else [value])
            for name, value in given.items()
            if name not in POSITIONS and value is not None
        ]
        yield from (row for row in rows if all(_first(row, names) in values for names, values in wanted))

    def _latest(self, customer: Json, **given: Any) -> Json | None:
        found = latest(customer, **given)
        return self._made(found) if found else None

    def _profile(self, customer: Json) -> Json | None:
        """Back to its evaluation: the world has one that decides something."""
        found = customer["profile"]
        return {**self._made(found), "evaluation": self._latest(customer)} if found else None

    def _missing(self, customer: Json) -> str:
        """By the consents that are shown."""
        now = KNOWN.isoformat()
        open_ = [
            one
            for one in customer["consents"]
            if one["status"] == "ACTIVE" and one["mode"] != "QUERY" and (one["expiresAt"] is None or one["expiresAt"] > now)
        ]
        return "NOT_EVALUATED" if open_ else "CONSENT_MISSING"

    def _unevaluated(self, customer: Json, scenario: str | None) -> str:
        published = {edge["node"]["scenario"] for edge in self.watching["policies"]["edges"]}
        return self._missing(customer) if scenario is None or scenario in published else "UNKNOWN_SCENARIO"

    def _series(self, customer: Json, scenario: str | None = None, names: Any = None, **given: Any) -> list[Json]:
        first, last = given.get("from_") or given.get("from") or "", given.get("to") or "9999"
        rows = [row for row in customer["series"] if names is None or row["series"] in names]
        one = latest(customer)
        mine = one is not None and scenario in (None, one["scenario"])
        return [self._made(row) for row in rows if mine and first <= row["month"] <= last]

    def _page(self, kind: str, edges: list[Json], /, *, days: bool, first: int, after: str | None = None, **given: Any) -> Json:
        """The rows after the cursor, by day and id, newest first."""
        kept = [edge for edge in edges if self._within(edge["node"], given)]
        rows = [edge for edge in kept if after is None or _place(edge["cursor"], days) < _place(after, days)]
        page = rows[:first]
        cursors = [edge["cursor"] for edge in page]
        info = {"hasNextPage": len(rows) > first, "hasPreviousPage": after is not None}
        nodes = [self._object(kind, edge["node"]) for edge in page]
        return {
            "totalCount": len(kept),
            "totalIsExact": True,
            "nodes": nodes,
            "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
            "pageInfo": {**info, "startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None},
        }

    def _within(self, row: Json, given: Json) -> bool:
        first, last, before = given.get("from"), given.get("to"), given.get("endsBefore")
        if not list(self._chosen([row], given)) or given.get("accountShared") not in (None, bool(row.get("accountSharedWith"))):
            return False
        if given.get("disabled") not in (None, bool(row.get("disabledAt"))):
            return False
        if given.get("over") not in (None, row.get("until") is not None):
            return False
        if given.get("open") not in (None, row.get("state") == "OPEN"):
            return False
        if before is not None:
            return row["status"] == "ACTIVE" and any(end is not None and datetime.fromisoformat(end) < before for end in _ends(row))
        day = row.get("occurredOn") or row.get("firstDay")
        return (first is None or day >= _text(first)) and (last is None or day <= _text(last))


def latest(customer: Json, scenario: str | None = None, whatIf: bool = False) -> Json | None:
    found = [edge["node"] for edge in customer["evaluations"]["edges"]]
    found = [one for one in found if one["whatIf"] == whatIf and scenario in (None, one["scenario"])]
    return max(found, key=lambda one: (one["createdAt"], one["id"]), default=None)


def chooses(customer: Json, asked: Json) -> bool:
    """Whether the arguments choose a customer, by what its own fields show."""
    profile, decision = customer["profile"] or {}, latest(customer, asked.get("scenario")) or {}
    status = {one["source"]: one["status"] for one in customer["sources"]}
    section = (profile.get("industry") or "")[:1]
    shown = {
        **{"categories": [customer["category"]], "customerTypes": [profile.get("customerType")], "overlays": profile.get("overlays", [])},
        "clusters": profile.get("clusters") or [],
        **{"sizes": [profile.get("size")], "productClasses": [profile.get("productClass")]},
        **{"industries": [profile.get("industry"), section or None], "regions": [profile.get("region")]},
        **{"outcomes": [decision.get("outcome")], "tiers": [decision.get("tier")]},
    }
    day = decision.get("asOf")
    said = [bool({*asked[name]} & {*values} - {None}) for name, values in shown.items() if name in asked]
    said += [day is not None and day >= _text(asked["evaluatedSince"])] if "evaluatedSince" in asked else []
    said += [day is not None and day < _text(asked["evaluatedBefore"])] if "evaluatedBefore" in asked else []
    said += [all(status[one] == "AVAILABLE" for one in asked.get("available", ()))]
    said += [any(status[one] == "STALE" for one in asked["stale"])] if "stale" in asked else []
    return all(said)


def _first(row: Json, names: tuple[str, ...]) -> Any:
    return next(row[name] for name in names if name in row)


def _ends(row: Json) -> tuple[str | None, str | None]:
    return row["grantEndsAt"], row["consentEndsAt"]


def _text(day: date | datetime) -> str:
    return day.isoformat()


def _place(cursor: str, days: bool) -> tuple[str, str]:
    _, day, key, _ = base64.b64decode(cursor).decode().split("|")
    return (day if days else "", key)
