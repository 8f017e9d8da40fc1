"""Customers and the parties behind them: made once, found by the keyed hash of their identifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.connect import Subject
from hub.domain.identifiers import CustomerId, birth_date, is_resident_id, is_uscc, mask, new_id
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Read, Write
from hub.store.tables import customer, customer_client, party
from hub.vault import IDENTIFIER, Blind, Place, Vault
from hub.vault.vault import Sealer

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class NewPerson:
    """The person behind a business, or the customer himself."""

    name: str
    resident_id: str
    residence_city: str | None = None


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """``kind`` is ORG (``name`` and ``uscc`` of the business, ``person`` its operator or legal representative) or PERSON."""

    kind: str
    name: str
    uscc: str | None
    person: NewPerson


def _check(new: NewCustomer, today: date) -> None:
    if new.kind not in ("ORG", "PERSON"):
        raise InvalidInput("A customer is an ORG or a PERSON.")
    if (new.kind == "ORG") != (new.uscc is not None) or (new.uscc is not None and not is_uscc(new.uscc)):
        raise InvalidInput(
            "The unified social credit code is missing or its check character is wrong.",
            remedy="An ORG needs its valid code; a PERSON has none.",
        )
    if not (0 < len(new.name.strip()) <= LONGEST_NAME and 0 < len(new.person.name.strip()) <= LONGEST_NAME):
        raise InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.")
    if not is_resident_id(new.person.resident_id, today):
        raise InvalidInput("The resident ID is not valid: its check character or birth date is wrong.", remedy="Check the 18 characters.")


async def create_customer(tx: Write, vault: Vault, blind: Blind, new: NewCustomer, client_ids: Sequence[str], now: datetime) -> CustomerId:
    """Makes a customer that the clients may see. One that exists already is given to them under its own id, if they know the person, too.

    Raises InvalidInput.
    """
    _check(new, china_day(now))
    identifier = new.uscc or new.person.resident_id
    subject_hash = blind.hash(IDENTIFIER, identifier)
    found = (await tx.execute(select(customer.c.customer_id).where(customer.c.subject_hash == subject_hash))).scalar()
    if found is not None:
        await _check_known(tx, vault, blind, CustomerId(found), new)
        await _show(tx, CustomerId(found), client_ids)
        return CustomerId(found)
    customer_id = CustomerId(new_id())
    await _show(tx, customer_id, client_ids)
    row = {
        "customer_id": customer_id,
        "kind": new.kind,
        "name_masked": mask(new.name),
        "uscc": new.uscc,
        "subject_hash": subject_hash,
        "created_at": now,
    }
    await tx.execute(insert(customer), row)
    sealer = await vault.make_key(tx, customer_id)
    await tx.execute(insert(party), [_party(sealer, blind, customer_id, role, *who) for role, *who in _parties(new)])
    return customer_id


async def _show(tx: Write, customer_id: CustomerId, client_ids: Sequence[str]) -> None:
    rows = [{"customer_id": customer_id, "client_id": client_id} for client_id in client_ids]
    await tx.execute(upsert(customer_client).on_conflict_do_nothing(), rows)


async def _check_known(tx: Write, vault: Vault, blind: Blind, customer_id: CustomerId, new: NewCustomer) -> None:
    """Whoever knows the business must know who answers for it, and both by name: a code alone opens nothing."""
    rows = (await tx.execute(select(party).where(party.c.customer_id == customer_id))).all()
    sealer = await vault.sealer(tx, customer_id)
    names = {row.id_hash: orjson.loads(sealer.open(_place(row.party_id), row.identity))["name"] for row in rows}
    person, business = blind.hash(IDENTIFIER, new.person.resident_id), blind.hash(IDENTIFIER, new.uscc or new.person.resident_id)
    if names.get(person) != new.person.name.strip() or (new.uscc and names.get(business) != new.name.strip()):
        raise InvalidInput(
            "The business and the person do not belong together as far as this hub knows.",
            remedy="Check the names and the resident ID of the operator or legal representative.",
        )


def _place(party_id: UUID) -> Place:
    return Place("party", "identity", str(party_id))


def _parties(new: NewCustomer) -> list[tuple[Any, ...]]:
    person = new.person
    if new.uscc is None:
        return [("SUBJECT", person.name.strip(), person.resident_id, person.residence_city)]
    role = "OPERATOR" if new.uscc.startswith("92") else "LEGAL_REP"
    return [("SUBJECT", new.name.strip(), new.uscc, None), (role, person.name.strip(), person.resident_id, person.residence_city)]


def _party(
    sealer: Sealer, blind: Blind, customer_id: CustomerId, role: str, name: str, identifier: str, city: str | None
) -> dict[str, Any]:
    party_id = new_id()
    identity = orjson.dumps({"name": name, "identifier": identifier, "residence_city": city})
    return {
        "customer_id": customer_id,
        "party_id": party_id,
        "role": role,
        "name_masked": mask(name),
        "id_hash": blind.hash(IDENTIFIER, identifier),
        "id_masked": mask(identifier),
        "birth_on": birth_date(identifier) if is_resident_id(identifier) else None,
        "identity": sealer.seal(_place(party_id), identity),
    }


async def load_subject(tx: Read | Write, vault: Vault, customer_id: CustomerId) -> Subject:
    """Whom a platform must be told about, in plain text: only for requests. Raises NotFound."""
    rows = (await tx.execute(select(party).where(party.c.customer_id == customer_id))).all()
    if not rows:
        raise NotFound("There is no such customer.")
    sealer = await vault.sealer(tx, customer_id)
    opened = {row.role: orjson.loads(sealer.open(_place(row.party_id), row.identity)) for row in rows}
    subject, person = opened["SUBJECT"], opened.get("OPERATOR") or opened.get("LEGAL_REP") or opened["SUBJECT"]
    uscc = subject["identifier"] if is_uscc(subject["identifier"]) else None
    return Subject(uscc, person["identifier"] if is_resident_id(person["identifier"]) else None, subject["name"])
