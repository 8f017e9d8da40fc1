"""Who the customers are: created, with their people, merged, erased, one personal value revealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub.domain.enums import PersonalField


@dataclass(frozen=True, slots=True)
class PersonInput:
    name: str
    resident_id: str
    residence_city: str | None


@dataclass(frozen=True, slots=True)
class PartyInput:
    role: str
    person: PersonInput
    since: date | None


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    kind: str
    name: str
    uscc: str | None
    person: PersonInput | None
    category: str | None = None
    people: tuple[PartyInput, ...] = ()


@dataclass(frozen=True, slots=True)
class AddParty:
    """``since`` defaults to the business day."""

    customer_id: str
    role: str
    person: PersonInput
    since: date | None


@dataclass(frozen=True, slots=True)
class EndParty:
    customer_id: str
    party_id: str
    until: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class PartyChanged:
    """``customer_id`` is the customer that answers for the one that was asked about."""

    customer_id: str
    party_id: str


@dataclass(frozen=True, slots=True)
class MergeCustomers:
    from_id: str
    into_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SplitCustomer:
    customer_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """Which customer is, or was, answered for by which."""

    from_id: str
    into_id: str


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """``reason`` is for the tombstone; nothing personal."""

    customer_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerErased:
    """``keys``: how many data keys were destroyed; 0 if the subject had been erased before."""

    customer_id: str
    keys: int


@dataclass(frozen=True, slots=True)
class RevealPersonalField:
    customer_id: str
    role: str
    field: PersonalField
    party_id: str | None = None
