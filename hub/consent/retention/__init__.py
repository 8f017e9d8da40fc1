"""How long what is kept: a dated document that classifies every kind of fact and every table that belongs to a customer.

What a consent brought is gone by the earliest of three days: the end of its data life, which runs from the day it was fetched; some days after the consent was
withdrawn, or ran out without being renewed; the erasure of the subject. Some kinds have a life of their own beside it (:attr:`Rule.life`): it runs from the
end of the event that the fact tells of (:data:`hub.store.erasure.laws.ENDED`). A kind or table without a class fails the build.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

import orjson

CURRENT = "2026-01-01"


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of what is kept. ``why`` names the law or the promise."""

    name: str
    why: str
    years: int = 0
    days: int = 0

    @property
    def life(self) -> str | None:
        """As PostgreSQL writes an interval; None where something else decides."""
        return f"{self.years} years" if self.years else f"{self.days} days" if self.days else None


@dataclass(frozen=True, slots=True)
class Retention:
    """The document. ``revoked_days`` and ``expired_days`` after its end what a consent brought is gone; a copy of the data keys lives ``key_backup_days``."""

    version: str
    revoked_days: int
    expired_days: int
    key_backup_days: int
    kinds: dict[str, Rule]
    tables: dict[str, Rule]

    def kept(self, table: str) -> timedelta:
        """The life of a table's rows in days, for one whose class counts in days."""
        return timedelta(days=self.tables[table].days)

    def of_class(self, name: str) -> list[str]:
        """The tables of a class."""
        return sorted(table for table, rule in self.tables.items() if rule.name == name)

    def limited(self) -> dict[str, str]:
        """Kinds of fact with a life of their own: kind -> interval."""
        return {kind: rule.life for kind, rule in sorted(self.kinds.items()) if rule.life}


@cache
def retention(version: str = CURRENT) -> Retention:
    """The document of a version. Raises KeyError for a class that is none."""
    document = orjson.loads((files(__package__) / f"{version}.json").read_bytes())
    rules = {name: Rule(name, **values) for name, values in document["classes"].items()}
    return Retention(
        version=document["version"],
        revoked_days=document["after"]["revoked_days"],
        expired_days=document["after"]["expired_days"],
        key_backup_days=document["key_backup_days"],
        kinds={kind: rules[name] for kind, name in document["kinds"].items()},
        tables={table: rules[name] for table, name in document["tables"].items()},
    )
