"""How a kind of fact is declared, once.

``@fact`` turns a frozen dataclass into a kind of fact; its table, GraphQL type, data-dictionary page and validation are derived from
the declaration (:class:`FactSpec`). Adding a kind touches one file of this package, one migration and the connector that produces it.

A field is declared with :func:`about`: what it means, its unit, its upstream names. A field of type :data:`PersonalId` is stored as a
keyed hash and a masked form, never as plain text. One declared with ``party`` holds the number of whoever is the other side, which of a business is public and of a
natural person is the resident ID (:func:`hub.domain.identifiers.persons_number` tells them apart): it is stored as it is, or as keyed hash beside a masked form.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum

import msgspec

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month, china_day, first_day


class FieldType(Enum):
    """How a field is stored and shown."""

    TEXT = "text"
    INT = "int"
    MONEY = "money"
    NUMBER = "number"
    COORDINATE = "coordinate"
    DATE = "date"
    INSTANT = "instant"
    MONTH = "month"
    BOOL = "bool"
    ENUM = "enum"
    PERSONAL = "personal"
    PARTY = "party"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    name: str
    kind: FieldType
    nullable: bool
    doc: str
    unit: Unit | None
    upstream: tuple[str, ...]
    sensitivity: Sensitivity
    enum: type[StrEnum] | None


@dataclass(frozen=True, slots=True)
class FactSpec:
    """Everything that is derived from one declaration."""

    cls: type
    name: str
    source: SourceKind
    key: tuple[str, ...]
    occurred: str | None
    doc: str
    fields: tuple[FieldSpec, ...]

    @property
    def table(self) -> str:
        return "fact_" + snake(self.name)

    def source_key(self, value: object) -> str:
        """The natural key of a fact within its customer and connection, as text."""
        return "|".join(_key_text(getattr(value, name)) for name in self.key)

    def occurred_on(self, value: object) -> date | None:
        """The day (China Standard Time) on which the fact counts; for a month its first day; null for a state without a date."""
        if self.occurred is None:
            return None
        at = getattr(value, self.occurred)
        if isinstance(at, datetime):
            return china_day(at)
        return at if isinstance(at, date) else first_day(Month(at))


_REGISTRY: dict[type, FactSpec] = {}
_PLAIN: dict[object, FieldType] = {
    str: FieldType.TEXT,
    int: FieldType.INT,
    float: FieldType.COORDINATE,
    bool: FieldType.BOOL,
    date: FieldType.DATE,
    datetime: FieldType.INSTANT,
    Month: FieldType.MONTH,
    PersonalId: FieldType.PERSONAL,
}

T = typing.TypeVar("T")


def about(
    doc: str,
    *,
    unit: Unit | None = None,
    upstream: tuple[str, ...] = (),
    sensitivity: Sensitivity = Sensitivity.C1,
    default: typing.Any = dataclasses.MISSING,
    party: bool = False,
) -> typing.Any:
    """Declares one field of a fact: its meaning for a partner's developer, its unit, its names at the platforms, and whether it is the number of a ``party``."""
    meta = {"doc": doc, "unit": unit, "upstream": upstream, "sensitivity": sensitivity, "party": party}
    return dataclasses.field(default=default, metadata=meta)


@typing.dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(about,))
def fact(*, source: SourceKind, key: tuple[str, ...], occurred: str | None) -> typing.Callable[[type[T]], type[T]]:
    """Declares a kind of fact.

    ``source`` is what consent it needs, ``key`` the fields that identify it at its platform, ``occurred`` the field that says when it
    counts (a date, an instant or a month).
    """

    def declare(plain: type[T]) -> type[T]:
        cls = _record(dataclass(frozen=True, kw_only=True)(plain))
        hints = typing.get_type_hints(cls)
        fields = tuple(_field_spec(field, hints[field.name]) for field in dataclasses.fields(typing.cast(typing.Any, cls)))
        if not cls.__doc__ or unknown(key, fields) or (occurred and unknown((occurred,), fields)):
            raise TypeError(f"{cls.__name__}: a fact needs a docstring, and its key and time must be fields of it")
        # Facts with a day are found by it: one without would be found by nobody.
        if any(one.nullable for one in fields if one.name == occurred):
            raise TypeError(f"{cls.__name__}: a fact that counts on a day always has one")
        _REGISTRY[cls] = FactSpec(cls, cls.__name__, source, key, occurred, (cls.__doc__ or "").strip(), fields)
        return cls

    return declare


def _record(cls: type[T]) -> type[T]:
    """The same as a struct, which is made in a tenth of the time: facts come by the hundred thousand. It is a dataclass still to whoever asks. None of its values leads
    back to it, so the collector of cycles need not look at it."""
    fields = dataclasses.fields(typing.cast(typing.Any, cls))
    own = {"__doc__": cls.__doc__, "__module__": cls.__module__, "__dataclass_fields__": {field.name: field for field in fields}}
    members = [(one.name, one.type) if one.default is dataclasses.MISSING else (one.name, one.type, one.default) for one in fields]
    return typing.cast(
        type[T],
        msgspec.defstruct(
            cls.__name__, typing.cast(typing.Any, members), frozen=True, kw_only=True, gc=False, array_like=True, namespace=own
        ),
    )


def unknown(names: tuple[str, ...], fields: tuple[FieldSpec, ...]) -> set[str]:
    return set(names) - {field.name for field in fields}


def spec_of(cls: type) -> FactSpec:
    return _REGISTRY[cls]


def spec_of_name(name: str) -> FactSpec:
    """The declaration of a kind by its name. Raises KeyError."""
    return {spec.name: spec for spec in _REGISTRY.values()}[name]


def all_specs() -> tuple[FactSpec, ...]:
    """Every declared kind of fact, by name. Import :mod:`hub.domain.facts` first: it imports every declaration."""
    return tuple(sorted(_REGISTRY.values(), key=lambda spec: spec.name))


def snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name).lstrip("_")


def _key_text(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _field_spec(field: dataclasses.Field[typing.Any], hint: object) -> FieldSpec:
    nullable = False
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        nullable, hint = True, options[0]
    meta = field.metadata
    enum = hint if isinstance(hint, type) and issubclass(hint, StrEnum) else None
    kind = FieldType.ENUM if enum else FieldType.LINES if typing.get_origin(hint) is dict else _PLAIN.get(hint)
    if hint is Decimal:
        kind = FieldType.MONEY if meta.get("unit") is Unit.YUAN else FieldType.NUMBER
    if kind is FieldType.TEXT and meta.get("party"):
        kind = FieldType.PARTY
    if kind is None or not meta.get("doc"):
        raise TypeError(f"{field.name}: declare a fact's field with about(...) and one of the supported types")
    sensitivity = Sensitivity.C2 if kind in (FieldType.PERSONAL, FieldType.PARTY) else meta["sensitivity"]
    return FieldSpec(field.name, kind, nullable, meta["doc"], meta["unit"], meta["upstream"], sensitivity, enum)
