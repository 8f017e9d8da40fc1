"""The scalars: amounts as decimal strings, days, instants with an offset, months.

Serialising accepts text as it comes out of the store.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from hub.domain.money import yuan
from hub.domain.periods import Month, first_day


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _iso(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _of_text(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Only strings are read; everything else, numbers included, is refused as GraphQL's own error, the only kind whose words are shown."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > 40:
            raise GraphQLError("expected a short string")
        try:
            return parse(value)
        except OverflowError:
            raise GraphQLError("out of range") from None
        except ValueError as error:
            raise GraphQLError(str(error)) from None

    return read


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs an offset, such as 2026-01-20T08:00:00Z")
    return at.astimezone(UTC)


def _month(text: str) -> Month:
    first_day(Month(text))
    return Month(text)


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='A decimal number as a string, for example "1428869.20". Money is in yuan (CNY). Never a JSON number.',
        serialize=_text,
        parse_value=_of_text(yuan),
    ),
    date: strawberry.scalar(
        name="Date", description='A day in China Standard Time, "2026-01-20".', serialize=_iso, parse_value=_of_text(date.fromisoformat)
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant with its offset (ISO 8601), "2026-01-20T08:00:00+00:00". Answers are in UTC.',
        serialize=_iso,
        parse_value=_of_text(_instant),
    ),
    Month: strawberry.scalar(name="Month", description='A calendar month, "2026-01".', serialize=_text, parse_value=_of_text(_month)),
}
