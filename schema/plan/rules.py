"""Which scope each coordinate of the contract needs, read off the declarations. A coordinate without a declaration is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from schema.access import ANYONE, Access
from schema.types.pages import Connection, Edge, PageInfo

BACKREF = "strawberry-definition"
UNDECLARED = "(undeclared)"


class Rules:
    """Access rules by coordinate. A field without a rule of its own follows its type."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.by_coordinate: dict[tuple[str, str], Access | None] = {}
        for type_ in schema.type_map.values():
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
                self._read(type_)

    def _read(self, type_: GraphQLObjectType | GraphQLInterfaceType) -> None:
        definition = type_.extensions.get(BACKREF)
        own = _declared(definition) or (ANYONE if _structural(definition) else None)
        for name, field in type_.fields.items():
            self.by_coordinate[type_.name, name] = _declared(field.extensions.get(BACKREF)) or own

    def needs(self, coordinates: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Scopes with a coordinate that needs each. What declares nothing needs a scope that nobody holds."""
        found: dict[str, str] = {}
        for owner, name in coordinates:
            rule = self.by_coordinate.get((owner, name))
            found.setdefault(rule.scope if rule else UNDECLARED, f"{owner}.{name}")
        found.pop(ANYONE.scope, None)
        return found

    def undeclared(self) -> list[str]:
        """Coordinates without any rule; there must be none."""
        return sorted(f"{owner}.{name}" for (owner, name), rule in self.by_coordinate.items() if rule is None)


def _structural(definition: Any) -> bool:
    """Types that only hold rows of another one: the rows carry the rules. Told by the class, a name could be borrowed."""
    generic = getattr(definition, "concrete_of", None)
    return getattr(generic or definition, "origin", None) in (Connection, Edge, PageInfo)


def _declared(definition: Any) -> Access | None:
    directives = getattr(definition, "directives", None) or ()
    return next((one for one in directives if isinstance(one, Access)), None)
