"""Random valid operations over the stored types: aliases, fields that merge, fragments of all sorts, flags, arguments as values and variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

Pools = Mapping[str, list[Any]]
"""Values an argument is drawn from, by its name, or by ``<field>.<name>`` where that differs."""


@dataclass
class Operation:
    text: str
    variables: dict[str, Any]


@dataclass
class Maker:
    """Makes one operation. ``room`` bounds how many fields are still drawn; with ``defaults`` some variables have a default, and some of these are not sent."""

    schema: GraphQLSchema
    pools: Pools
    random: Random
    room: int = 22
    defaults: bool = False
    number: int = 0
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def operation(self) -> Operation:
        assert self.schema.query_type is not None
        body = self._selection(self.schema.query_type, 0, fresh=False)
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
        text = " ".join([f"query Random{f'({declared})' if declared else ''} {body}", *self.fragments])
        return Operation(text, {name: value for name, (_, value) in self.variables.items() if value is not ...})

    def _selection(self, type_: GraphQLNamedType, depth: int, *, fresh: bool) -> str:
        """``fresh``: every field gets an alias of its own, so that what lies in fragments of different types never conflicts."""
        drawn = [self._drawn(type_, depth, fresh=fresh) for _ in range(self.random.randint(1, 2 if depth > 3 else 4))]
        parts = [part for part in drawn if part] or ["__typename"]
        if len(parts) > 1 and self.random.random() < 0.15:
            parts.append(parts[0])
        return "{ " + " ".join(parts) + " }"

    def _drawn(self, type_: GraphQLNamedType, depth: int, *, fresh: bool) -> str:
        chance = self.random.random()
        if is_abstract_type(type_):
            if chance < 0.7:
                concrete = self.random.choice(list(self.schema.get_possible_types(type_)))
                return f"... on {concrete.name} {self._selection(concrete, depth, fresh=True)}"
            return self._field(type_, depth, fresh=fresh) if hasattr(type_, "fields") else "__typename"
        if chance < 0.06:
            return f"...{self.random.choice(['', f' on {type_.name}'])}{self._flag()} {self._selection(type_, depth, fresh=True)}"
        if chance < 0.12:
            name = f"F{self._next()}"
            self.fragments.append(f"fragment {name} on {type_.name} {self._selection(type_, depth, fresh=True)}")
            return f"...{name}{self._flag()}"
        return self._field(type_, depth, fresh=fresh)

    def _field(self, type_: Any, depth: int, *, fresh: bool) -> str:
        """A field that leads on where the way to the data is long, a leaf where there is no room."""
        self.room -= 1
        names = [name for name, one in type_.fields.items() if (self.room > 0 and depth < 9) or is_leaf_type(get_named_type(one.type))]
        if not names or self.random.random() < 0.05:
            return "__typename"
        preferred = [name for name in names if name in self.pools["prefer"]]
        name = self.random.choice(preferred if preferred and self.random.random() < 0.6 else names)
        one: GraphQLField = type_.fields[name]
        aliased = fresh or one.args or self.random.random() < 0.1
        alias = f"a{self._next()}: " if aliased else ""
        returned = get_named_type(one.type)
        below = "" if is_leaf_type(returned) else " " + self._selection(returned, depth + 1, fresh=fresh)
        return f"{alias}{name}{self._arguments(name, one)}{self._flag()}{below}"

    def _arguments(self, name: str, one: GraphQLField) -> str:
        given = []
        for key, argument in one.args.items():
            pool = self.pools.get(f"{name}.{key}", self.pools.get(key))
            if not is_required_argument(argument) and (pool is None or self.random.random() < 0.5):
                continue
            assert pool, f"no values to draw {name}({key}) from"
            value = self.random.choice(pool)
            if self.random.random() < 0.5:
                variable = f"v{self._next()}"
                self.variables[variable] = self._declared(argument, value)
                given.append(f"{key}: ${variable}")
            else:
                given.append(f"{key}: {_literal(get_named_type(argument.type), value)}")
        return f"({', '.join(given)})" if given else ""

    def _declared(self, argument: GraphQLArgument, value: Any) -> tuple[str, Any]:
        if not self.defaults or value is None or self.random.random() < 0.5:
            return str(argument.type), value
        kind = f"{argument.type} = {_literal(get_named_type(argument.type), value)}"
        return kind, ... if self.random.random() < 0.5 else value

    def _flag(self) -> str:
        if self.random.random() > 0.08:
            return ""
        directive, value = self.random.choice(["skip", "include"]), self.random.random() < 0.5
        if self.random.random() < 0.5:
            return f" @{directive}(if: {str(value).lower()})"
        name = f"v{self._next()}"
        kind = self.random.choice(["Boolean!", f"Boolean! = {str(value).lower()}"])
        self.variables[name] = (kind, ... if "=" in kind and self.random.random() < 0.7 else value)
        return f" @{directive}(if: ${name})"

    def _next(self) -> int:
        self.number += 1
        return self.number


def _literal(type_: GraphQLNamedType, value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_literal(type_, item) for item in value) + "]"
    return str(value) if isinstance(type_, GraphQLEnumType) and value is not None else json.dumps(value, ensure_ascii=False)
