"""A selection becomes one PostgreSQL statement that returns finished JSON.

Only names from the catalogue and response keys enter its text; every value is a bound parameter. A response key is a GraphQL name
(letters, digits, underscores), so that it can stand in a literal. Objects nest as correlated subqueries: PostgreSQL builds the answer, and
Python never sees a row of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from hub.domain.selection import Argument, Pick, Selection
from hub.store.view.binding import MAX_PAGE, Binding
from hub.store.view.catalogue import (
    Argued,
    Catalogue,
    Column,
    Convert,
    Each,
    Embedded,
    Many,
    Member,
    NodeOf,
    NodeRow,
    One,
    Order,
    Paged,
    Rows,
    RowsOf,
    Scope,
    Totals,
    Valued,
)
from hub.store.view.environment import SCOPES
from hub.store.view.merged import WITH_PARTS, answering
from hub.store.view.paging import PageParts, clauses, needed, page_of
from hub.store.view.writing import Json, json_list, json_object


@dataclass(frozen=True, slots=True)
class Statement:
    """``text`` returns one row: ``body``, the JSON of the data, and ``seen``, the customers whose data may be in it."""

    text: str
    bindings: tuple[Binding, ...]


def compile_selection(selection: Selection, catalogue: Catalogue, present: frozenset[str]) -> Statement:
    """``present`` holds the slots that have a value: an argument that is not given leaves no trace in the statement."""
    compiler = _Compiler(catalogue, present)
    text = compiler.of_one(selection) or compiler.of_any(selection)
    return Statement(text, tuple(compiler.bindings.values()))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parts of a node's id, as SQL. ``source`` and ``place`` where there are several ids: their rows, and the order of these."""

    name: str
    kind: str
    customer: str
    key: str
    source: str = ""
    place: str = ""


class _Compiler:
    def __init__(self, catalogue: Catalogue, present: frozenset[str]) -> None:
        self.catalogue, self.present = catalogue, present
        self.bindings: dict[str, Binding] = {}
        self._numbers = count(1)

    def of_any(self, selection: Selection) -> str:
        """Whom the answer reaches is worked out beside it."""
        body = self.object(selection.type, selection.picks, "", Scope())
        return f"select {body} as body, {self.seen(selection)} as seen"

    def of_one(self, selection: Selection) -> str | None:
        """Where one customer is all that is asked for, he is looked up once, for the answer and for whom it reaches. None where more, or something else, is asked."""
        members = self.catalogue[selection.type].members
        found = [pick for pick in selection.picks if pick.name != "__typename"]
        member = members[found[0].name] if len(found) == 1 else None
        if not isinstance(member, One) or member.type != "Customer" or member.newest:
            return None
        t = self._alias()
        rows, inside = self._rows(member.rows, member.arguments, found[0].arguments, t, Scope(aliases={selection.type: ""}))
        built = json_object([(pick.key, Json(f"{t}.told") if pick is found[0] else f"'{selection.type}'") for pick in selection.picks])
        customer = f"(select {self.case(_of(found[0]), t, inside, member.type)} as told, {t}.parts from {clauses(rows)}) {t}"
        return f"select {built} as body, coalesce({t}.parts, '{{}}') as seen from (select) once left join {customer} on true"

    def object(self, type_name: str, picks: Iterable[Pick], alias: str, scope: Scope) -> Json:
        inside = replace(scope, aliases={**scope.aliases, type_name: alias})
        return json_object([(pick.key, self._value(type_name, pick, alias, inside)) for pick in picks])

    def seen(self, selection: Selection) -> str:
        """The customers that the roots of the statement reach: what the access log must name."""
        members = self.catalogue[selection.type].members
        found = [self._seen_by(members[pick.name], pick) for pick in selection.picks if pick.name != "__typename"]
        return " || ".join(found) or "'{}'::uuid[]"

    def _seen_by(self, member: Member, pick: Pick) -> str:
        t = self._alias()
        if isinstance(member, Many | Paged) and not member.owned:
            return "'{}'::uuid[]"
        if isinstance(member, NodeOf):
            return self._seen_nodes(member, pick, t)
        if isinstance(member, Each):
            wanted, asked = self._asked_each(pick)
            return f"array(select unnest({t}.parts) from {wanted} join {clauses(member.rows(t, Scope()))} on {t}.customer_id = {member.answers(asked)})"
        assert isinstance(member, One | Many | Paged)
        rows, _ = self._rows(member.rows, member.arguments, pick.arguments, t, Scope())
        ids = f"unnest({t}.parts)" if member.type == "Customer" else f"{t}.customer_id"
        if not isinstance(member, Paged):
            return f"array(select {ids} from {clauses(rows)})"
        size, after = self._size(pick.arguments, member.default), self._after(pick.arguments, member.order, member.type, t)
        return f"array(select {ids} from (select {t}.* from {clauses(rows, after)} order by {_keys(member.order, t)} limit {size}) {t})"

    def _seen_nodes(self, member: NodeOf, pick: Pick, t: str) -> str:
        asked = self._asked(member, pick)
        itself = f"array(select customer_id from customer where customer_id = {asked.customer})"
        whole = f"array(select unnest({t}.parts) from {WITH_PARTS} {t} where {t}.customer_id = {answering(asked.customer)})"
        seen = f"case {asked.kind} when 'Customer' then {whole} else {itself} end"
        return f"array(select unnest({seen}) from {asked.source})" if asked.source else seen

    def _value(self, type_name: str, pick: Pick, alias: str, scope: Scope) -> str:
        if pick.name == "__typename":
            told = self.catalogue[type_name].typename
            return told.replace("{t}", alias) if told else f"'{type_name}'"
        member: Member = self.catalogue[type_name].members[pick.name]
        match member:
            case Column(sql):
                return sql.replace("{t}", alias)
            case Valued():
                t = self._alias()
                rows, _ = self._rows(member.rows, member.arguments, pick.arguments, t, scope)
                return f"(select {t}.value from {clauses(rows)})"
            case Embedded(kind):
                return self.case(_of(pick), alias, scope, kind)
            case One() | Many():
                return self.related(member, pick, scope)
            case Paged():
                return self._paged(member, pick, scope)
            case NodeOf():
                return self._node(member, pick, scope)
            case Totals():
                raise TypeError("totals are an extra of a connection")
            case Each():
                return self._each(member, pick, scope)

    def _one(self, member: One, pick: Pick, scope: Scope) -> Json:
        t = self._alias()
        rows, inside = self._rows(member.rows, member.arguments, pick.arguments, t, scope)
        newest = f" order by {member.newest.replace('{t}', t)} limit 1" if member.newest else ""
        built = self.case(_of(pick), t, inside, member.type)
        if not newest:
            return Json(f"(select {built} from {clauses(rows)})")
        return Json(f"(select {built} from (select {needed(t, built)} from {clauses(rows)}{newest}) {t})")

    def _many(self, member: Many, pick: Pick, scope: Scope) -> Json:
        t = self._alias()
        rows, inside = self._rows(member.rows, member.arguments, pick.arguments, t, scope)
        order = member.order.replace("{t}", t)
        built = self.case(_of(pick), t, inside, member.type)
        source = clauses(rows)
        if member.default is not None:
            size = self._size(pick.arguments, member.default)
            source = f"(select {needed(t, built, order)} from {source} order by {order} limit {size}) {t}"
        return Json(f"(select {json_list(built, order)} from {source})")

    def related(self, member: One | Many, pick: Pick, scope: Scope) -> Json:
        return self._one(member, pick, scope) if isinstance(member, One) else self._many(member, pick, scope)

    def _paged(self, member: Paged, pick: Pick, scope: Scope) -> Json:
        """One pass over at most ``first + 1`` rows, ``first`` where nobody asks what follows; a count of all only where it is asked for."""
        t, page = self._alias(), self._alias()
        rows, inside = self._rows(member.rows, member.arguments, pick.arguments, t, scope)
        size, after = self._size(pick.arguments, member.default), self._after(pick.arguments, member.order, member.type, t)
        keys, ends = _keys(member.order, t), any(below.name == "pageInfo" for below in _of(pick).picks)
        parts = PageParts(self, member, rows, inside, t, page, size, bool(after), keys, ends)
        answer = json_object([(below.key, parts.of(below)) for below in _of(pick).picks])
        if not parts.uses_rows:
            return answer
        limited = page_of(rows, after, member.order, keys, f"{size} + 1" if ends else size, t, needed(t, answer, *parts.columns, keys))
        if not ends:
            return Json(f"(select {answer} from {limited} having true)")
        values = ", ".join([*parts.columns, f"row_number() over (order by {keys}) as i"])
        return Json(f"(select {answer} from (select {values} from {limited}) {page} having true)")

    def _asked(self, member: NodeOf, pick: Pick) -> _Asked:
        """What the ids of a node field name, as SQL. A list of them is a source of rows."""
        by_name = {argument.name: argument for argument in pick.arguments}
        if not member.many:
            name = self._bound(by_name["id"], Convert.NODE_ID)
            return _Asked(name, f"%({name}_type)s::text", f"%({name}_customer)s::uuid", f"%({name}_key)s::uuid")
        n, name = self._alias(), self._bound(by_name["ids"], Convert.NODE_IDS)
        listed = f"%({name}_type)s::text[], %({name}_customer)s::uuid[], %({name}_key)s::uuid[]"
        return _Asked(
            name,
            f"{n}.kind",
            f"{n}.customer",
            f"{n}.key",
            f"unnest({listed}) with ordinality {n}(kind, customer, key, place)",
            f"{n}.place",
        )

    def _node(self, member: NodeOf, pick: Pick, scope: Scope) -> Json:
        """Only the types that the ids name are looked for (:func:`hub.store.view.binding.kinds_named`)."""
        asked, of = self._asked(member, pick), _of(pick)
        _, inside = self._rows(_nothing, member.arguments, pick.arguments, "", scope)
        cases = {case.type: case.picks for case in of.cases}
        branches = []
        for kind, row in member.rows.items():
            if f"{asked.name}:{kind}" in self.present:
                t = self._alias()
                built = self.object(kind, cases.get(kind, of.picks), t, inside)
                branches.append(f"when '{kind}' then (select {built} from {_node_row(row, asked, t)})")
        answer = Json(f"case {asked.kind} {' '.join(branches)} end" if branches else "null")
        return Json(f"(select {json_list(answer, asked.place)} from {asked.source})") if asked.source else answer

    def _each(self, member: Each, pick: Pick, scope: Scope) -> Json:
        t, (wanted, asked), of = self._alias(), self._asked_each(pick), _of(pick)
        picks = next((case.picks for case in of.cases if case.type == member.type), of.picks)
        found = clauses(member.rows(t, scope), f"{t}.customer_id = {member.answers(asked)}")
        built = Json(f"(select {self.object(member.type, picks, t, scope)} from {found})")
        return Json(f"(select {json_list(built, asked.replace('.id', '.place'))} from {wanted})")

    def _asked_each(self, pick: Pick) -> tuple[str, str]:
        """The ids of the argument as rows, and the id of one."""
        i, name = self._alias(), self._bound(pick.arguments[0], Convert.CUSTOMER_IDS)
        return f"unnest(%({name})s::uuid[]) with ordinality {i}(id, place)", f"{i}.id"

    def case(self, of: Selection, t: str, scope: Scope, declared: str) -> Json:
        """The object of a row whose type may only be known from the row: its ``kind`` then decides."""
        view = self.catalogue[declared]
        default = self.object(declared, of.picks, t, scope)
        if not of.cases:
            return default
        branches = []
        for case in of.cases:
            concrete, s = self.catalogue[case.type], self._alias()
            assert concrete.table is not None and view.key is not None
            where = f"{s}.customer_id = {t}.customer_id and {s}.{view.key} = {t}.{view.key}"
            built = self.object(case.type, case.picks, s, scope)
            branches.append(f"when '{case.type}' then (select {built} from {concrete.table} {s} where {where})")
        return Json(f"case {t}.kind {' '.join(branches)} else {default} end")

    def _rows(
        self, rows_of: RowsOf, declared: Mapping[str, Argued], given: tuple[Argument, ...], t: str, scope: Scope
    ) -> tuple[Rows, Scope]:
        """The related rows under the arguments that are given, and the scope below them."""
        where: list[str] = []
        values: dict[str, str] = {}
        for argument in given:
            found = declared.get(argument.name)
            if found is None or argument.slot not in self.present:
                continue
            name = self._bound(argument, found.convert)
            values[argument.name] = bound = f"%({name})s::{found.cast}"
            if found.sets == "as_of":
                scope = replace(scope, as_of=bound)
            elif found.sets == "known_at":
                scope = replace(scope, known_at=bound)
            if found.where:
                where.append(_argued(found.where, t, name, bound))
        scope = replace(scope, given=values)
        rows = rows_of(t, scope)
        return replace(rows, where=(*rows.where, *where)), scope

    def _size(self, given: tuple[Argument, ...], default: int) -> str:
        for argument in given:
            if argument.name == "first":
                return f"%({self._bound(argument, Convert.PAGE, default)})s::int"
        return str(min(default, MAX_PAGE))

    def _after(self, given: tuple[Argument, ...], order: Order, of: str, t: str) -> str:
        for argument in given:
            if argument.name == "after" and argument.slot in self.present:
                return _later(order, t, self._bound(argument, Convert.CURSOR, of=of))
        return ""

    def _bound(self, argument: Argument, convert: Convert, default: int | None = None, of: str = "") -> str:
        name = argument.slot
        self.bindings[name] = Binding(name, argument.slot, convert, default, of)
        return name

    def _alias(self) -> str:
        return f"t{next(self._numbers)}"


def _node_row(row: NodeRow, asked: _Asked, t: str) -> str:
    customer, key = (row.answers(asked.customer), row.answers(asked.key)) if row.answers else (asked.customer, asked.key)
    where = [f"{t}.customer_id = {customer}", f"{t}.{row.key} = {key}", f"'{row.scope}' = any({SCOPES})"]
    return f"{row.table} {t} where {' and '.join([*where, row.gate(t)] if row.gate else where)}"


def _nothing(t: str, scope: Scope) -> Rows:
    return Rows("", ())


def _of(pick: Pick) -> Selection:
    assert pick.of is not None
    return pick.of


def _argued(where: str, t: str, name: str, bound: str) -> str:
    """The condition that an argument brings. A node's id comes in parts (:mod:`hub.store.view.binding`)."""
    parts = {"{t}": t, "{p}": bound, "{p_type}": f"%({name}_type)s::text"}
    parts |= {f"{{p_{part}}}": f"%({name}_{part})s::uuid" for part in ("customer", "key")}
    for mark, sql in parts.items():
        where = where.replace(mark, sql)
    return where


def _keys(order: Order, t: str) -> str:
    newest = f"{t}.{order.day} desc nulls last, " if order.day else ""
    return f"{newest}{t}.{order.id} desc"


def _later(order: Order, t: str, name: str) -> str:
    """Rows behind the cursor in the order of :func:`_keys`; rows without a day come last."""
    older = f"{t}.{order.id} < %({name}_id)s::uuid"
    if order.day is None:
        return older
    day, at = f"{t}.{order.day}", f"%({name}_day)s::date"
    return f"case when {at} is null then {day} is null and {older} else {day} is null or {day} < {at} or ({day} = {at} and {older}) end"
