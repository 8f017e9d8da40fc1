"""Reads one window, page by page, until the platform says that it ends.

What a fault means for the window stands in :meth:`Reader.answer`; what it means for the whole run is an exception of the ``Stop`` family, caught by
the engine.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import text
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from hub.connect import (
    Context,
    ContractBroken,
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
)
from hub.domain.identifiers import new_id
from hub.errors import ConsentMissing, GrantRevoked, LeaseLost
from hub.errors import ContractBroken as BrokenContract
from hub.http import INTERACTION, PlatformUnreachable
from hub.store.pages import PageCommit, Run, Step, commit_page
from hub.sync import grants
from hub.sync.calls import LATE, Calls, too_slow
from hub.sync.context import Equipment, Subjected
from hub.sync.desk import Turn
from hub.sync.evidence import STUMBLES, fingerprint, raw_page, sort_records
from hub.sync.grants import Exchange, Held
from hub.sync.plan import Task
from hub.sync.quota import Park
from hub.sync.settings import Patience
from hub.vault import Sealer

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


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request as it was before it was signed, its interaction id, and what came back."""

    request: Request
    interaction: str
    response: Response


@dataclass(frozen=True, slots=True)
class _Answer:
    sent: _Sent
    page: Page
    end: str | None


class Reader:
    """The windows of one run share a grant, a sealer and a lock: their fetches overlap, their commits do not."""

    def __init__(
        self, equipment: Equipment, calls: Calls, patience: Patience, run: Run, subjected: Subjected, sealer: Sealer, held: Held
    ) -> None:
        self.equipment, self.calls, self.patience = equipment, calls, patience
        self.run, self.subjected, self.sealer, self.held = run, subjected, sealer, held
        self.interactive = subjected.awaited
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
        cursor, seen = task.cursor, {fingerprint(task.cursor)}
        while len(seen) <= self.patience.page_ceiling:
            answer = await self._answer(task, cursor)
            turned = fingerprint(answer.page.next)
            await self._commit(task, cursor, answer)
            if answer.end is not None:
                return
            if turned in seen:
                raise ContractBroken("the platform repeats its cursor")
            if answer.page.wait:
                await self._wait(answer.page.wait, "the platform works on it")
            cursor = answer.page.next
            seen.add(turned)
        raise ContractBroken(f"no end signal in {self.patience.page_ceiling} pages")

    async def _answer(self, task: Task, cursor: Json | None) -> _Answer:
        """One page's answer: waits, refreshes and repeats as the faults ask for."""
        waited, attempts, refreshed, doubted = 0.0, 0, False, False
        while True:
            held = self.held
            sent = await self._ask(task, cursor, held, repeated=attempts > 0 or doubted)
            try:
                page = self._read(task, cursor, held, sent.response)
                return _Answer(sent, page, "DONE" if page.next is None else None)
            except NoData as fault:
                covered = (Interval(task.window.first, task.window.last),) if fault.covered else ()
                return _Answer(sent, Page(covered=covered), "DONE" if fault.covered else "NOT_SERVED")
            except ContractBroken as fault:
                # A proxy may have cut the answer. What comes broken twice is the platform's: starting the window again would cost more than one call.
                if doubted or sent.response.status != 200 or not sent.request.idempotent:
                    raise
                doubted = True
                await self._wait(self._backoff(1), fault.reason)
            except Reauthorise:
                if not await self._was_replaced(held):
                    raise
            except RefreshNeeded as fault:
                if refreshed:
                    raise Misconfigured(f"refused with a fresh token: {fault.reason}", code=fault.code) from None
                refreshed = True
                await self._refresh(task, held)
            except Pending as fault:
                pause = max(fault.seconds, self.patience.first_wait)
                waited += pause
                if waited > self.patience.pending:
                    raise Park(max(60.0, pause), fault.reason) from None
                await self._wait(pause, fault.reason)
            except RetryAt as fault:
                attempts += 1
                await self.calls.park(self.subjected.connector, self.subjected.context.config, fault.seconds)
                if attempts >= self.patience.attempts:
                    raise Park(max(self.patience.shortest_park, fault.seconds or 0), fault.reason) from None
                await self._wait(self._backoff(attempts) if fault.seconds is None else fault.seconds, fault.reason)

    def _read(self, task: Task, cursor: Json | None, held: Held, response: Response) -> Page:
        """What the connector makes of an answer. One it stumbles over is a broken contract of this window, not the end of the run."""
        try:
            return task.stream.read(self._context(task, held), task.window, cursor, response)
        except STUMBLES as error:
            raise ContractBroken(f"reading the answer stumbled ({type(error).__name__})") from None

    def _backoff(self, attempts: int) -> float:
        """Full jitter: anything up to a bound that doubles."""
        return random.uniform(0, min(self.patience.longest_wait, self.patience.first_wait * 2**attempts))  # noqa: S311

    async def _wait(self, seconds: float, reason: str) -> None:
        if seconds > self.patience.longest_wait:
            raise Park(seconds, reason)
        await asyncio.sleep(seconds)

    async def _ask(self, task: Task, cursor: Json | None, held: Held, *, repeated: bool) -> _Sent:
        """Sends one request; repeats it with full jitter while the platform does not answer at all, if it may be sent twice."""
        policy = AsyncRetrying(
            retry=retry_if_exception(_may_repeat),
            stop=stop_after_attempt(self.patience.attempts),
            wait=wait_random_exponential(multiplier=self.patience.first_wait, max=self.patience.longest_wait),
            reraise=True,
        )
        async for attempt in policy:
            with attempt:
                return await self._send_once(task, cursor, held, repeated=repeated or attempt.retry_state.attempt_number > 1)
        raise AssertionError("unreachable: the policy returns or raises")

    async def _send_once(self, task: Task, cursor: Json | None, held: Held, *, repeated: bool) -> _Sent:
        """Consent, epoch and the time that is signed are those of the moment the request leaves, not of the moment it began to queue."""
        connector, config = self.subjected.connector, self.subjected.context.config
        for _ in range(LATE):
            async with self.calls.turn(connector, config, interactive=self.interactive, retry=repeated) as turn:
                await self._may_fetch(task)
                if not turn.late:
                    return await self._send(task, cursor, held, turn)
        raise too_slow()

    async def _send(self, task: Task, cursor: Json | None, held: Held, turn: Turn) -> _Sent:
        connector, context = self.subjected.connector, self._context(task, held)
        request, interaction = _next_request(task, context, cursor), str(new_id())
        signed = connector.sign(context, request)
        signed = replace(signed, headers=(*signed.headers, (INTERACTION, interaction)))
        try:
            return _Sent(request, interaction, await self.calls.send(connector, context.config, signed, turn))
        except PlatformUnreachable as error:
            error.facts["repeatable"] = request.idempotent or error.unsent
            raise

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

    async def _was_replaced(self, held: Held) -> bool:
        """Whether the grant that was refused is not the current one any more: then a race was lost, not the grant."""
        if self.held.epoch != held.epoch:
            return True
        try:
            async with self.equipment.database.work() as tx:
                current = await grants.read(self.equipment, tx, self.run.customer_id, self.run.connection_id)
        except GrantRevoked:
            return False
        self.held = current
        return current.epoch != held.epoch

    async def _refresh(self, task: Task, held: Held) -> None:
        async with self.refreshing:
            if self.held.epoch != held.epoch:
                return
            run, found = self.run, self.subjected
            context = replace(found.context, grant=held.grant, now=datetime.now(UTC))

            async def gate() -> None:
                await self._may_fetch(task)

            exchange = Exchange(self.equipment, self.calls, found.connector, context, run.customer_id, run.connection_id, gate)
            try:
                self.held = await grants.refresh(exchange, held.epoch)
            except GrantRevoked as error:
                raise Reauthorise(str(error)) from None

    async def _commit(self, task: Task, cursor: Json | None, answer: _Answer) -> None:
        sent, page = answer.sent, answer.page
        found = sort_records(task.stream, self._context(task, self.held), page)
        covered = page.covered
        if answer.end == "DONE" and covered is None:
            covered = (Interval(task.window.first, task.window.last),)
        step = Step(
            stream=task.stream.name,
            first_day=task.window.first,
            cursor=cursor,
            next=page.next,
            end=answer.end,
            fetched=len(page.records),
            total=page.total,
            covered=covered,
            silent=found.silent,
        )
        raw = raw_page(self.equipment.blind, sent.request, sent.response, cursor, sent.interaction)
        commit = PageCommit(self.run, task.consent_id, raw, step, found.facts, found.refused, self.equipment.clock.now())
        async with self.committing, self.equipment.database.work() as tx:
            await commit_page(tx, self.sealer, self.equipment.blind, commit)

    async def _fail(self, task: Task, reason: str) -> None:
        values = {"customer": self.run.customer_id, "connection": self.run.connection_id, "epoch": self.run.epoch, "reason": reason}
        async with self.equipment.database.work() as tx:
            await tx.execute(_FAIL, {**values, "stream": task.stream.name, "first": task.window.first})


def _next_request(task: Task, context: Context, cursor: Json | None) -> Request:
    """An unreadable checkpoint is an error of its window, never the same as none."""
    try:
        return task.stream.request(context, task.window, cursor)
    except STUMBLES as error:
        raise ContractBroken(f"the next request cannot be made from the checkpoint ({type(error).__name__})") from None


def _may_repeat(error: BaseException) -> bool:
    return isinstance(error, PlatformUnreachable) and bool(error.facts.get("repeatable"))
