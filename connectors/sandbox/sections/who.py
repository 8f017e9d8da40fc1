"""Who the persona is: people, business, sources, identity, records, devices."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from connectors.sandbox.sections.part import Money, MonthText, Part, ResidentId, Uscc


class Place(Part):
    city: str
    lat: float
    lon: float
    verified_on: date | None = None


class Education(Part):
    level: str
    verified: bool
    graduated_on: date | None = None


class Person(Part):
    name: str
    resident_id: ResidentId
    residence_city: str
    hukou_city: str
    hukou_since: date
    home: Place | None = None
    education: Education | None = None


class Business(Part):
    uscc: Uscc
    name: str
    industry: str
    status: str
    established_on: date
    registered_capital: Money | None = None
    responsible: str
    responsible_since: date | None = None
    registered_to: str
    registered_at: Place
    operates_at: Place | None = None
    qualifications: tuple[str, ...] = ()


class Source(Part):
    first: MonthText = Field(alias="from")
    until: date | None = None
    gaps: tuple[MonthText, ...] = ()
    orders_from: MonthText | None = None
    consent: Literal["ACTIVE", "NEVER", "REVOKED", "EXPIRED"] = "ACTIVE"
    consent_changed_on: date | None = None


class RequestSection(Part):
    purpose: Literal["OPERATING", "CONSUMPTION"]
    amount: Money | None = None


class IdentityCheck(Part):
    person: str
    method: str
    result: str
    on: date


class Identity(Part):
    checks: tuple[IdentityCheck, ...]
    place: Place | None = None


class PublicRecordRow(Part):
    kind: str
    role: str
    status: str
    filed_on: date
    closed_on: date | None = None
    amount: Money | None = None


class SessionCount(Part):
    city: str
    count: int


class Device(Part):
    sessions: tuple[SessionCount, ...]
    devices: int
