"""What every section of a persona is made of: strict models, decimal text, checked identifiers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from hub.domain.identifiers import is_resident_id, is_uscc
from hub.domain.money import yuan
from hub.domain.periods import Month


def _decimal(value: object) -> Decimal:
    return yuan(value if isinstance(value, str) else "")


def _month(value: object) -> str:
    datetime.strptime(str(value), "%Y-%m")
    return str(value)


def _uscc(value: object) -> str:
    if not is_uscc(str(value)):
        raise ValueError("not a valid unified social credit code (check character)")
    return str(value)


def _resident(value: object) -> str:
    if not is_resident_id(str(value)):
        raise ValueError("not a valid resident ID (check character)")
    return str(value)


Money = Annotated[Decimal, BeforeValidator(_decimal)]
MonthText = Annotated[Month, BeforeValidator(_month)]
Uscc = Annotated[str, BeforeValidator(_uscc)]
ResidentId = Annotated[str, BeforeValidator(_resident)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(Part):
    """Rule E4: explicit amounts per ``step`` months, or a total to be split over ``months``."""

    first: MonthText
    step: int = 1
    amounts: tuple[Money, ...] | None = None
    total: Money | None = None
    months: int | None = None
