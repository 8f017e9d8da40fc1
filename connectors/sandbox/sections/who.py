"""Who the persona is: people, business, sources, identity, records, devices, and what the lender has configured for the case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from connectors.sandbox.sections.part import (
    Count,
    Day,
    Degrees,
    Flag,
    Money,
    MonthText,
    Ordinal,
    Part,
    PartnerCode,
    Ratio,
    ResidentId,
    Uscc,
    fault_of,
    text_of,
)

Industry = Annotated[str, BeforeValidator(text_of(r"[A-T][0-9]{4}", "a GB/T 4754 class with its section letter, such as F5292"))]


class Place(Part):
    city: str
    lat: Degrees
    lon: Degrees
    verified_on: Day | None = None


class Education(Part):
    level: Literal["BELOW_HIGH", "HIGH", "COLLEGE", "BACHELOR", "MASTER", "DOCTOR"]
    verified: Flag
    graduated_on: Day | None = None


class Person(Part):
    name: str
    resident_id: ResidentId
    residence_city: str
    hukou_city: str
    hukou_since: Day
    home: Place | None = None
    education: Education | None = None


class Business(Part):
    uscc: Uscc
    name: str
    industry: Industry
    status: Literal["ACTIVE", "REVOKED", "CANCELLED", "ABNORMAL"]
    established_on: Day
    registered_capital: Money | None = None
    responsible: str
    responsible_since: Day | None = None
    registered_to: str
    registered_at: Place
    operates_at: Place | None = None
    qualifications: tuple[str, ...] = ()


class Source(Part):
    first: MonthText = Field(alias="from")
    until: Day | None = None
    gaps: tuple[MonthText, ...] = ()
    orders_from: MonthText | None = None
    consent: Literal["ACTIVE", "NEVER", "REVOKED", "EXPIRED"] = "ACTIVE"
    consent_changed_on: Day | None = None


class RequestSection(Part):
    purpose: Literal["OPERATING", "CONSUMPTION"]
    amount: Money | None = None


class IdentityCheck(Part):
    person: str
    method: Literal["TWO_FACTOR", "THREE_FACTOR", "FACE_LIVENESS"]
    result: Literal["MATCH", "MISMATCH", "UNAVAILABLE"]
    on: Day


class Identity(Part):
    checks: tuple[IdentityCheck, ...]
    place: Place | None = None


class PublicRecordRow(Part):
    kind: Literal["LITIGATION", "ENFORCEMENT", "DISHONEST", "ADMIN_PENALTY", "BANKRUPTCY"]
    role: Literal["PLAINTIFF", "DEFENDANT"]
    status: Literal["OPEN", "CLOSED"]
    filed_on: Day
    closed_on: Day | None = None
    amount: Money | None = None


class SessionCount(Part):
    city: str
    count: Count


class Device(Part):
    sessions: tuple[SessionCount, ...]
    devices: Ordinal


class Crop(Part):
    yield_norm: Ratio
    price: Ratio
    input_cost: Ratio


class InsuranceBase(Part):
    floor: Money
    ceiling: Money


class ReferenceSection(Part):
    """What the lender knows or has configured; no customer fact. It is loaded as configuration, so it stays a plain document."""

    lender: str
    margin_bands: dict[str, tuple[Ratio, Ratio]] = {}
    core_enterprises: tuple[PartnerCode, ...] = ()
    approved_buyers: tuple[PartnerCode, ...] = ()
    prohibited_industries: tuple[str, ...] = ()
    crops: dict[str, Crop] = {}
    social_insurance_base: InsuranceBase | None = None


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    try:
        ReferenceSection.model_validate(document)
    except ValidationError as error:
        raise ValueError(fault_of(error).removeprefix("at ")) from None
    return document


ReferenceDocument = Annotated[dict[str, Any], AfterValidator(_checked)]
