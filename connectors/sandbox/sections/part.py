"""What every section of a persona is made of: strict models, decimal text, whole numbers, days, checked identifiers.

Strict: what the format does not name or types otherwise is refused, so that a slip of the pen never becomes a default. Messages are the rest of a
sentence whose beginning is the place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from hub.domain.identifiers import is_resident_id, is_uscc
from hub.domain.money import yuan
from hub.domain.periods import Month

_USCC_SHAPE = r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"
_MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"


def text_of(shape: str, what: str) -> Callable[[object], str]:
    """A reader of text of one shape. Digits are ASCII ones."""
    pattern = re.compile(shape)

    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"not {what}")
        return value

    return read


_money_text = text_of(r"-?[0-9]+\.[0-9]{2}", 'an amount in yuan with two decimals as text, such as "1200.00"')
_ratio_text = text_of(r"[0-9]+(\.[0-9]+)?", 'a decimal number as text, such as "0.05"')
_month_text = text_of(_MONTH, "a month as YYYY-MM")
_period_text = text_of(rf"{_MONTH}|[0-9]{{4}}Q[1-4]", "a month as YYYY-MM or a quarter as YYYYQn")
_day_text = text_of(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day as YYYY-MM-DD")


def _day(value: object) -> date:
    """A calendar day: the year 0 and the 30th of February are none."""
    try:
        return date.fromisoformat(_day_text(value))
    except ValueError:
        raise ValueError("not a day of the calendar as YYYY-MM-DD") from None


def _real_month(value: object) -> str:
    text = _month_text(value)
    if text < "0001":
        raise ValueError("not a month of the calendar as YYYY-MM")
    return text


def _moment(value: object) -> datetime:
    """An instant with its offset: a naked time would be another one on every machine."""
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("not a time with its offset, such as 2026-01-20T10:00:00+08:00") from None
    if found.tzinfo is None:
        raise ValueError("a time without an offset; write it as 2026-01-20T10:00:00+08:00")
    return found


def _whole(value: object) -> int:
    """JSON knows one kind of number: 5.0 is a whole one, "5" and true are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value in (math.inf, -math.inf) or value % 1:
        raise ValueError("not a whole number")
    return int(value)


def _coordinate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number of degrees")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 -- pydantic reports ValueError with the place
    return value


def _uscc(value: str) -> str:
    if not is_uscc(value):
        raise ValueError("not a valid unified social credit code (check character)")
    return value


def _resident(value: str) -> str:
    if not is_resident_id(value):
        raise ValueError("not a valid resident ID (check character, or no such day of birth)")
    return value


Money = Annotated[Decimal, BeforeValidator(lambda value: yuan(_money_text(value)))]
"""Yuan with two decimals."""
Ratio = Annotated[Decimal, BeforeValidator(lambda value: yuan(_ratio_text(value)))]
"""A share, rate, weight or area: not negative."""
MonthText = Annotated[Month, BeforeValidator(_real_month)]
PeriodText = Annotated[str, BeforeValidator(_period_text)]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
Ordinal = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
DayOfMonth = Annotated[int, Field(ge=1, le=31), BeforeValidator(_whole)]
FilingDay = Annotated[int, Field(ge=1, le=28), BeforeValidator(_whole)]
Degrees = Annotated[float, BeforeValidator(_coordinate)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Uscc = Annotated[str, BeforeValidator(text_of(_USCC_SHAPE, "a unified social credit code")), AfterValidator(_uscc)]
PartnerCode = Annotated[str, BeforeValidator(text_of(_USCC_SHAPE, "a unified social credit code"))]
"""The code of another party. Its check character is not looked at: nobody is evaluated by it."""
ResidentId = Annotated[str, BeforeValidator(text_of(r"[0-9]{17}[0-9X]", "a resident ID")), AfterValidator(_resident)]


class Part(BaseModel):
    """A block of the format."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(Part):
    """Rule E4: explicit amounts per ``step`` months, or a total to be split over ``months``."""

    first: MonthText
    step: Ordinal = 1
    amounts: tuple[Money, ...] | None = None
    total: Money | None = None
    months: Ordinal | None = None

    @model_validator(mode="after")
    def _either(self) -> Series:
        split = self.total is not None and self.months is not None
        if (self.amounts is not None) == split:
            raise ValueError("a series has either amounts, or a total and the months it is split over")
        return self


def fault_of(error: ValidationError) -> str:
    """The first fault as one sentence: the place and what is wrong there."""
    fault = error.errors(include_input=False, include_url=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).removeprefix(".")
    said = _SAID.get(fault["type"], "{msg}").format(msg=fault["msg"].removeprefix("Value error, "), **fault.get("ctx", {}))
    return f"at {place or 'the top'}: {said}"


_SAID = {
    "missing": "missing",
    "extra_forbidden": "the format knows no such field",
    "model_type": "not an object",
    "dict_type": "not an object",
    "tuple_type": "not a list",
    "string_type": "not text",
    "literal_error": "not one of {expected}",
    "greater_than_equal": "a number less than {ge}",
    "less_than_equal": "a number greater than {le}",
    "too_short": "an empty list or object, or one with too few entries",
    "too_long": "a list with too many entries",
    "value_error": "{msg}",
}
