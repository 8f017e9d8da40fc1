"""Who stands behind a customer, in which role, from when to when. A role that has ended stays: what was decided while it lasted must be explained later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select, text, update

from hub.domain.enums import IdentityEventKind, PartyRole
from hub.domain.identifiers import CustomerId, birth_date, canonical, fault_of_resident_id, is_resident_id, mask, new_id
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.identity_events import noted
from hub.store.tables import party
from hub.vault import IDENTIFIER, Blind, Place, Vault
from hub.vault.vault import Sealer

LONGEST_NAME = 200
RESPONSIBLE = frozenset({PartyRole.OPERATOR, PartyRole.LEGAL_REP})
"""Who answers for a business: one person at a time."""
_OF_A_PERSON = frozenset({PartyRole.SPOUSE, PartyRole.GUARANTOR})


@dataclass(frozen=True, slots=True)
class NewPerson:
    """The person behind a business, or the customer himself."""

    name: str
    resident_id: str
    residence_city: str | None = None


@dataclass(frozen=True, slots=True)
class NewParty:
    """A person in a role. ``since`` None: not told."""

    role: PartyRole
    person: NewPerson
    since: date | None = None


def responsible_role(uscc: str) -> PartyRole:
    """Of an individual business the operator answers, of any other the legal representative."""
    return PartyRole.OPERATOR if uscc.startswith("92") else PartyRole.LEGAL_REP


def roles_of(uscc: str | None) -> frozenset[PartyRole]:
    """The roles that others than the subject can have."""
    return _OF_A_PERSON if uscc is None else _OF_A_PERSON | {responsible_role(uscc), PartyRole.CONTROLLER}


def in_role(t: str, day: str, instant: str) -> tuple[str, ...]:
    """SQL: the party ``t`` has its role on the day, as far as was known at the instant. An end that was told later had not been heard of yet."""
    return (
        f"({t}.valid_from is null or {t}.valid_from <= {day})",
        f"({t}.added_at is null or {t}.added_at <= {instant})",
        f"({t}.valid_to is null or {t}.valid_to > {day} or {t}.ended_at > {instant})",
    )


def checked_person(person: NewPerson, today: date) -> NewPerson:
    """The person as he is kept. Raises InvalidInput."""
    name, number = person.name.strip(), canonical(person.resident_id)
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.")
    if fault := fault_of_resident_id(number, today):
        raise InvalidInput(fault.message, remedy=fault.remedy)
    return NewPerson(name, number, person.residence_city)


def place_of(party_id: UUID) -> Place:
    return Place("party", "identity", str(party_id))


def party_row(sealer: Sealer, blind: Blind, role: PartyRole, name: str, identifier: str, city: str | None = None) -> dict[str, Any]:
    """A party as it is stored: the identifier as hash and mask, the plain text sealed."""
    party_id = new_id()
    identity = orjson.dumps({"name": name, "identifier": identifier, "residence_city": city})
    return {
        "customer_id": sealer.customer_id,
        "party_id": party_id,
        "role": str(role),
        "name_masked": mask(name),
        "id_hash": blind.hash(IDENTIFIER, identifier),
        "id_masked": mask(identifier),
        "birth_on": birth_date(identifier) if is_resident_id(identifier) else None,
        "identity": sealer.seal(place_of(party_id), identity),
        "valid_from": None,
        "added_at": None,
    }


async def add_party(tx: Write, vault: Vault, blind: Blind, customer_id: CustomerId, new: NewParty, now: datetime, actor: str) -> UUID:
    """Gives a person a role at a customer that is visible to the transaction; whoever has it already keeps it. Raises InvalidInput."""
    mine = await _locked(tx, customer_id)
    today = china_day(now)
    person, since = checked_person(new.person, today), new.since or today
    if new.role not in roles_of(mine.uscc):
        raise InvalidInput(f"Nobody can be {new.role} of this customer.", remedy=f"It can have: {', '.join(sorted(roles_of(mine.uscc)))}.")
    if since > today:
        raise InvalidInput("A role cannot begin in the future.", remedy="Add the party on that day.")
    row = party_row(await vault.sealer(tx, customer_id), blind, new.role, person.name, person.resident_id, person.residence_city)
    for other in await _in_role_after(tx, customer_id, new.role, since):
        if other.id_hash == row["id_hash"] and other.valid_to is None:
            return UUID(str(other.party_id))
        if new.role in RESPONSIBLE:
            raise InvalidInput(f"Another person is {new.role} on that day or later.", remedy="End that party first, by endParty.")
    await tx.execute(insert(party), {**row, "valid_from": since, "added_at": now})
    await noted(tx, customer_id, IdentityEventKind.PARTY_ADDED, actor, now, party_id=row["party_id"])
    return UUID(str(row["party_id"]))


async def _in_role_after(tx: Write, customer_id: CustomerId, role: PartyRole, since: date) -> list[Any]:
    still = party.c.valid_to.is_(None) | (party.c.valid_to > since)
    return list((await tx.execute(select(party).where(party.c.customer_id == customer_id, party.c.role == role, still))).all())


async def end_party(tx: Write, customer_id: CustomerId, party_id: UUID, until: date | None, reason: str, now: datetime, actor: str) -> None:
    """A role ends: ``until`` (today, if None) is the first day without it. Ending it again on the same day changes nothing. Raises InvalidInput, NotFound."""
    await _locked(tx, customer_id)
    found = (await tx.execute(select(party).where(party.c.customer_id == customer_id, party.c.party_id == party_id))).first()
    if found is None:
        raise NotFound("There is no such party.")
    day = until or china_day(now)
    if found.role == PartyRole.SUBJECT:
        raise InvalidInput("The subject of a customer is the customer: that role does not end.")
    if not (found.valid_from or date.min) <= day <= china_day(now):
        raise InvalidInput("A role ends on a day after its beginning, and not in the future.")
    if found.valid_to == day:
        return
    if found.valid_to is not None:
        raise InvalidInput("The party's role has ended already, on another day.")
    ended = update(party).where(party.c.customer_id == customer_id, party.c.party_id == party_id)
    await tx.execute(ended.values(valid_to=day, ended_at=now))
    await noted(tx, customer_id, IdentityEventKind.PARTY_ENDED, actor, now, party_id=party_id, reason=reason)


async def _locked(tx: Write, customer_id: CustomerId) -> Any:
    """The customer's row, so that two changes of its parties do not pass each other."""
    found = (await tx.execute(text("SELECT uscc FROM customer WHERE customer_id = :id FOR UPDATE"), {"id": customer_id})).first()
    if found is None:
        raise NotFound("There is no such customer.")
    return found
