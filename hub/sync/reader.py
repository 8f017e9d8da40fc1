"""Reads one window, page by page, until the platform says that it ends.

What a fault means for the window stands in :meth:`Reader.answer`; what it means for the whole run is an exception of the ``Stop`` family, caught by
the engine.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Interval,
    Json,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Request,
    Response,
    RetryAt,
    Unreadable,
)
from hub.domain.identifiers import new_id
from hub.errors import ConsentMissing, GrantRevoked, LeaseLost
from hub.errors import ContractBroken as BrokenContract
from hub.http import PlatformUnreachable
from hub.store.pages import PageCommit, RawPage, Refused, Run, Step, commit_page
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.context import Equipment, Subjected
from hub.sync.grants import Held
from hub.sync.plan import Task
from hub.sync.settings import Patience
from hub.vault import Sealer

PAGE_CEILING = 10_000

_MAY_FETCH = text("""
    SELECT EXISTS (SELECT 1 FROM connection WHERE customer_id = :customer AND connection_id = :connection AND epoch = :epoch) AS mine,
        EXISTS (SELECT 1 FROM consent WHERE customer_id = :customer AND consent_id = :consent AND status = 'ACTIVE'
            AND (expires_at IS NULL OR expires_at > :business)) AS allowed
""")
_FAIL = text("""
    UPDATE sync_window SET state = 'FAILED', reason = :reason WHERE customer_id = :customer AND connection_id = :connection AND stream = :stream
        AND first_day = :first AND state = 'OPEN'
        AND EXISTS (SELECT 1 FROM connection c WHERE c.customer_id = :customer AND c.connection_id = :connection AND c.epoch = :epoch)
""")


class Park(Exception):
    """The platform asks to wait longer than a run may: come back in ``seconds``."""

    def __init__(self, seconds: float, reason: str) -> None:
        self.seconds, self.reason = seconds, reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class _Answer:
    request: Request
    response: Response
    page: Page
    end: str | None


class Reader:
    """The windows of one run share a grant, a sealer and a lock: their fetches overlap, their commits do not."""

    def __init__(
        self, equipment: Equipment, calls: Calls, patience: Patience, run: Run, subjected: Subjected, sealer: Sealer, held: Held
    ) -> None:
        self.equipment, self.calls, self.patience = equipment, calls, patience
        self.run, self.subjected, self.sealer, self.held = run, subjected, sealer, held
        self.committing, self.refreshing = asyncio.Lock(), asyncio.Lock()

    async def read(self, task: Task) -> None:
        """One window to its end. Raises Park, Reauthorise, Misconfigured, PlatformUnreachable, LeaseLost: the run is over."""
        try:
            await self._pages(task)
        except (NotPermitted, ContractBroken, BrokenContract) as fault:
            await self._fail(task, f"{type(fault).__name__}: {fault}")
        except ConsentMissing:
            # Withdrawn meanwhile: the window stays as it is, other sources go on.
            return

    async def _pages(self, task: Task) -> None:
        cursor, seen = task.cursor, 0
        while seen < PAGE_CEILING:
            answer = await self._answer(task, cursor)
            await self._commit(task, cursor, answer)
            if answer.end is not None:
                return
            if answer.page.next == cursor:
                raise ContractBroken("the platform repeats its cursor")
            if answer.page.wait:
                await self._wait(answer.page.wait, "the platform works on it")
            cursor, seen = answer.page.next, seen + 1
        raise ContractBroken(f"no end signal in {PAGE_CEILING} pages")

    async def _answer(self, task: Task, cursor: Json | None) -> _Answer:
        """One page's answer: waits, refreshes and repeats as the faults ask for."""
        waited, refreshed = 0.0, False
        attempts = 0
        while True:
            held = self.held
            request, response = await self._ask(task, cursor, held)
            try:
                page = task.stream.read(self._context(task, held), task.window, cursor, response)
                return _Answer(request, response, page, "DONE" if page.next is None else None)
            except NoData as fault:
                covered = (Interval(task.window.first, task.window.last),) if fault.covered else ()
                return _Answer(request, response, Page(covered=covered), "DONE" if fault.covered else "NOT_SERVED")
            except RefreshNeeded as fault:
                if refreshed:
                    raise Misconfigured(f"refused with a fresh token: {fault.reason}", code=fault.code) from None
                refreshed = True
                await self._refresh(held)
            except Pending as fault:
                waited += fault.seconds
                if waited > self.patience.pending:
                    raise Park(max(60.0, fault.seconds), fault.reason) from None
                await self._wait(fault.seconds, fault.reason)
            except RetryAt as fault:
                attempts += 1
                if attempts >= self.patience.attempts:
                    raise Park(max(30.0, fault.seconds or 0), fault.reason) from None
                await self._wait(fault.seconds if fault.seconds is not None else self.patience.first_wait * 2**attempts, fault.reason)

    async def _wait(self, seconds: float, reason: str) -> None:
        if seconds > self.patience.longest_wait:
            raise Park(seconds, reason)
        await asyncio.sleep(seconds)

    async def _ask(self, task: Task, cursor: Json | None, held: Held) -> tuple[Request, Response]:
        """Sends one request; repeats it while the platform does not answer at all, with full jitter."""
        policy = AsyncRetrying(
            retry=retry_if_exception_type(PlatformUnreachable),
            stop=stop_after_attempt(self.patience.attempts),
            wait=wait_random_exponential(multiplier=self.patience.first_wait, max=self.patience.longest_wait),
            retry_error_callback=_give_up,
        )
        result: tuple[Request, Response] = await policy(self._send_once, task, cursor, held)
        return result

    async def _send_once(self, task: Task, cursor: Json | None, held: Held) -> tuple[Request, Response]:
        context = self._context(task, held)
        request = task.stream.request(context, task.window, cursor)
        await self._may_fetch(task)
        connector = self.subjected.connector
        return request, await self.calls.send(connector, context.config, connector.sign(context, request))

    def _context(self, task: Task, held: Held) -> Context:
        return replace(self.subjected.for_source(task.stream.source), grant=held.grant, now=datetime.now(UTC))

    async def _may_fetch(self, task: Task) -> None:
        """The fetch gate: no request leaves after a withdrawal has committed, nor from a run that was overtaken."""
        run = self.run
        values = {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "consent": task.consent_id}
        async with self.equipment.database.work() as tx:
            row = (await tx.execute(_MAY_FETCH, {**values, "business": self.equipment.clock.now()})).one()
        if not row.mine:
            raise LeaseLost
        if not row.allowed:
            raise ConsentMissing

    async def _refresh(self, held: Held) -> None:
        async with self.refreshing:
            if self.held.epoch != held.epoch:
                return
            context = replace(self.subjected.context, grant=held.grant, now=datetime.now(UTC))
            try:
                run = self.run
                self.held = await grants.refresh(
                    self.equipment, self.calls, self.subjected.connector, context, run.customer_id, run.connection_id, held.epoch
                )
            except GrantRevoked as error:
                raise Reauthorise(str(error)) from None

    async def _commit(self, task: Task, cursor: Json | None, answer: _Answer) -> None:
        facts, refused = self._normalise(task, answer.page)
        covered = answer.page.covered
        if answer.end == "DONE" and covered is None:
            covered = (Interval(task.window.first, task.window.last),)
        step = Step(
            task.stream.name,
            task.window.first,
            cursor,
            answer.page.next,
            answer.end,
            len(answer.page.records),
            total=answer.page.total,
            covered=covered,
        )
        page = PageCommit(self.run, task.consent_id, self._raw(answer, cursor), step, facts, refused, self.equipment.clock.now())
        async with self.committing, self.equipment.database.work() as tx:
            await commit_page(tx, self.sealer, self.equipment.blind, page)

    def _normalise(self, task: Task, page: Page) -> tuple[list[tuple[int, object]], list[Refused]]:
        context = self._context(task, self.held)
        facts: list[tuple[int, object]] = []
        refused: list[Refused] = []
        for position, record in enumerate(page.records):
            try:
                facts += [(position, fact) for fact in task.stream.normalise(context, record)]
            except Unreadable as fault:
                refused.append(Refused(position, fault.path, fault.reason, record))
        return facts, refused

    def _raw(self, answer: _Answer, cursor: Json | None) -> RawPage:
        body = answer.response.body
        return RawPage(
            page_id=new_id(),
            request=self._described(answer.request, cursor),
            status=answer.response.status,
            content_type=answer.response.headers.get("content-type"),
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
            fetched_at=datetime.now(UTC),
        )

    def _described(self, request: Request, cursor: Json | None) -> dict[str, Any]:
        """The unsigned request as evidence. Its body may name the customer, so it is kept as a keyed hash."""
        described: dict[str, Any] = {"method": request.method, "path": request.path, "query": dict(request.query)}
        if request.body:
            described["body_hmac"] = self.equipment.blind.hash("request.body", request.body.decode("utf-8", "replace"))
        if cursor is not None and len(orjson.dumps(cursor)) <= 2000:
            described["cursor"] = cursor
        return described

    async def _fail(self, task: Task, reason: str) -> None:
        values = {"customer": self.run.customer_id, "connection": self.run.connection_id, "epoch": self.run.epoch, "reason": reason}
        async with self.equipment.database.work() as tx:
            await tx.execute(_FAIL, {**values, "stream": task.stream.name, "first": task.window.first})


def _give_up(state: RetryCallState) -> Any:
    assert state.outcome is not None
    raise state.outcome.exception() or Fault("unreachable")
