"""What a fact's fields and lists are called outside: in the GraphQL contract and the data dictionary."""

from __future__ import annotations

from hub.domain.facts.declare import FactSpec, FieldSpec, FieldType


def camel(name: str) -> str:
    """``paid_amount`` -> ``paidAmount``."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def field_name(field: FieldSpec) -> str:
    """A personal field is shown masked, and its name says so."""
    return camel(field.name) + ("Masked" if field.kind is FieldType.PERSONAL else "")


def list_name(spec: FactSpec) -> str:
    """``TaxReturn`` -> ``taxReturns``, ``ShopPenalty`` -> ``shopPenalties``."""
    name = spec.name[:1].lower() + spec.name[1:]
    return name[:-1] + "ies" if name.endswith("y") else name + "s"
