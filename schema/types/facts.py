"""The kinds of fact, derived from their declarations in :mod:`hub.domain.facts` (design, idea 3).

Each becomes a type that implements ``Fact``, with descriptions made of the declaration's text, unit and upstream names, and a field of the
customer. A personal field is shown masked; a field of class C2 carries its own access rule.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

import strawberry

from hub.domain.enums import Sensitivity
from hub.domain.facts import FactSpec, FieldSpec, FieldType, all_specs
from hub.domain.facts.names import field_name, list_name
from hub.domain.periods import Month
from schema.access import access, shown, stored
from schema.types.fact import Fact
from schema.types.pages import After, Connection, First
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
    FieldType.LINES: list[StatementLine],
}


def described(field: FieldSpec) -> str:
    """Meaning, unit and upstream names of a field, in one line or three."""
    parts = [field.doc]
    if field.kind is FieldType.PERSONAL:
        parts.append("Masked.")
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


def _of_days(
    self: Any,
    first: First = 20,
    after: After = None,
    from_: Annotated[date | None, strawberry.argument(name="from", description="First day, by `occurredOn`.")] = None,
    to: Annotated[date | None, strawberry.argument(description="Last day, by `occurredOn`.")] = None,
) -> Any:
    return stored()


def _of_states(self: Any, first: First = 20, after: After = None) -> Any:
    return stored()


def fact_field(spec: FactSpec) -> Any:
    """The customer's field of one kind of fact: a page of 1 to 100, newest first."""
    return strawberry.field(
        resolver=_of_days if spec.occurred else _of_states,
        graphql_type=cast(Any, Connection)[FACT_TYPES[spec.name]],
        name=list_name(spec),
        description=f"{spec.doc} Readable while consent for {spec.source} is in force.",
        directives=[access("facts:read", spec.source)],
    )


FactFields: Any = strawberry.type(
    type("FactFields", (), {list_name(spec): fact_field(spec) for spec in all_specs()} | {"__module__": __name__})
)
"""Every kind of fact as a field: a base of the customer."""
