"""The gateway's words: what a code means, which scope opens which source, and how a record is read field by field.

All names are the profile's (README.md). A code that stands in no table is quarantined, never guessed; the setting ``maps`` adds codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from hub.connect import Context, Record, Unreadable
from hub.domain.enums import SourceKind
from hub.domain.money import fen, yuan

SOURCE_OF = {
    "registration.read": SourceKind.REGISTRATION,
    "records.read": SourceKind.PUBLIC_RECORD,
    "identity.read": SourceKind.IDENTITY,
}

MAPS: Mapping[str, Mapping[str, str]] = {
    "ztzt": {"1": "ACTIVE", "2": "REVOKED", "3": "CANCELLED", "4": "ABNORMAL"},
    "zzlx": {
        "01": "HIGH_TECH",
        "02": "TECH_SME",
        "03": "SPECIALIZED_PROV",
        "04": "LITTLE_GIANT",
        "05": "PATENT",
        "06": "SOFTWARE_COPYRIGHT",
        "11": "STARTUP_UNEMPLOYED",
        "12": "STARTUP_HARDSHIP",
        "13": "STARTUP_VETERAN",
        "14": "STARTUP_RELEASED",
        "15": "STARTUP_GRADUATE",
        "16": "STARTUP_LAID_OFF",
        "17": "STARTUP_RETURNED",
        "18": "STARTUP_ONLINE_SELLER",
        "19": "STARTUP_LIFTED_FROM_POVERTY",
        "20": "STARTUP_FARMER",
        "21": "STARTUP_SMALL_FIRM",
        "29": "STARTUP_OTHER",
    },
    "ajlx": {"01": "LITIGATION", "02": "ENFORCEMENT", "03": "DISHONEST", "04": "ADMIN_PENALTY", "05": "BANKRUPTCY"},
    "dsrdw": {"1": "PLAINTIFF", "2": "DEFENDANT"},
    "ajzt": {"1": "OPEN", "2": "CLOSED"},
    "hyfs": {"01": "TWO_FACTOR", "02": "THREE_FACTOR", "03": "FACE_LIVENESS"},
    "hyjg": {"1": "MATCH", "2": "MISMATCH", "3": "UNAVAILABLE"},
    "xldm": {"11": "DOCTOR", "14": "MASTER", "20": "BACHELOR", "30": "COLLEGE", "60": "HIGH", "70": "BELOW_HIGH"},
}

_AMOUNT = {"1": re.compile(r"-?\d+\.\d{2}"), "2": re.compile(r"-?\d+")}
_DEGREES = re.compile(r"-?\d{1,3}(\.\d+)?")


def scopes_of(context: Context) -> tuple[str, ...]:
    """The scopes for the sources the customer consents to."""
    return tuple(scope for scope, source in SOURCE_OF.items() if source in context.sources)


@lru_cache(maxsize=32)
def _maps(overrides: str) -> Mapping[str, Mapping[str, str]]:
    return {**MAPS, **{name: {**MAPS.get(name, {}), **table} for name, table in json.loads(overrides or "{}").items()}}


class Row:
    """One vendor record. Every method raises Unreadable with the path, never with the value; null and empty mean unknown."""

    def __init__(self, context: Context, record: Record) -> None:
        self.record, self.maps = record, _maps(context.config.get("maps", "{}"))

    def has(self, field: str) -> bool:
        return self.record.get(field) not in (None, "")

    def text(self, field: str) -> str:
        if not self.has(field):
            raise Unreadable(field, "is missing")
        return str(self.record[field])

    def optional(self, field: str) -> str | None:
        return self.text(field) if self.has(field) else None

    def day(self, field: str) -> date:
        """``yyyy-MM-dd``."""
        try:
            return datetime.strptime(self.text(field), "%Y-%m-%d").date()
        except ValueError:
            raise Unreadable(field, "is not a date") from None

    def optional_day(self, field: str) -> date | None:
        return self.day(field) if self.has(field) else None

    def optional_amount(self, field: str) -> Decimal | None:
        """Yuan; the record's ``jedw`` says the unit on the wire, and the text must have its form."""
        if not self.has(field):
            return None
        text, unit = self.text(field), str(self.record.get("jedw"))
        if unit not in _AMOUNT or not _AMOUNT[unit].fullmatch(text):
            raise Unreadable(field, "is not an amount in the unit of the answer")
        return yuan(text) if unit == "1" else fen(text)

    def degrees(self, field: str) -> float:
        """A coordinate in WGS 84 degrees."""
        text = self.text(field)
        if not _DEGREES.fullmatch(text) or abs(float(text)) > 180:
            raise Unreadable(field, "is not a coordinate")
        return float(text)

    def optional_degrees(self, field: str) -> float | None:
        return self.degrees(field) if self.has(field) else None

    def code(self, table: str) -> str:
        """The meaning of a code; table and field have one name."""
        meaning = self.maps.get(table, {}).get(self.text(table))
        if meaning is None:
            raise Unreadable(table, "is a code that stands in no table")
        return meaning

    def yes(self, field: str) -> bool:
        """``Y`` or ``N``."""
        text = self.text(field)
        if text not in ("Y", "N"):
            raise Unreadable(field, "is neither Y nor N")
        return text == "Y"
