"""工商登记."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.REGISTRATION, key=("uscc",), occurred=None)
class BusinessRegistration:
    """工商登记: what the business register says about a business."""

    uscc: str = about("统一社会信用代码, GB 32100-2015.")
    name: str = about("Registered name.")
    status: str = about("ACTIVE, REVOKED, CANCELLED or ABNORMAL.")
    industry_code: str = about("GB/T 4754-2017 class with its section letter, e.g. F5292.")
    established_on: date = about("Day of establishment.")
    registered_capital: Decimal | None = about("注册资本.", unit=Unit.YUAN)
    responsible: PersonalId | None = about("Resident ID of the legal representative or operator the register names.")
    responsible_since: date | None = about("Day of the last change of the legal representative or operator.")
    city: str = about("City of the registered place.")
    latitude: float | None = about("Registered place.", unit=Unit.DEGREE)
    longitude: float | None = about("Registered place.", unit=Unit.DEGREE)
    operating_city: str | None = about("City of the operating place, if another one is registered.")
    operating_latitude: float | None = about("Operating place, if another one is registered.", unit=Unit.DEGREE)
    operating_longitude: float | None = about("Operating place, if another one is registered.", unit=Unit.DEGREE)
