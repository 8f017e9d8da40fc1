"""The gateway's words: which key carries which field, what a code means, which scope opens which source.

Cities differ, so the aliases and code tables are defaults: the settings ``fields`` and ``maps`` replace single entries. A code that stands in
no table is quarantined, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hub.connect import Context, Record, Unreadable
from hub.domain.enums import SourceKind
from hub.domain.money import CENT, ZERO, fen, yuan
from hub.domain.periods import Month

SOURCE_OF = {
    "si.person": SourceKind.SOCIAL_INSURANCE,
    "si.employer": SourceKind.SOCIAL_INSURANCE,
    "hf.person": SourceKind.HOUSING_FUND,
}

FIELDS: Mapping[str, tuple[str, ...]] = {
    "employer_amount": ("dwjfje", "dwjfhj", "aic021"),
    "employee_amount": ("grjfje", "aae020", "aic024"),
    "period": ("aae003", "aae002"),
    "booked_month": ("aae002", "aae003"),
}
"""Fields with several names, first match wins. Every other field is asked for by the name it has on the wire."""

MAPS: Mapping[str, Mapping[str, str]] = {
    "aae140": {"110": "PENSION", "210": "UNEMPLOYMENT", "310": "MEDICAL", "410": "WORK_INJURY", "510": "MATERNITY"},
    "aac008": {"1": "ACTIVE", "2": "SUSPENDED", "4": "TERMINATED"},
    "aae143": {"01": "NORMAL", "02": "BACK_PAYMENT", "03": "REFUND"},
    "grzhzt": {"01": "NORMAL", "02": "SEALED", "03": "CLOSED", "04": "MOVED", "05": "OTHER", "06": "OTHER", "99": "OTHER"},
    "ywlx_dm": {
        "01": "DEPOSIT",
        "02": "BACK_PAYMENT",
        "03": "WITHDRAWAL",
        "04": "INTEREST",
        "05": "TRANSFER_IN",
        "06": "TRANSFER_OUT",
        "07": "LOAN_OFFSET",
    },
}

_AMOUNT = {"1": re.compile(r"-?\d+\.\d{2}"), "2": re.compile(r"-?\d+")}


def scopes_of(context: Context) -> tuple[str, ...]:
    """The scopes for the sources the customer consents to. Without a business there is no employer to ask for."""
    wanted = [scope for scope, source in SOURCE_OF.items() if source in context.sources]
    return tuple(scope for scope in wanted if scope != "si.employer" or context.subject.uscc)


@lru_cache(maxsize=32)
def _fields(overrides: str) -> Mapping[str, tuple[str, ...]]:
    return {**FIELDS, **{name: tuple(keys) for name, keys in json.loads(overrides or "{}").items()}}


@lru_cache(maxsize=32)
def _maps(overrides: str) -> Mapping[str, Mapping[str, str]]:
    return {**MAPS, **{name: {**MAPS.get(name, {}), **table} for name, table in json.loads(overrides or "{}").items()}}


class Row:
    """One vendor record, read by field. Every method raises Unreadable with the path, never with the value."""

    def __init__(self, context: Context, record: Record) -> None:
        self.record, self.config = record, context.config

    def optional(self, field: str) -> str | None:
        """The text of a field; None where it is absent, null or empty: all three mean unknown."""
        _, value = self._find(field)
        return None if value in (None, "") else str(value)

    def text(self, field: str) -> str:
        path, value = self._find(field)
        if value in (None, ""):
            raise Unreadable(path, "is missing")
        return str(value)

    def month(self, field: str) -> Month:
        """``yyyyMM``."""
        path, text = self._find(field)[0], self.text(field)
        if not re.fullmatch(r"\d{4}(0[1-9]|1[0-2])", text):
            raise Unreadable(path, "is not a month")
        return Month(f"{text[:4]}-{text[4:]}")

    def optional_month(self, field: str) -> Month | None:
        return None if self.optional(field) is None else self.month(field)

    def day(self, field: str) -> date:
        """``yyyy-MM-dd``."""
        path, text = self._find(field)[0], self.text(field)
        try:
            return datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            raise Unreadable(path, "is not a date") from None

    def optional_day(self, field: str) -> date | None:
        return None if self.optional(field) is None else self.day(field)

    def amount(self, field: str) -> Decimal:
        """Yuan. What unit the record is in stands in its ``jedw``: yuan has exactly two decimals, fen none, so one is never read as the other."""
        path, text = self._find(field)[0], self.text(field)
        unit = str(self.record.get("jedw"))
        if unit not in _AMOUNT or not _AMOUNT[unit].fullmatch(text):
            raise Unreadable(path, "is not an amount in the unit of the answer")
        return yuan(text) if unit == "1" else fen(text)

    def optional_amount(self, field: str) -> Decimal | None:
        return None if self.optional(field) is None else self.amount(field)

    def rate(self, field: str) -> Decimal:
        """A fraction; the setting ``rate_as`` says whether the centre sends percent."""
        path, text = self._find(field)[0], self.text(field)
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            raise Unreadable(path, "is not a rate")
        return Decimal(text) / 100 if self.config.get("rate_as", "percent") == "percent" else Decimal(text)

    def optional_rate(self, field: str) -> Decimal | None:
        return None if self.optional(field) is None else self.rate(field)

    def count(self, field: str) -> int:
        path, value = self._find(field)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Unreadable(path, "is not a count")
        return value

    def code(self, table: str) -> str:
        """The meaning of a code; table and field have one name."""
        text = self.text(table)
        meaning = _maps(self.config.get("maps", "{}")).get(table, {}).get(text)
        if meaning is None:
            raise Unreadable(table, "is a code that stands in no table")
        return meaning

    def _find(self, field: str) -> tuple[str, Any]:
        names = _fields(self.config.get("fields", "{}")).get(field, (field,))
        for name in names:
            if self.record.get(name) not in (None, ""):
                return name, self.record[name]
        return names[0], None


def same(one: Decimal, other: Decimal) -> bool:
    """Equal to the cent."""
    return abs(one - other) < CENT or one - other == ZERO
