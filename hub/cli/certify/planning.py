"""What is asked: windows, cursors, and that the same input gives the same request."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from hub.cli.certify.papers import report
from hub.cli.certify.session import Session
from hub.connect import Context, Stream, Window
from hub.domain.periods import add_months, first_day, last_day, month_of

DAY = timedelta(days=1)


async def windows_cover_the_range(session: Session) -> str:
    """Without gap or overlap, never outside the range, never longer than the stream says."""
    context = (await session.customer()).context
    faults, planned = [], 0
    for stream in session.connector.streams:
        for first, last in _ranges(context.today):
            asked = replace(context, data_from=first, data_to=last)
            windows = list(stream.windows(asked, first, last))
            planned += len(windows)
            faults += [f"{stream.name} for {first} to {last}: {text}" for text in _faults(stream, asked, windows)]
    return report(faults, f"{planned} windows of {len(session.connector.streams)} streams over {len(list(_ranges(context.today)))} ranges.")


def _ranges(today: date) -> Iterator[tuple[date, date]]:
    """A day, a few days, odd ends, whole years."""
    yield date(2025, 3, 1), date(2025, 3, 1)
    yield date(2025, 2, 25), date(2025, 3, 4)
    yield date(2024, 12, 31), date(2025, 12, 30)
    yield date(2023, 2, 28), today
    yield date(2022, 1, 1), date(2024, 12, 31)


def _faults(stream: Stream, context: Context, windows: Sequence[Window]) -> Iterator[str]:
    first, last = context.data_from, context.data_to
    if not windows:
        if last - first > timedelta(days=62):
            yield "nothing is asked"
        return
    longest = stream.window_days
    for window in windows:
        if window.first < first or window.last > last or window.last < window.first:
            yield f"{window.first} to {window.last} is not within the range"
        if longest and (window.last - window.first).days >= longest:
            yield f"{window.first} to {window.last} is longer than {longest} days"
    for before, after in itertools.pairwise(windows):
        if after.first != before.last + DAY:
            yield f"{before.last} is followed by {after.first}"
    if not longest and len(windows) > 1:
        yield "a stream without windows has more than one"
    if any(window.stream != stream.name for window in windows):
        yield "a window carries another stream's name"
    yield from _ends(context, windows)


def _ends(context: Context, windows: Sequence[Window]) -> Iterator[str]:
    """The first day and the last day over. A stream of whole months may leave out a month that is cut."""
    whole = all(one.first.day == 1 and one.last == last_day(month_of(one.last)) for one in windows)
    starts = {context.data_from} | ({first_day(add_months(month_of(context.data_from), 1))} if whole else set())
    over = min(context.data_to, context.today - DAY)
    ends = {context.data_to, over} | ({first_day(month_of(over)) - DAY} if whole else set())
    if windows[0].first not in starts:
        yield f"it begins on {windows[0].first}"
    if windows[-1].last not in ends:
        yield f"it ends on {windows[-1].last}"


async def cursors_are_json(session: Session) -> str:
    """A cursor survives being stored, and holds neither secret nor person."""
    customer, faults, cursors = await session.customer(), [], 0
    hidden = secrets_of(session) | {customer.context.subject.uscc or "", customer.context.subject.resident_id or ""} - {""}
    for one in (await session.reading()).exchanges:
        if one.page is None or one.page.next is None:
            continue
        cursors += 1
        text = json.dumps(one.page.next)
        ask = one.stream.request
        if ask(one.context, one.window, json.loads(text)) != ask(one.context, one.window, one.page.next):
            faults.append(f"{one.stream.name}: a stored cursor asks something else")
        if any(secret in text for secret in hidden):
            faults.append(f"{one.stream.name}: a cursor holds a secret or an identifier")
    return report(dict.fromkeys(faults), f"{cursors} cursors stored, read again and compared.")


def secrets_of(session: Session) -> set[str]:
    """The values of the secret settings that are in use."""
    marked = (session.trial.config.get(one.name, "") for one in session.connector.manifest.settings if one.secret)
    return {value for value in marked if value}


async def requests_are_pure(session: Session) -> str:
    """Windows, requests and signatures are functions of their arguments: twice the same, and answers are read twice the same."""
    faults, count = [], 0
    for one in (await session.reading()).exchanges:
        count += 1
        again = [one.stream.request(one.context, one.window, one.cursor) for _ in range(2)]
        if again != [one.request, one.request]:
            faults.append(f"{one.stream.name}: the same question is asked differently")
        if one.page is not None and one.stream.read(one.context, one.window, one.cursor, one.response) != one.page:
            faults.append(f"{one.stream.name}: the same answer is read differently")
    for one in await session.examples():
        sign = session.connector.sign
        if sign(one.context, one.request) != sign(one.context, one.request):
            faults.append(f"{one.stream.name}: the same request is signed differently")
    return report(dict.fromkeys(faults), f"{count} requests made again, {count} answers read again, all equal.")


async def evidence_holds_no_secret(session: Session) -> str:
    """The unsigned request is stored as evidence, so nothing secret may be in it."""
    customer, faults = await session.customer(), []
    grant = customer.grant
    tokens = {grant.access_token, grant.refresh_token or ""} if grant else set()
    # A short access token is no secret but the number of an authorisation.
    hidden = secrets_of(session) | {token for token in tokens if len(token) >= 16}
    for one in await session.examples():
        parts = [
            one.request.path,
            one.request.body.decode("utf-8", "replace"),
            *(f"{n}={v}" for n, v in (*one.request.query, *one.request.headers)),
        ]
        faults += [f"{one.stream.name}: an unsigned request holds a secret" for value in hidden if any(value in part for part in parts)]
    return report(dict.fromkeys(faults), f"Nothing of {len(hidden)} secrets and tokens in an unsigned request.")
