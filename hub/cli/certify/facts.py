"""What came: totals, the facts' types and keys, their days, and that a record is always read alike."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.cli.certify.papers import report
from hub.cli.certify.reading import WindowRead, read_windows
from hub.cli.certify.session import Session
from hub.connect import Unreadable
from hub.domain.facts import FieldSpec, FieldType, spec_of
from hub.domain.periods import Month, china_day, first_day, last_day

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


async def streams_end(session: Session) -> str:
    """Every window of every stream, to the end the platform gives; nothing is put aside."""
    reading = await session.reading()
    faults = [f"{one}: a record could not be read ({one.unreadable[0]})" for one in reading.windows if one.unreadable]
    faults += [
        f"{stream.name}: no record in the whole range" for stream in session.connector.streams if _is_silent(session, reading.of(stream))
    ]
    records = sum(len(one.records) for one in reading.windows)
    return report(faults, f"{len(reading.windows)} windows, {sum(1 for _ in reading.exchanges)} requests, {records} records.")


def _is_silent(session: Session, windows: list[WindowRead]) -> bool:
    """A stream that brought nothing and was not told that there is nothing: it may be the connector that lost it."""
    told = any(one.end in ("EMPTY", "NOT_SERVED") or one.total == 0 for one in windows)
    return bool(windows) and not told and not any(one.records for one in windows)


async def totals_agree(session: Session) -> str:
    """Records read = the platform's declared total, window by window."""
    windows = [one for one in (await session.reading()).windows if one.end == "DONE"]
    faults = [f"{one}: {len(one.records)} records, {one.total} declared" for one in windows if one.total not in (None, len(one.records))]
    declared = [one for one in windows if one.total is not None]
    silent = f"; {len(windows) - len(declared)} windows declare none" if len(declared) < len(windows) else ""
    return report(faults, f"{sum(one.total or 0 for one in declared)} records declared and read{silent}.")


async def coverage_is_within(session: Session) -> str:
    """The days that a page says are complete lie in its window, in order."""
    faults = []
    for one in (await session.reading()).windows:
        days = one.covered or ()
        if any(span.first < one.window.first or span.last > one.window.last for span in days):
            faults.append(f"{one}: days outside the window are said to be covered")
        if any(after.first <= before.last for before, after in itertools.pairwise(days)):
            faults.append(f"{one}: covered intervals overlap")
    return report(faults, "No page claims more than it was asked for.")


async def facts_are_valid(session: Session) -> str:
    """Kinds as announced, every field of its type, unit and range, every key there."""
    faults: dict[str, None] = {}
    count = 0
    for one, fact in (await session.reading()).facts:
        count += 1
        if type(fact) not in one.stream.facts:
            faults[f"{one.stream.name}: a {type(fact).__name__} was not announced"] = None
            continue
        faults |= dict.fromkeys(f"{one.stream.name}: {text}" for text in _wrong(fact))
    return report(faults, f"{count} facts, every field checked against its declaration.")


def _wrong(fact: Any) -> Iterator[str]:
    spec = spec_of(type(fact))
    for field in spec.fields:
        value = getattr(fact, field.name)
        if value is None:
            if not field.nullable:
                yield f"{spec.name}.{field.name} is null"
        elif not _FITS[field.kind](field, value):
            yield f"{spec.name}.{field.name} is not a {field.kind.value} as declared ({type(value).__name__})"
    if not spec.source_key(fact).strip("|"):
        yield f"{spec.name} has an empty key"


def _amount(value: Any) -> bool:
    """Decimal yuan, no fraction of a fen."""
    return isinstance(value, Decimal) and value.is_finite() and value == round(value, 2)


def _is_lines(field: FieldSpec, value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and _amount(one) for name, one in value.items())


_FITS: Mapping[FieldType, Callable[[FieldSpec, Any], bool]] = {
    FieldType.TEXT: lambda field, value: isinstance(value, str),
    FieldType.PARTY: lambda field, value: isinstance(value, str),
    FieldType.PERSONAL: lambda field, value: isinstance(value, str) and bool(value),
    FieldType.INT: lambda field, value: type(value) is int,
    FieldType.MONEY: lambda field, value: _amount(value),
    FieldType.NUMBER: lambda field, value: isinstance(value, Decimal) and value.is_finite(),
    FieldType.COORDINATE: lambda field, value: isinstance(value, float) and abs(value) <= 180,
    FieldType.DATE: lambda field, value: type(value) is date,
    FieldType.INSTANT: lambda field, value: isinstance(value, datetime) and value.utcoffset() is not None,
    FieldType.MONTH: lambda field, value: isinstance(value, str) and bool(_MONTH.fullmatch(value)),
    FieldType.BOOL: lambda field, value: type(value) is bool,
    FieldType.ENUM: lambda field, value: field.enum is not None and isinstance(value, field.enum),
    FieldType.LINES: _is_lines,
}


async def keys_are_single(session: Session) -> str:
    """Within a window, one key stands for one content."""
    faults, keys = [], 0
    for one in (await session.reading()).windows:
        seen: dict[tuple[type, str], Any] = {}
        for fact in one.facts:
            key = (type(fact), spec_of(type(fact)).source_key(fact))
            if seen.setdefault(key, fact) != fact:
                faults.append(f"{one}: two different {type(fact).__name__} have one key")
        keys += len(seen)
    return report(dict.fromkeys(faults), f"{keys} keys, none with two contents in one window.")


async def records_are_read_alike(session: Session) -> str:
    """``normalise`` twice gives the same facts and leaves the record as it was."""
    faults, count = [], 0
    for one in (await session.reading()).windows:
        if one.changed:
            faults.append(f"{one.stream.name}: reading a record changes it")
        again: list[Any] = []
        for context, record in one.records:
            count += 1
            with suppress(Unreadable):
                again += one.stream.normalise(context, record)
        if again != one.facts:
            faults.append(f"{one.stream.name}: a record is read differently the second time")
    return report(dict.fromkeys(faults), f"{count} records read again, all alike.")


async def nothing_outside_the_range(session: Session) -> str | None:
    """Ten weeks in the middle are asked for; every fact that came must have a day of its own among them."""
    customer, faults, count = await session.trial.customer(), [], 0
    first, last = date(2025, 10, 5), date(2025, 12, 13)
    context = replace(customer.context, data_from=first, data_to=last)
    dated = [stream for stream in session.connector.streams if stream.window_days != 0]
    for stream in dated:
        for one in await read_windows(customer, stream, stream.windows(context, first, last)):
            count += len(one.facts)
            faults += [
                f"{stream.name}: a {type(fact).__name__} of {day}" for fact in one.facts if (day := _strange_day(fact, one)) is not None
            ]
    return report(dict.fromkeys(faults), f"{count} facts of {first} to {last}, none from elsewhere.") if dated else None


def _strange_day(fact: Any, one: WindowRead) -> date | None:
    """The day of a fact none of whose days touches the window; None where one does, or where it has no day."""
    spec = spec_of(type(fact))
    spans = [span for field in spec.fields if (span := _days(field, getattr(fact, field.name))) is not None]
    if not spans or any(start <= one.window.last and end >= one.window.first for start, end in spans):
        return None
    return spec.occurred_on(fact) or spans[0][0]


def _days(field: FieldSpec, value: Any) -> tuple[date, date] | None:
    """The days a field stands for; None where it is no time."""
    if value is None or field.kind not in (FieldType.DATE, FieldType.INSTANT, FieldType.MONTH):
        return None
    if field.kind is FieldType.MONTH:
        return first_day(Month(value)), last_day(Month(value))
    day = china_day(value) if isinstance(value, datetime) else value
    return day, day + timedelta(0)
