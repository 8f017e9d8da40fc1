"""Reads the fields of a row, strictly. What cannot be read is Unreadable with the path of the field and never its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.cn_tax import requests
from connectors.cn_tax.codes import table
from hub.connect import Context, Record, Unreadable
from hub.domain.money import fen
from hub.domain.periods import china_day, china_time

_YUAN = re.compile(r"^-?\d{1,16}\.\d{2}$", re.ASCII)
_INTEGER = re.compile(r"^-?\d{1,18}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fields:
    """One row. ``at`` is the prefix of its paths, ``maps`` the setting that extends the code tables."""

    row: Mapping[str, Any]
    at: str = ""
    maps: str = "{}"

    def fail(self, name: str, reason: str) -> Unreadable:
        return Unreadable(self.at + name, reason)

    def optional(self, name: str) -> str | None:
        """Text; null and "" both mean unknown."""
        value = self.row.get(name)
        return None if value is None or value == "" else str(value)

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise self.fail(name, "is missing")
        return value

    def coded(self, name: str, codes: str = "") -> str:
        """What a code of table ``codes`` (by default the table of the field's name) stands for."""
        meaning = table(codes or name, self.maps).get(self.text(name))
        if meaning is None:
            raise self.fail(name, "is not in the code table")
        return meaning

    def optional_coded(self, name: str, codes: str = "") -> str | None:
        return None if self.optional(name) is None else self.coded(name, codes)

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.text(name)) if len(self.text(name)) == 10 else self._unfit(name)
        except ValueError:
            raise self.fail(name, "is not a day (yyyy-MM-dd)") from None

    def optional_day(self, name: str) -> date | None:
        return None if self.optional(name) is None else self.day(name)

    def moment_day(self, name: str) -> date:
        """The day of a naked date-time (GMT+8)."""
        try:
            return china_day(china_time(self.text(name)))
        except ValueError:
            raise self.fail(name, "is not a time (yyyy-MM-dd HH:mm:ss)") from None

    def integer(self, name: str) -> int:
        text = self.text(name)
        if not _INTEGER.match(text):
            raise self.fail(name, "is not an integer")
        return int(text)

    def amount(self, name: str) -> Decimal:
        """In yuan, whatever unit (JEDW) the row came in."""
        text, in_fen = self.text(name), self.row.get("JEDW") == "2"
        if not (_INTEGER if in_fen else _YUAN).match(text):
            raise self.fail(name, "is not an amount in the unit of its page")
        return fen(text) if in_fen else Decimal(text)

    def optional_amount(self, name: str) -> Decimal | None:
        return None if self.optional(name) is None else self.amount(name)

    def _unfit(self, name: str) -> date:
        raise self.fail(name, "is not a day (yyyy-MM-dd)")


def of(context: Context, record: Record) -> Fields:
    """The fields of a record of one row. Raises Unreadable when the row is another taxpayer's."""
    return _own(context, Fields(record, "", context.config.get("maps", "{}")))


def rows_of(context: Context, record: Record) -> list[Fields]:
    """The rows of a grouped record."""
    maps = context.config.get("maps", "{}")
    return [_own(context, Fields(row, f"rows[{index}].", maps)) for index, row in enumerate(record["rows"])]


def _own(context: Context, fields: Fields) -> Fields:
    if fields.text("NSRSBH") != requests.taxpayer(context):
        raise fields.fail("NSRSBH", "is another taxpayer's")
    return fields


def same(rows: list[Fields], *names: str) -> None:
    """Rows of one document must agree on what the document says once."""
    for name in names:
        for row in rows[1:]:
            if row.row.get(name) != rows[0].row.get(name):
                raise row.fail(name, "differs between the rows of one document")
