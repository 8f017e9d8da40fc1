"""The kinds of fact, derived from their declarations in :mod:`hub.domain.facts` (design, idea 3).

Each becomes a type that implements ``Fact``, with descriptions made of the declaration's text, unit and upstream names, and a field of the
customer. A personal field is shown masked; a field of class C2 carries its own access rule.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Annotated, Any, cast

import strawberry

from hub.domain.enums import Sensitivity
from hub.domain.facts import FactSpec, FieldSpec, FieldType, all_specs
from hub.domain.facts.names import choosers, field_name, list_name, summed
from hub.domain.periods import Month
from schema.access import DataKind, access, shown, stored
from schema.types.fact import Fact
from schema.types.pages import COUNTED, EXACT, After, Edge, First, PageInfo
from schema.types.source_access import SourceAccess
from schema.types.statement_line import StatementLine

_PYTHON: dict[FieldType, Any] = {
    FieldType.TEXT: str,
    FieldType.INT: int,
    FieldType.MONEY: Decimal,
    FieldType.NUMBER: Decimal,
    FieldType.COORDINATE: float,
    FieldType.DATE: date,
    FieldType.INSTANT: datetime,
    FieldType.MONTH: Month,
    FieldType.BOOL: bool,
    FieldType.PERSONAL: str,
    FieldType.PARTY: str,
    FieldType.LINES: list[StatementLine],
}


_ACCESS = access("customers:read", DataKind.CONSENT)


def described(field: FieldSpec) -> str:
    """Meaning, unit and upstream names of a field, in one line or three."""
    parts = [field.doc]
    if field.kind is FieldType.PERSONAL:
        parts.append("Masked.")
    if field.kind is FieldType.PARTY:
        parts.append("A natural person's is masked.")
    if field.unit is not None:
        parts.append(f"Unit: {field.unit.lower()}.")
    if field.upstream:
        parts.append(f"Upstream: {', '.join(f'`{name}`' for name in field.upstream)}.")
    return " ".join(parts)


def _annotation(field: FieldSpec) -> Any:
    kind: Any = field.enum if field.kind is FieldType.ENUM else _PYTHON[field.kind]
    return kind | None if field.nullable else kind


def _type_of(spec: FactSpec) -> Any:
    """The GraphQL type of one kind of fact."""
    personal = access("facts:read", spec.source, Sensitivity.C2)
    members: dict[str, Any] = {"__annotations__": {field_name(field): _annotation(field) for field in spec.fields}, "__module__": __name__}
    for field in spec.fields:
        members[field_name(field)] = shown(described(field), personal if field.sensitivity is not Sensitivity.C1 else None)
    made = type(spec.name, (Fact,), members)
    return strawberry.type(made, name=spec.name, description=spec.doc, directives=[access("facts:read", spec.source)])


def _enums() -> None:
    for kind in {field.enum for spec in all_specs() for field in spec.fields if field.enum is not None}:
        if not hasattr(kind, "__strawberry_definition__"):
            strawberry.enum(kind, description=(kind.__doc__ or "").strip())


_enums()
FACT_TYPES: dict[str, Any] = {spec.name: _type_of(spec) for spec in all_specs()}


_LIST: Any = list
_FROM = Annotated[date | None, strawberry.argument(name="from", description="First day, by `occurredOn`.")]
_TO = Annotated[date | None, strawberry.argument(description="Last day, by `occurredOn`.")]


def _totals_of(spec: FactSpec) -> Any:
    """Sums of the amounts of one kind, or None where it has none."""
    if not (amounts := summed(spec)):
        return None
    members: dict[str, Any] = {"__annotations__": {field_name(field): Decimal | None for field in amounts}, "__module__": __name__}
    for field in amounts:
        members[field_name(field)] = shown(f"Sum of `{field_name(field)}`: {field.doc} Unit: yuan.")
    name = f"{spec.name}Totals"
    doc = (
        "Plain sums over all rows under the same arguments, whatever their state. Null, never zero: no row has a value, or there are more than"
        " 100000 rows. Whether the days are complete, `access` says."
    )
    return strawberry.type(type(name, (), members), name=name, description=doc, directives=[access("facts:read", spec.source)])


def _connection_of(spec: FactSpec) -> Any:
    """One page of one kind, with what stands for all of its rows."""
    row: Any = FACT_TYPES[spec.name]
    members: dict[str, tuple[Any, Any]] = {
        "total_count": (int, shown(COUNTED)),
        "total_is_exact": (bool, shown(EXACT)),
        "nodes": (_LIST[row], shown("The rows.")),
        "edges": (_LIST[cast(Any, Edge)[row]], shown("The rows with their cursors.")),
        "page_info": (PageInfo, shown("Where this page stands.")),
        "access": (SourceAccess, shown(f"Whether {spec.source} can be used now, and if not, why not: no rows are not a zero.", _ACCESS)),
    }
    if (totals := _totals_of(spec)) is not None:
        members["totals"] = (totals, shown("Sums of the amounts over all rows."))
    body = {name: made for name, (_, made) in members.items()} | {"__module__": __name__}
    name = f"{spec.name}Connection"
    made = type(name, (), body | {"__annotations__": {key: kind for key, (kind, _) in members.items()}})
    return strawberry.type(
        made, name=name, description="One page of rows, the newest first.", directives=[access("facts:read", spec.source)]
    )


def _chooser(field: FieldSpec) -> Any:
    """The argument that chooses rows by a field."""
    if field.kind is FieldType.BOOL:
        return Annotated[bool | None, strawberry.argument(description=f"Only so: {field.doc}")]
    kind: Any = field.enum if field.kind is FieldType.ENUM else str
    return Annotated[list[kind] | None, strawberry.argument(description=f"Only with one of these: {field.doc}")]


def _resolver_of(spec: FactSpec) -> Any:
    """The body of a field that is never run, with the arguments of its kind."""
    kinds: dict[str, Any] = {"first": First, "after": After}
    if spec.occurred:
        kinds |= {"from_": _FROM, "to": _TO}
    kinds |= {field.name: _chooser(field) for field in choosers(spec)}
    defaults: dict[str, Any] = {"first": 20}
    given = [Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=kind) for name, kind in kinds.items()]

    def resolver(**_: Any) -> Any:
        return stored()

    resolver.__signature__ = Signature(given, return_annotation=Any)  # type: ignore[attr-defined]
    resolver.__annotations__ = kinds | {"return": Any}
    return resolver


def fact_field(spec: FactSpec) -> Any:
    """The customer's field of one kind of fact: a page of 1 to 100, newest first."""
    return strawberry.field(
        resolver=_resolver_of(spec),
        graphql_type=_connection_of(spec),
        name=list_name(spec),
        description=f"{spec.doc} Readable while consent for {spec.source} is in force.",
        directives=[access("facts:read", spec.source)],
    )


FactFields: Any = strawberry.type(
    type("FactFields", (), {list_name(spec): fact_field(spec) for spec in all_specs()} | {"__module__": __name__})
)
"""Every kind of fact as a field: a base of the customer."""
