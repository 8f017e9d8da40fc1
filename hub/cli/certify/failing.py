"""Bad answers: a platform that is down, half an answer, an answer that lacks something, one record spoiled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.cli.certify.authorising import fault_of, name_of
from hub.cli.certify.papers import report
from hub.cli.certify.reading import Exchange, WindowRead, read_window
from hub.cli.certify.session import Session
from hub.cli.certify.trial import Customer, require
from hub.connect import ContractBroken, Fault, Json, NoData, Page, Pending, Response, RetryAt

CRASHES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError, OSError)
"""What a connector that did not expect an answer stumbles with: never a fault, so the engine would not know what to do."""
_HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"


def outcome(exchange: Exchange, response: Response) -> Page | Fault | str:
    """What the connector makes of another answer to the same question: a page, a fault, or the name of what it stumbled with."""
    try:
        return exchange.stream.read(exchange.context, exchange.window, exchange.cursor, response)
    except Fault as fault:
        return fault
    except CRASHES as crash:
        return type(crash).__name__


def said(found: Page | Fault | str) -> str:
    if isinstance(found, str):
        return f"it stumbled with {found}"
    return f"it was {type(found).__name__}" if isinstance(found, Fault) else "it was taken for a page"


async def down_is_waited_for(session: Session) -> str:
    """503 with HTML, as a front proxy answers: wait and retry. Never data, never a broken contract; and afterwards it goes on."""
    customer, fresh = await session.trial.customer(), Customer(session.trial)
    callback = await fresh.visit()
    faults = []
    with session.trial.switched("down"):
        for stream, window in customer.latest_windows():
            fault = await fault_of(customer.page(stream, window))
            if not isinstance(fault, RetryAt):
                faults.append(f"{stream.name}: {name_of(fault)}")
        for name, asked in (("the token call", fresh.complete(callback)), ("the refresh", customer.refresh())):
            fault = await fault_of(asked)
            if not isinstance(fault, RetryAt):
                faults.append(f"{name}: {name_of(fault)}")
    for stream, window in customer.latest_windows():
        fault = await fault_of(customer.page(stream, window))
        if not isinstance(fault, NoData | Pending | None):
            faults.append(f"{stream.name} afterwards: {name_of(fault)}")
    return report(faults, f"{len(customer.latest_windows())} streams, token call and refresh wait; afterwards they are answered.")


async def too_fast_is_waited_for(session: Session) -> str:
    """429 and 5xx are waited for, with the time the platform asks for where it says one."""
    faults = []
    for one in await session.examples():
        for status, headers in ((429, {"retry-after": "7"}), (500, {}), (502, {}), (504, {})):
            found = outcome(one, Response(status, {"content-type": "text/html", **headers}, _HTML))
            if not isinstance(found, RetryAt):
                faults.append(f"{one.stream.name}: {status} must be waited for, {said(found)}")
            elif headers and found.seconds not in (None, 7):
                faults.append(f"{one.stream.name}: Retry-After said 7, the connector {found.seconds}")
    return report(dict.fromkeys(faults), "429, 500, 502 and 504 in a proxy's words are waited for at every step.")


async def half_an_answer_is_broken(session: Session) -> str:
    """JSON cut in the middle is a broken contract; JSON of another shape is a fault."""
    examples, faults = await session.examples(), []
    for one in examples:
        cut = outcome(one, replace(one.response, body=one.response.body[: len(one.response.body) // 2]))
        if not isinstance(cut, ContractBroken):
            faults.append(f"{one.stream.name}: half an answer must be a broken contract, {said(cut)}")
        for other in (b"{}", b"[]", b"null", b'"ok"', b"7", b"", _HTML):
            found = outcome(one, Response(200, {"content-type": "application/json"}, other))
            if not isinstance(found, Fault):
                faults.append(f"{one.stream.name}: {other[:6].decode() or 'nothing'} for an answer, {said(found)}")
    return report(dict.fromkeys(faults), f"{len(examples)} answers cut and replaced, none was taken for data.")


async def no_end_without_a_signal(session: Session) -> str:
    """A member missing or null in an answer that is not the last is never the end; and nothing missing makes the connector stumble."""
    faults, count = [], 0
    for one in await session.examples():
        if one.page is None:
            continue
        for path, body in _maimed(one.response.body):
            count += 1
            found = outcome(one, replace(one.response, body=body))
            if isinstance(found, str):
                faults.append(f"{one.stream.name}: without {path} {said(found)}")
            elif isinstance(found, Page) and one.page.next is not None and found.next is None:
                faults.append(f"{one.stream.name}: without {path} a page before the last is taken for the end")
    return report(dict.fromkeys(faults), f"{count} answers that lack something; none ended a window early.")


def _maimed(body: bytes, depth: int = 3) -> Iterator[tuple[str, bytes]]:
    """The answer without one of its members, and with that member null, for every member that is not inside a list."""
    whole = json.loads(body)
    for path in _paths(whole, depth):
        for null in (False, True):
            yield ".".join(path), json.dumps(_without(whole, path, null), ensure_ascii=False).encode()


def _paths(value: Json, depth: int) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and depth:
        for name, inner in value.items():
            yield (name,)
            yield from ((name, *path) for path in _paths(inner, depth - 1))


def _without(value: Any, path: tuple[str, ...], null: bool) -> Any:
    head, rest = path[0], path[1:]
    if rest:
        return {**value, head: _without(value[head], rest, null)}
    return {name: None if name == head else inner for name, inner in value.items() if null or name != head}


async def spoiled_record_is_put_aside(session: Session) -> str:
    """The switch ``malformed``: one record cannot be read, it is told which field and why, and the rest is read."""
    reading, customer = await session.reading(), await session.trial.customer()
    with session.trial.switched("malformed"):
        found = await asyncio.gather(*(_with_spoiled(customer, reading.of(stream)) for stream in session.connector.streams))
    again = [one for windows in found for one in windows]
    aside = [(one, fault) for one in again for fault in one.unreadable]
    require(aside, "With the switch `malformed` every record was read: either it spoils none, or the connector does not look.")
    require(len(aside) == 1, f"{len(aside)} records were put aside, the platform spoils one.")
    (window, fault), beside = aside[0], sum(len(one.records) for one in again) - 1
    require(fault.path and fault.reason, f"{window}: it is not said which field, or why.")
    return f"{window.stream.name}: {fault.path} {fault.reason}; {beside} records beside it were read."


async def _with_spoiled(customer: Customer, windows: list[WindowRead]) -> list[WindowRead]:
    """The stream's windows that hold records read again, up to the one after the spoiled record."""
    again: list[WindowRead] = []
    for before in (one for one in windows if one.records):
        found = any(one.unreadable for one in again)
        again.append(await read_window(customer, before.stream, before.window))
        _compare(before, again[-1])
        if found:
            break
    return again


def _compare(before: WindowRead, after: WindowRead) -> None:
    """Raises Failed unless the window is as before, but for the facts of a record that was put aside."""
    lost = len(before.facts) - len(after.facts)
    require(len(after.records) == len(before.records), f"{after}: {len(after.records)} records instead of {len(before.records)}.")
    require(lost == 0 or after.unreadable, f"{after}: {lost} facts are missing and no record was put aside.")
    require(lost >= len(after.unreadable), f"{after}: a fact was made of a record that was put aside.")
    require(all(fact in before.facts for fact in after.facts), f"{after}: the records beside it are read differently.")
