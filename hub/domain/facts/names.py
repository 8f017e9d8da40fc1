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


_STANDINGS = frozenset({"balance_after", "opening_balance"})
"""Amounts at a moment of one account: their sum says nothing."""


def choosers(spec: FactSpec) -> list[FieldSpec]:
    """Fields by which rows of a kind may be chosen: words, codes and flags. A personal field is kept as a keyed hash, and a name is no code."""
    kinds = (FieldType.TEXT, FieldType.PARTY, FieldType.ENUM, FieldType.BOOL)
    return [field for field in spec.fields if field.kind in kinds and field.name != "name"]


def summed(spec: FactSpec) -> list[FieldSpec]:
    """Fields whose sum over rows of a kind means something: amounts."""
    return [field for field in spec.fields if field.kind is FieldType.MONEY and field.name not in _STANDINGS]
