"""Customers: made once per claim, so that what one client says of a business binds nobody else.

A claim is all that a client must know to be given a customer: the identifier and name of the subject, and of the person who answers for it. Its keyed hash is
looked up, and nothing else is: somebody who knows the code alone, or a wrong person, takes the very same way as if the business were new, and gets a customer of
his own. So nobody can occupy a code, and no answer tells whether another client has it (ADR 31).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.connect import Subject
from hub.domain.enums import CustomerCategory, PartyRole
from hub.domain.identifiers import CustomerId, canonical, fault_of_uscc, is_resident_id, is_uscc, mask, new_id
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Read, Write
from hub.store.parties import (
    LONGEST_NAME,
    RESPONSIBLE,
    NewParty,
    NewPerson,
    add_party,
    checked_person,
    in_role,
    party_row,
    place_of,
    responsible_role,
    roles_of,
)
from hub.store.relations import adopt
from hub.store.tables import customer, customer_client, party
from hub.vault import IDENTIFIER, Blind, Vault
from hub.vault.vault import Sealer

__all__ = ["NewCustomer", "NewParty", "NewPerson", "create_customer", "load_subject"]
CLAIM = "customer.claim"
MOST_PEOPLE = 20


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """``kind`` is ORG (``name`` and ``uscc`` of the business, ``person`` its operator or legal representative) or PERSON.

    ``category`` None: by kind and code. ``people`` are further persons in roles.
    """

    kind: str
    name: str
    uscc: str | None
    person: NewPerson
    category: CustomerCategory | None = None
    people: tuple[NewParty, ...] = ()


def _checked(new: NewCustomer, today: date) -> NewCustomer:
    """The customer as it is kept. Raises InvalidInput."""
    if new.kind not in ("ORG", "PERSON"):
        raise InvalidInput("A customer is an ORG or a PERSON.")
    if (new.kind == "ORG") != (new.uscc is not None):
        raise InvalidInput("An ORG has a unified social credit code, a PERSON has none.", remedy="Send the code, or change the kind.")
    uscc = None if new.uscc is None else canonical(new.uscc)
    if uscc is not None and (fault := fault_of_uscc(uscc)):
        raise InvalidInput(fault.message, remedy=fault.remedy)
    if not 0 < len(new.name.strip()) <= LONGEST_NAME:
        raise InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.")
    if new.category is not None and new.category not in _categories(uscc):
        raise InvalidInput(f"This customer cannot be {new.category}.", remedy=f"It can be: {', '.join(sorted(_categories(uscc)))}.")
    people = tuple(replace(one, person=checked_person(one.person, today)) for one in new.people)
    _check_people(people, uscc, today)
    return replace(new, name=new.name.strip(), uscc=uscc, person=checked_person(new.person, today), people=people)


def _categories(uscc: str | None) -> frozenset[CustomerCategory]:
    """What a customer may be said to be: the kind and the code leave little choice."""
    if uscc is None:
        return frozenset({CustomerCategory.INDIVIDUAL, CustomerCategory.FARMER})
    if uscc.startswith("92"):
        return frozenset({CustomerCategory.INDIVIDUAL_BUSINESS, CustomerCategory.FARMER})
    return frozenset({CustomerCategory.ENTERPRISE} | ({CustomerCategory.FARMER} if uscc.startswith("93") else set()))


def _check_people(people: tuple[NewParty, ...], uscc: str | None, today: date) -> None:
    allowed = roles_of(uscc) - RESPONSIBLE
    if len(people) > MOST_PEOPLE or any(one.role not in allowed for one in people):
        raise InvalidInput(
            f"Beside the person who answers for it, this customer has up to {MOST_PEOPLE} people as {', '.join(sorted(allowed))}."
        )
    if any(one.since is not None and one.since > today for one in people):
        raise InvalidInput("A role cannot begin in the future.", remedy="Add the party on that day, by addParty.")
    if len({(one.role, one.person.resident_id) for one in people}) < len(people):
        raise InvalidInput("The same person is named twice in the same role.")


def _claim(uscc: str | None, name: str, person_name: str, resident_id: str) -> str:
    """Two spellings of a name that differ in width, blanks or case are one: brackets of a registered name are typed either way."""
    names = [" ".join(unicodedata.normalize("NFKC", one).split()).casefold() for one in (name, person_name)]
    return "\x1f".join([uscc, names[0], resident_id, names[1]] if uscc else [resident_id, names[1]])


async def create_customer(
    tx: Write, vault: Vault, blind: Blind, new: NewCustomer, client_ids: Sequence[str], now: datetime, actor: str = "hub"
) -> CustomerId:
    """Makes a customer that the clients may see. Who claims the same as another one did is given the same customer, with the people he names beside.

    Raises InvalidInput.
    """
    new = _checked(new, china_day(now))
    subject_hash = blind.hash(IDENTIFIER, new.uscc or new.person.resident_id)
    await _claim_old_ones(tx, vault, blind, subject_hash, china_day(now))
    row = {
        "customer_id": new_id(),
        "kind": new.kind,
        "name_masked": mask(new.name),
        "uscc": new.uscc,
        "subject_hash": subject_hash,
        "created_at": now,
        "category": new.category and str(new.category),
        "claim_hash": blind.hash(CLAIM, _claim(new.uscc, new.name, new.person.name, new.person.resident_id)),
    }
    # Whoever makes the same customer at the same time waits here for the first one to commit.
    made = (await tx.execute(upsert(customer).values(row).on_conflict_do_nothing().returning(customer.c.customer_id))).scalar()
    customer_id = CustomerId(made or (await _claimed(tx, str(row["claim_hash"]))))
    await _show(tx, customer_id, client_ids)
    if made is None:
        for one in new.people:
            await add_party(tx, vault, blind, customer_id, one, now, actor)
    else:
        sealer = await vault.make_key(tx, customer_id)
        await tx.execute(insert(party), _parties(sealer, blind, new))
        await adopt(tx, customer_id, new.uscc)
    return customer_id


async def _claimed(tx: Write, claim_hash: str) -> Any:
    return (await tx.execute(select(customer.c.customer_id).where(customer.c.claim_hash == claim_hash))).scalar_one()


_LEGIBLE = text("EXISTS (SELECT 1 FROM data_key k WHERE k.customer_id = customer.customer_id AND k.wrapped IS NOT NULL)")


async def _claim_old_ones(tx: Write, vault: Vault, blind: Blind, subject_hash: str, today: date) -> None:
    """A customer of before claims were kept gets its own when its subject is named for the first time. Of two that claim the same the older has it."""
    old = select(customer).where(customer.c.subject_hash == subject_hash, customer.c.claim_hash.is_(None), _LEGIBLE).with_for_update()
    for row in (await tx.execute(old.order_by(customer.c.customer_id))).all():
        subject, person = await _opened(tx, vault, row.customer_id, today)
        claim = blind.hash(CLAIM, _claim(row.uscc, subject["name"], person["name"], person["identifier"]))
        taken = select(customer.c.customer_id).where(customer.c.claim_hash == claim)
        if (await tx.execute(taken)).first() is None:
            await tx.execute(update(customer).where(customer.c.customer_id == row.customer_id).values(claim_hash=claim))


async def _show(tx: Write, customer_id: CustomerId, client_ids: Sequence[str]) -> None:
    rows = [{"customer_id": customer_id, "client_id": client_id} for client_id in client_ids]
    await tx.execute(upsert(customer_client).on_conflict_do_nothing(), rows)


def _parties(sealer: Sealer, blind: Blind, new: NewCustomer) -> list[dict[str, Any]]:
    person = new.person
    who = (person.name, person.resident_id, person.residence_city)
    rows = [party_row(sealer, blind, PartyRole.SUBJECT, *((new.name, new.uscc) if new.uscc else who))]
    if new.uscc:
        rows.append(party_row(sealer, blind, responsible_role(new.uscc), *who))
    for one in new.people:
        row = party_row(sealer, blind, one.role, one.person.name, one.person.resident_id, one.person.residence_city)
        rows.append({**row, "valid_from": one.since})
    return rows


_IN_ROLE = text(" and ".join(in_role("party", ":day", "'infinity'")))
_SPOKEN_OF = RESPONSIBLE | {PartyRole.SUBJECT}


async def _opened(tx: Read | Write, vault: Vault, customer_id: CustomerId, today: date) -> tuple[dict[str, Any], dict[str, Any]]:
    """The subject and the person who answers for it (of a person: himself), in plain text. Raises NotFound."""
    mine = select(party).where(party.c.customer_id == customer_id, _IN_ROLE).order_by(party.c.party_id)
    rows = (await tx.execute(mine, {"day": today})).all()
    if not rows:
        raise NotFound("There is no such customer.")
    sealer = await vault.sealer(tx, customer_id)
    opened = {row.role: orjson.loads(sealer.open(place_of(row.party_id), row.identity)) for row in rows if row.role in _SPOKEN_OF}
    subject = opened["SUBJECT"]
    return subject, opened.get("OPERATOR") or opened.get("LEGAL_REP") or subject


async def load_subject(tx: Read | Write, vault: Vault, customer_id: CustomerId, today: date) -> Subject:
    """Whom a platform must be told about today, in plain text: only for requests. Raises NotFound."""
    subject, person = await _opened(tx, vault, customer_id, today)
    number = subject["identifier"]
    # Some people's resident IDs are sound as a USCC as well (ADR 59); nobody answers for a person but himself.
    uscc = number if is_uscc(number) and not (person is subject and is_resident_id(number)) else None
    return Subject(uscc, person["identifier"] if is_resident_id(person["identifier"]) else None, subject["name"])
