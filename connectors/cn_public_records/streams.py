"""The streams: which service gives which facts. A service is either a state, asked for whole, or a series of dated records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.cn_public_records import normalise as facts
from connectors.cn_public_records import reading, requests
from hub.connect import Context, Json, Page, Record, Request, Response, Stream, Window
from hub.connect.snapshot import Position
from hub.connect.windows import whole
from hub.domain.enums import SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    EducationRecord,
    HouseholdRegistration,
    IdentityVerification,
    PublicRecord,
    Qualification,
    VerifiedPlace,
)


@dataclass(frozen=True)
class Service:
    """``dated``: its records have a day and are asked for by range; otherwise it is a state."""

    name: str
    service: str
    source: SourceKind
    fact: type
    read_row: Callable[[Context, Record], Any]
    dated: bool = False
    look_back_days: int = 0

    @property
    def facts(self) -> tuple[type, ...]:
        return (self.fact,)

    @property
    def window_days(self) -> int | None:
        return requests.LONGEST * 31 if self.dated else 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return requests.slices(self.name, first, last) if self.dated else whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return requests.ask(context, self.service, requests.days(window) if self.dated else {}, Position.of(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        return reading.page(context, window, Position.of(cursor), response)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield self.read_row(context, record)


CASE_YEARS = 10
"""A case is read again as long as it may still be closed."""

REGISTER, RECORDS, IDENTITY = SourceKind.REGISTRATION, SourceKind.PUBLIC_RECORD, SourceKind.IDENTITY

STREAMS: tuple[Stream, ...] = (
    Service("registration", "business", REGISTER, BusinessRegistration, facts.business),
    Service("qualifications", "qualifications", REGISTER, Qualification, facts.qualification),
    Service("public_records", "cases", RECORDS, PublicRecord, facts.case, dated=True, look_back_days=CASE_YEARS * 366),
    Service("identity_checks", "checks", IDENTITY, IdentityVerification, facts.check, dated=True, look_back_days=31),
    Service("household", "household", IDENTITY, HouseholdRegistration, facts.household),
    Service("education", "education", IDENTITY, EducationRecord, facts.education),
    Service("verified_places", "places", IDENTITY, VerifiedPlace, facts.place, dated=True, look_back_days=31),
)
