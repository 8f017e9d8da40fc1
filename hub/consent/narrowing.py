"""A consent that was given becomes narrower, never wider: fewer scenarios and kinds, fewer days, an earlier end, a shorter life of the data.

What is wider is another consent, with a text of its own (PIPL 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.engine import RowMapping

from hub.consent.grants import GIVEN, event, plain, this
from hub.domain.enums import ConsentStatus, ConsentStep
from hub.domain.facts import all_specs
from hub.domain.identifiers import CustomerId
from hub.domain.periods import CHINA
from hub.errors import ConsentMissing, InvalidInput
from hub.store.database import Write
from hub.store.tables import consent


@dataclass(frozen=True, slots=True)
class Narrower:
    """What shall become of a consent; None leaves it as it is. ``expires_on`` is its last day, in China Standard Time."""

    scenarios: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    data_from: date | None = None
    data_to: date | None = None
    data_life_days: int | None = None
    expires_on: date | None = None

    def held_to(self, row: RowMapping) -> Narrower:
        """The same where it is narrower than a consent, what the consent says where that is narrower already."""
        ends = None if self.expires_on is None else datetime.combine(self.expires_on, time.max, CHINA)
        over = ends is not None and row["expires_at"] is not None and row["expires_at"] < ends
        return Narrower(
            None if self.scenarios is None else tuple(one for one in self.scenarios if one in row["scenarios"]),
            self.kinds if self.kinds is None or row["kinds"] is None else tuple(one for one in self.kinds if one in row["kinds"]),
            None if self.data_from is None else max(self.data_from, row["data_from"]),
            None if self.data_to is None else min(self.data_to, row["data_to"]),
            None if self.data_life_days is None else min(self.data_life_days, row["data_life_days"]),
            None if over else self.expires_on,
        )


async def narrow(tx: Write, customer_id: CustomerId, consent_id: UUID, wanted: Narrower, now: datetime, actor: str = "customer") -> None:
    """Fetching and reading are bounded by it with the commit. Raises ConsentMissing; InvalidInput for what is wider, empty, or no change at all."""
    mine = this(customer_id, consent_id)
    row = (await tx.execute(select(consent).where(*mine).with_for_update())).mappings().first()
    if row is None or row["status"] not in GIVEN or (row["expires_at"] is not None and row["expires_at"] <= now):
        raise ConsentMissing("There is no consent in force that could become narrower.", remedy="It may have ended already.")
    values = dict(_values(row, wanted, now))
    if not values:
        raise InvalidInput("Nothing of the consent would change.", remedy="Name what shall become narrower.")
    status = ConsentStatus(row["status"])
    await tx.execute(update(consent).where(*mine).values(**values, changed_at=now, narrowed_at=now))
    changes = {name: [plain(row[name]), plain(value)] for name, value in values.items()}
    await event(tx, customer_id, consent_id, ConsentStep.NARROWED, (status, status), now, actor, changes)


async def narrow_to(tx: Write, customer_id: CustomerId, consent_id: UUID, wanted: Narrower, now: datetime, actor: str) -> bool:
    """Narrows one of several consents as far as it is not narrower already; whether anything had to change. Raises as :func:`narrow`."""
    row = (await tx.execute(select(consent).where(*this(customer_id, consent_id)).with_for_update())).mappings().one()
    held = wanted.held_to(row)
    if not dict(_values(row, held, now)):
        return False
    await narrow(tx, customer_id, consent_id, held, now, actor)
    return True


def _values(row: RowMapping, wanted: Narrower, now: datetime) -> Iterator[tuple[str, Any]]:
    """The columns that change."""
    first, last = wanted.data_from or row["data_from"], wanted.data_to or row["data_to"]
    ends = None if wanted.expires_on is None else datetime.combine(wanted.expires_on, time.max, CHINA)
    _insist(row["data_from"] <= first <= last <= row["data_to"], "days")
    _insist(ends is None or (now < ends and (row["expires_at"] is None or ends <= row["expires_at"])), "end")
    _insist(wanted.data_life_days is None or 0 < wanted.data_life_days <= row["data_life_days"], "life of the data")
    new = {"data_from": first, "data_to": last, "data_life_days": wanted.data_life_days, "expires_at": ends}
    new["scenarios"] = _fewer(row["scenarios"], wanted.scenarios, "scenarios")
    kinds = row["kinds"] if row["kinds"] is not None else sorted(spec.name for spec in all_specs() if spec.source == row["source"])
    new["kinds"] = _fewer(kinds, wanted.kinds, "kinds")
    yield from ((name, value) for name, value in new.items() if value is not None and value != row[name])


def _fewer(held: list[str], wanted: tuple[str, ...] | None, what: str) -> list[str] | None:
    if wanted is None:
        return None
    _insist(bool(wanted) and set(wanted) <= set(held), what)
    return [one for one in held if one in set(wanted)]


def _insist(narrower: bool, what: str) -> None:
    if not narrower:
        raise InvalidInput(
            f"The {what} of a consent can only become narrower, and not nothing.",
            remedy="Ask for another consent with createLinkSession and `renew`, or withdraw this one.",
        )
