"""How a type of the contract is found in the store: its columns and its relations. Declarations only; the compiler makes SQL of them.

Column    a value of the row; ``{t}`` stands for the row's alias
Embedded  an object made of the same row
Valued    a value with arguments: that of at most one related row
One       at most one related row
Many      all related rows, bounded by nature or by ``first``
Paged     a Relay connection over related rows, with a stable order; ``extras`` are members of its own
Totals    sums over all rows of a connection
NodeOf    the row of any type behind a global id, or behind each of several
Each      a row for each customer id that is asked for, in the order of asking

A relation names its rows by a function of the alias they shall have and the scope: the enclosing rows, the asked-for day and instant.
Text that comes from a client never enters a statement; it is bound to a parameter (:class:`Argued`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

MOST_COUNTED = 100_000
"""Where a count of all rows stops. What an operation reads can be said before it is run only if its counts have an end."""

# Rounded where it is shown, once (domain brief, rule G9).
SHOWN_NUMBER = """case {t}.unit
 when 'YUAN' then round({t}.number, 2)::text
 when 'RATIO' then round({t}.number, 4)::text
 when 'TIMES' then round({t}.number, 4)::text
 when 'COUNT' then trim_scale({t}.number)::text
 when 'DPD' then trim_scale({t}.number)::text
 else round({t}.number, 2)::text end"""


class Convert(Enum):
    """How an argument's value becomes bound values."""

    PLAIN = "plain"
    CUSTOMER_ID = "customer id"
    NODE_ID = "node id"
    NODE_IDS = "node ids"
    CUSTOMER_IDS = "customer ids"
    CURSOR = "cursor"
    PAGE = "page size"


@dataclass(frozen=True, slots=True)
class Column:
    sql: str


@dataclass(frozen=True, slots=True)
class Embedded:
    type: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a row stands: aliases of the enclosing rows by type, SQL for the day and the instant asked for (None: now), and the values of the arguments
    that were given, by their names."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    as_of: str | None = None
    known_at: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, type_name: str) -> str:
        return self.aliases[type_name]


@dataclass(frozen=True, slots=True)
class Rows:
    """FROM and WHERE of related rows. ``each``, where there is one: a FROM of its own, for each row of which the others are found by ``where``."""

    source: str
    where: tuple[str, ...]
    each: str = ""


RowsOf = Callable[[str, Scope], Rows]


@dataclass(frozen=True, slots=True)
class Argued:
    """An argument of a relation: ``where`` is added when it is given; ``{t}`` is the row, ``{p}`` the bound value cast to ``cast``.

    A node's id has three bound values: ``{p_type}``, ``{p_customer}`` and ``{p_key}``. ``sets`` instead names what it changes in the scope: ``as_of`` or
    ``known_at``. With neither, the rows' own function finds it in the scope.
    """

    cast: str
    where: str | None = None
    sets: str | None = None
    convert: Convert = Convert.PLAIN


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: ``day`` (nullable, newest first) if there is one, then ``id``, newest first."""

    id: str
    day: str | None = None


@dataclass(frozen=True, slots=True)
class One:
    type: str
    rows: RowsOf
    newest: str | None = None
    arguments: Mapping[str, Argued] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Valued:
    """The ``value`` of at most one row."""

    rows: RowsOf
    arguments: Mapping[str, Argued] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Many:
    """``order`` is SQL after ORDER BY; there are at most ``first`` rows, or ``default`` where the field has no such argument; None: nature bounds them.
    ``owned``: its rows belong to customers."""

    type: str
    rows: RowsOf
    order: str
    arguments: Mapping[str, Argued] = field(default_factory=dict)
    default: int | None = None
    owned: bool = True


@dataclass(frozen=True, slots=True)
class Paged:
    """``owned`` as of :class:`Many`; ``extras`` are members of the connection beside the page: what stands for all of its rows.

    ``private``: its tables are none that a client's transaction sees (:data:`hub.store.security.PRIVATE`). A field of Query that is answered as the hub, for whoever
    holds its scope; nothing leads from there to what belongs to a customer.
    """

    type: str
    rows: RowsOf
    order: Order
    arguments: Mapping[str, Argued] = field(default_factory=dict)
    default: int = 20
    extras: Mapping[str, Member] = field(default_factory=dict)
    owned: bool = True
    private: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all rows of the connection it is an extra of, by field name: columns of the rows. Null where no row has a value, or there are too many."""

    type: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeRow:
    """Where the row of a node is found. ``scope`` is what the caller must hold; ``gate`` a further condition on the row; ``answers`` names the customer that
    answers for the asked one."""

    table: str
    key: str
    scope: str
    gate: Callable[[str], str] | None = None
    answers: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class NodeOf:
    """The row behind a global id, ``many``: behind each of several, in their order, null where there is none."""

    rows: Mapping[str, NodeRow]
    many: bool = False
    arguments: Mapping[str, Argued] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Each:
    """A row for each customer id of the argument, in its order; null where there is none. ``answers`` names the customer that answers for the asked one."""

    type: str
    rows: RowsOf
    answers: Callable[[str], str]


Member = Column | Embedded | Valued | One | Many | Paged | Totals | NodeOf | Each


@dataclass(frozen=True, slots=True)
class TypeView:
    """A type's members by field name.

    ``table`` and ``key`` are set where the cases of an abstract type must find the row; ``typename`` where the row tells its type.
    """

    name: str
    members: Mapping[str, Member]
    table: str | None = None
    key: str | None = None
    typename: str | None = None


Catalogue = Mapping[str, TypeView]


def columns(**members: str) -> dict[str, Member]:
    """Members that are plain expressions of the row."""
    return {name: Column(sql) for name, sql in members.items()}


def plain(*names: str) -> dict[str, Member]:
    """Members that are columns of the row with the same name in snake case."""
    return {name: Column("{t}." + snake(name)) for name in names}


def decimals(*names: str) -> dict[str, Member]:
    """Amounts and ratios: a decimal string, never a JSON number."""
    return {name: Column("{t}." + snake(name) + "::text") for name in names}


def global_id(kind: str, key: str) -> str:
    """SQL for the id by which ``node`` finds a row of a customer's; null where the key is."""
    return f"'{kind}:' || {{t}}.customer_id || ':' || {{t}}.{key}"


def snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name).lstrip("_")


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def below(table: str, parent: str, key: str | None = None) -> RowsOf:
    """Rows of a customer's table below a parent row: same customer, and the same ``key`` when one is named."""

    def rows(t: str, scope: Scope) -> Rows:
        p = scope[parent]
        where = [f"{t}.customer_id = {p}.customer_id"]
        if key is not None:
            where.append(f"{t}.{key} = {p}.{key}")
        return Rows(f"{table} {t}", tuple(where))

    return rows
