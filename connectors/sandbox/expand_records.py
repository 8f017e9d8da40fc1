"""Registration, public records and identity of a persona as single records, as they stand (rules E1, E19)."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.sandbox.expand import Reach
from connectors.sandbox.expand_social import horizon
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Business, IdentityCheck, Person, Place, PublicRecordRow
from hub.domain.enums import SourceKind


@dataclass(frozen=True, slots=True)
class Registration:
    """``certificate`` is the resident ID (or USCC) of whom the register names as responsible."""

    business: Business
    certificate: str


@dataclass(frozen=True, slots=True)
class Case:
    """``number`` is stable: it follows from the record, not from its place in the file."""

    number: str
    kind: str
    role: str
    status: str
    filed_on: date
    closed_on: date | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Check:
    person: Person
    method: str
    result: str
    on: date


def registration(persona: Persona) -> Registration | None:
    """None without a business, or before it was established."""
    business, end = persona.business, horizon(persona, Reach(persona, SourceKind.REGISTRATION))
    if business is None or business.established_on > end:
        return None
    return Registration(business, persona.holder(business.registered_to)[0])


def cases(persona: Persona) -> list[Case]:
    """By day of filing, then number. A case that is closed after the data end is still open."""
    reach = Reach(persona, SourceKind.PUBLIC_RECORD)
    end, twins, found = horizon(persona, reach), Counter[str](), []
    for row in persona.public_records:
        basis = f"{persona.id}|{row.kind}|{row.role}|{row.filed_on}"
        twins[basis] += 1
        if row.filed_on <= end and reach.covers(row.filed_on):
            found.append(_case(row, f"{basis}|{twins[basis]}", end))
    return sorted(found, key=lambda case: (case.filed_on, case.number))


def _case(row: PublicRecordRow, basis: str, end: date) -> Case:
    serial = int(hashlib.sha256(basis.encode()).hexdigest()[:12], 16) % 1_000_000
    ahead = row.closed_on is not None and row.closed_on > end
    return Case(
        number=f"({row.filed_on.year})示0000号{serial:06d}",
        kind=row.kind,
        role=row.role,
        status="OPEN" if ahead else row.status,
        filed_on=row.filed_on,
        closed_on=None if ahead else row.closed_on,
        amount=row.amount,
    )


def checks(persona: Persona) -> list[Check]:
    """Identity checks by day."""
    reach = Reach(persona, SourceKind.IDENTITY)
    rows: tuple[IdentityCheck, ...] = persona.identity.checks if persona.identity else ()
    end = horizon(persona, reach)
    found = [Check(persona.person(row.person), row.method, row.result, row.on) for row in rows if row.on <= end and reach.covers(row.on)]
    return sorted(found, key=lambda check: (check.on, check.method))


def place(persona: Persona) -> tuple[Place, date] | None:
    """The operating place as verified, and the day of it; where the persona does not say the day, it is the data end."""
    reach = Reach(persona, SourceKind.IDENTITY)
    found = persona.identity.place if persona.identity else None
    if found is None:
        return None
    end = horizon(persona, reach)
    day = found.verified_on or end
    return (found, day) if day <= end and reach.covers(day) else None
