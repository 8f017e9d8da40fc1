"""One connection as SQL: what each row of its page must carry, and the members of the connection object.

Counts and sums are of all rows under the same arguments, and stop at :data:`MOST_COUNTED`: what they cost is bounded, whatever there is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.domain.selection import Pick
from hub.store.view.binding import cursor_sql
from hub.store.view.catalogue import MOST_COUNTED, Many, One, Order, Paged, Rows, Scope, Totals
from hub.store.view.writing import Json, json_list, json_object

if TYPE_CHECKING:
    from hub.store.view.compiler import _Compiler


def clauses(rows: Rows, *more: str) -> str:
    where = " and ".join(condition for condition in (*rows.where, *more) if condition)
    source = f"{rows.each} cross join {rows.source}" if rows.each else rows.source
    return f"{source} where {where}" if where else source


def needed(t: str, *made: str) -> str:
    """The columns of the row ``t`` that what is made of it names: what is sorted carries nothing else, and a table of facts has thirty of them."""
    named = {column for text in made for column in re.findall(rf"\b{t}\.(\w+)", text)}
    return ", ".join(f"{t}.{column}" for column in sorted(named)) or "1"


def page_of(rows: Rows, after: str, order: Order, keys: str, size: str, t: str, columns: str) -> str:
    """At most ``size`` rows, ``columns`` of them, in the order ``keys``. Of facts with a day no more is read than their newest days: the index knows days alone, so the last one is whole."""
    source = clauses(rows, after)
    if rows.each and order.day:
        newest = f"select {columns} from {clauses(replace(rows, each=''), after)} order by {t}.{order.day} desc fetch first ({size}) rows with ties"
        source = f"{rows.each} cross join lateral ({newest}) {t}"
    return f"(select {columns} from {source} order by {keys} limit {size}) {t}"


class PageParts:
    """See the module. ``columns`` are what each page row must carry; where nothing is asked about the page's ends, its rows are listed as they come, in the order ``keys``."""

    def __init__(
        self, compiler: _Compiler, member: Paged, rows: Rows, scope: Scope, t: str, page: str, size: str, after: bool, keys: str, ends: bool
    ) -> None:
        self.compiler, self.member, self.rows, self.scope = compiler, member, rows, scope
        self.t, self.page, self.size, self.after, self.keys, self.ends = t, page, size, after, keys, ends
        self.columns: list[str] = []
        self.uses_rows = False

    def of(self, pick: Pick) -> str:
        match pick.name:
            case "totalCount":
                return f"(select least(count(*), {MOST_COUNTED}) from {self._all('1')})"
            case "totalIsExact":
                return f"(select count(*) <= {MOST_COUNTED} from {self._all('1')})"
            case "nodes":
                return self._list(self._node(pick))
            case "edges":
                return self._list(json_object([(below.key, self._edge(below)) for below in _picks(pick)]))
            case "pageInfo":
                return json_object([(below.key, self._page_info(below)) for below in _picks(pick)])
            case "__typename":
                return f"'{self.member.type}Connection'"
        return self._extra(pick)

    def _all(self, values: str) -> str:
        """All rows, one more than are counted at most."""
        return f"(select {values} from {clauses(self.rows)} limit {MOST_COUNTED + 1}) {self.t}"

    def _extra(self, pick: Pick) -> str:
        member = self.member.extras[pick.name]
        if isinstance(member, Totals):
            return self._totals(member, pick)
        assert isinstance(member, One | Many)
        return self.compiler.related(member, pick, self.scope)

    def _totals(self, member: Totals, pick: Pick) -> str:
        sums = {
            name: f"case when count(*) <= {MOST_COUNTED} then sum({self.t}.{column})::text end" for name, column in member.columns.items()
        }
        built = [(below.key, sums.get(below.name, f"'{member.type}'")) for below in _picks(pick)]
        # One row, also where nothing of it is summed up.
        return Json(f"(select {json_object(built)} from {self._all(f'{self.t}.*')} having true)")

    def _node(self, pick: Pick) -> Json:
        assert pick.of is not None
        return self.compiler.case(pick.of, self.t, self.scope, self.member.type)

    def _edge(self, pick: Pick) -> str:
        if pick.name == "node":
            return self._node(pick)
        return self._cursor() if pick.name == "cursor" else f"'{self.member.type}Edge'"

    def _page_info(self, pick: Pick) -> str:
        match pick.name:
            case "hasNextPage":
                self.uses_rows = True
                return f"count(*) > {self.size}"
            case "hasPreviousPage":
                return "true" if self.after else "false"
            case "startCursor":
                return f"max({self._column(self._cursor())}) filter (where {self.page}.i = 1)"
            case "endCursor":
                last = f"order by {self.page}.i desc) filter (where {self.page}.i <= {self.size})"
                return f"(array_agg({self._column(self._cursor())} {last})[1]"
        return "'PageInfo'"

    def _cursor(self) -> str:
        day, row_id = self.member.order.day, self.member.order.id
        return cursor_sql(self.member.type, f"{self.t}.{day}" if day else None, f"{self.t}.{row_id}")

    def _list(self, built: Json) -> Json:
        if not self.ends:
            self.uses_rows = True
            # PostgreSQL sees that the rows come in this order, and sorts nothing.
            return json_list(built, self.keys)
        return json_list(Json(self._column(built)), f"{self.page}.i", f"{self.page}.i <= {self.size}")

    def _column(self, sql: str) -> str:
        self.uses_rows = True
        self.columns.append(f"{sql} as c{len(self.columns)}")
        return f"{self.page}.c{len(self.columns) - 1}"


def _picks(pick: Pick) -> tuple[Pick, ...]:
    assert pick.of is not None
    return pick.of.picks
