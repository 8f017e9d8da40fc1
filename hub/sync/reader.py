"""Reads one window, page by page, until the platform says that it ends.

What a fault means for the window stands in :meth:`Reader._remedy`; what it means for the whole run is an exception that
the engine catches.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from hub.connect import (
    STUMBLES,
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
)
from hub.consent.bounds import Bounds, bounds_of
from hub.consent.gate import Ask, Use, decide
from hub.consent.grants import as_given
from hub.domain.identifiers import new_id
from hub.errors import ConsentMissing, FixConfiguration, GrantRevoked, LeaseLost, PlatformBusy
from hub.errors import ContractBroken as BrokenContract
from hub.http import INTERACTION, PlatformUnreachable
from hub.store.pages import PageCommit, Ready, Run, Step, ready, write_page
from hub.sync import grants
from hub.sync.calls import LATE, Calls, too_slow
from hub.sync.context import Equipment, Subjected, kinds_of
from hub.sync.desk import Turn
from hub.sync.evidence import fingerprint, raw_page, sort_slowly, without
from hub.sync.grants import Exchange, Held
from hub.sync.halting import Hand
from hub.sync.journal import Attempt, Journal, Place
from hub.sync.passes import Pass, failing, tells_deletions, write_last
from hub.sync.plan import Task
from hub.sync.quota import Park
from hub.sync.remedies import Remedy, Tried, remedy_of
from hub.sync.settings import Patience
from hub.sync.shapes import Shapes
from hub.sync.writing import Fetching, Writing
from hub.vault import Sealer

_CONSENT = (
    "source", "grantee", "purpose", "scenarios", "status", "data_from", "data_to", "expires_at", "kinds", "mode", "fetch_type", "fetches_per_day",
    "data_life_days",
)  # fmt: skip
_MAY_FETCH = f"""
    SELECT EXISTS (SELECT 1 FROM connection WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND epoch = %(epoch)s) AS mine,
        {", ".join(f"s.{name}" for name in _CONSENT)}
    FROM (SELECT 1) one LEFT JOIN consent s ON s.customer_id = %(customer)s AND s.consent_id = %(consent)s
"""  # noqa: S608 -- our own text


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request as it was before it was signed, its interaction id, and what came back."""

    request: Request
    interaction: str
    response: Response
    repeated: bool = False

    @property
    def attempt(self) -> Attempt:
        return Attempt(self.interaction, self.response.status, self.repeated)


@dataclass(frozen=True, slots=True)
class _Answer:
    sent: _Sent
    page: Page
    end: str | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A page, and the same as the parameters of its statements."""

    page: PageCommit
    ready: Ready


class Reader:
    """The windows of one run share a grant, a sealer and a lock: their fetches overlap, their commits do not."""

    def __init__(
        self,
        equipment: Equipment,
        calls: Calls,
        patience: Patience,
        run: Run,
        subjected: Subjected,
        sealer: Sealer,
        held: Held,
        hand: Hand | None = None,
    ) -> None:
        self.equipment, self.calls, self.patience = equipment, calls, patience
        self.run, self.subjected, self.sealer, self.held = run, subjected, sealer, held
        self.hand, self.interactive = hand or Hand(), subjected.awaited
        self.journal = Journal(equipment.database, run)
        self.shapes = Shapes(equipment.database, subjected.connector.manifest.name)
        self.committing, self.refreshing = asyncio.Lock(), asyncio.Lock()
        self.bounds: dict[UUID, Bounds] = {}

    async def read(self, task: Task) -> None:
        """One window to its end. Raises Park, Reauthorise, Misconfigured, PlatformUnreachable, LeaseLost: the run is over."""
        try:
            await self._pages(task)
        except (NotPermitted, ContractBroken, BrokenContract) as fault:
            await self._fail(task, f"{type(fault).__name__}: {fault}")
        except Park as park:
            await self.journal.parked(_place(task), park.seconds, park.reason)
            raise
        except ConsentMissing:
            # Withdrawn meanwhile: the window stays as it is, other sources go on.
            return

    async def _pages(self, task: Task) -> None:
        """The next page is fetched while the last one is taken apart and committed; what it turns out to be comes to light only after that."""
        cursor, seen, left = task.cursor, {fingerprint(task.cursor)}, self.patience.page_ceiling
        async with Writing() as writing, Fetching[_Answer]() as fetching:
            fetching.begin(self._answer(task, cursor))
            while left:
                answer, left = await fetching.come(), left - 1
                following, turned = answer.page.next, fingerprint(answer.page.next)
                goes_on = answer.end is None and turned not in seen and not answer.page.wait
                await writing.failing()
                if goes_on and left:
                    fetching.begin(self._answer(task, following))
                made = await self._made(task, cursor, answer)
                await writing.over()
                writing.begin(self._commit(task, answer, made))
                if answer.end is not None:
                    if not await writing.over():
                        return
                    # The list moved while it was read: once more from its beginning.
                    following, turned, seen, left = None, fingerprint(None), set(), self.patience.page_ceiling
                elif turned in seen:
                    raise ContractBroken("the platform repeats its cursor")
                elif answer.page.wait:
                    await self._wait(task, answer.page.wait, "the platform works on it")
                if left and not goes_on:
                    fetching.begin(self._answer(task, following))
                cursor = following
                seen.add(turned)
        raise ContractBroken(f"no end signal in {self.patience.page_ceiling} pages")

    async def _answer(self, task: Task, cursor: Json | None) -> _Answer:
        """One page's answer: waits, refreshes and repeats as the faults ask for."""
        tried = Tried()
        while True:
            held = await self._fresh(task)
            sent = await self._ask(task, cursor, held, repeated=tried.repeats)
            try:
                page = self._read(task, cursor, held, sent.response)
                await self._proved(held)
                return _Answer(sent, page, "DONE" if page.next is None else None)
            except NoData as fault:
                covered = (Interval(task.window.first, task.window.last),) if fault.covered else ()
                return _Answer(sent, Page(covered=covered), "DONE" if fault.covered else "NOT_SERVED")
            except Fault as fault:
                remedy = remedy_of(fault, sent.request, sent.response, tried, self.patience)
                await self.journal.failed(_place(task), sent.attempt, fault, remedy.pause)
                await self._remedy(task, held, fault, tried, remedy)
                if remedy.park:
                    raise Park(remedy.park, fault.reason) from None
                await asyncio.sleep(remedy.pause)

    async def _remedy(self, task: Task, held: Held, fault: Fault, tried: Tried, remedy: Remedy) -> None:
        """Does what a fault asks for before the request is repeated. Raises what ends the window or the run."""
        match fault:
            case ContractBroken() if remedy.doubt:
                tried.doubted = True
            case Reauthorise() if await self._was_replaced(held):
                return
            case RefreshNeeded() if not tried.refreshed:
                tried.refreshed = True
                await self._refresh(task, held)
            case RefreshNeeded():
                raise Misconfigured(f"refused with a fresh token: {fault.reason}", code=fault.code) from None
            case Pending():
                tried.waited += remedy.pause
            case RetryAt():
                tried.attempts += 1
                await self.calls.park(self.subjected.connector, self.subjected.context.config, fault.seconds)
            case _:
                raise fault

    def _read(self, task: Task, cursor: Json | None, held: Held, response: Response) -> Page:
        """What the connector makes of an answer. One it stumbles over is a broken contract of this window, not the end of the run."""
        try:
            return task.stream.read(self._context(task, held), task.window, cursor, response)
        except STUMBLES as error:
            raise ContractBroken(f"reading the answer stumbled ({type(error).__name__})") from None

    async def _wait(self, task: Task, seconds: float, reason: str) -> None:
        """A pause that the platform asked for with a page."""
        if seconds > self.patience.longest_wait:
            raise Park(seconds, reason)
        await self.journal.waits(_place(task), seconds, reason)
        await asyncio.sleep(seconds)

    async def _ask(self, task: Task, cursor: Json | None, held: Held, *, repeated: bool) -> _Sent:
        """Sends one request; repeats it with full jitter while the platform does not answer at all, if it may be sent twice."""
        try:
            return await self._send_once(task, cursor, held, repeated=repeated)
        except PlatformUnreachable as error:
            unanswered = error
        # What repeats is made for the few calls that are not answered: making it costs as much as a call's headers.
        policy = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, PlatformUnreachable) and bool(error.facts.get("repeatable"))),
            stop=stop_after_attempt(self.patience.attempts),
            wait=wait_random_exponential(multiplier=self.patience.first_wait, max=self.patience.longest_wait),
            reraise=True,
        )
        async for attempt in policy:
            with attempt:
                if attempt.retry_state.attempt_number == 1:
                    raise unanswered
                return await self._send_once(task, cursor, held, repeated=True)
        raise AssertionError("unreachable: the policy returns or raises")

    async def _send_once(self, task: Task, cursor: Json | None, held: Held, *, repeated: bool) -> _Sent:
        """Consent, epoch and the time that is signed are those of the moment the request leaves, not of the moment it began to queue."""
        connector, config, began = self.subjected.connector, self.subjected.context.config, asyncio.get_running_loop().time()
        named = False
        for _ in range(LATE):
            async with self.calls.turn(connector, config, interactive=self.interactive, retry=repeated) as turn:
                queued = asyncio.get_running_loop().time() - began
                await self._may_fetch(task)
                sent = None if turn.late else await self._send(task, cursor, held, turn, repeated=repeated)
            if sent is None:
                continue
            if named or not self.calls.wants_nonce(connector, sent.response):
                await self.journal.queued(_place(task), queued)
                return sent
            named = True
        raise too_slow()

    async def _send(self, task: Task, cursor: Json | None, held: Held, turn: Turn, *, repeated: bool) -> _Sent:
        connector, context = self.subjected.connector, self._context(task, held)
        request, interaction = _next_request(task, context, cursor), str(new_id())
        signed = connector.sign(context, request)
        signed = replace(signed, headers=(*signed.headers, (INTERACTION, interaction)))
        try:
            async with self.hand.calling():
                return _Sent(request, interaction, await self.calls.send(connector, context.config, signed, turn), repeated)
        except PlatformUnreachable as error:
            error.facts["repeatable"] = request.idempotent or error.unsent
            await self.journal.failed(_place(task), Attempt(interaction, repeated=repeated), error)
            raise

    def _context(self, task: Task, held: Held) -> Context:
        return self.calls.current(self.subjected.connector, self.subjected.for_source(task.stream.source), grant=held.grant)

    async def _may_fetch(self, task: Task) -> None:
        """The fetch gate: no request leaves that the consent does not cover as it stands now, nor from a run that was overtaken."""
        run, equipment, stream = self.run, self.equipment, task.stream
        values = {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "consent": task.consent_id}
        mine, *found = await equipment.database.glance(_MAY_FETCH, values)
        if not mine:
            raise LeaseLost
        given = None if found[0] is None else as_given(dict(zip(_CONSENT, found, strict=True)))
        purpose, window = given.purpose if given else "", task.window
        ask = Ask(stream.source, equipment.grantee, purpose, None, window.first, window.last, Use.FETCH, kinds_of(stream))
        decision = decide(given, ask, equipment.clock.now())
        if not decision.allowed:
            raise ConsentMissing(reason=decision.denial)
        if given is not None:
            self.bounds[task.consent_id] = bounds_of(given)

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

    async def _fresh(self, task: Task) -> Held:
        """The grant, refreshed when most of its life is over: before a call, not after a refusal."""
        if self.held.ripe:
            async with self.refreshing:
                self.held = await self._early(task, self.held)
        return self.held

    async def _early(self, task: Task, held: Held) -> Held:
        """A platform that cannot refresh now is no reason to stop, the token still lives: this version is then refreshed when it is refused."""
        try:
            if not held.ripe:
                return held
            if grants.refreshable(self.subjected.connector, self._context(task, held)):
                return await self._renewed(task, held)
        except (PlatformBusy, FixConfiguration, BrokenContract):
            pass
        return replace(held, refresh_at=None)

    async def _proved(self, held: Held) -> None:
        """The first answer to a new token lets go of the pair before."""
        if not held.proven and self.held is held:
            self.held = replace(held, proven=True)
            await grants.prove(self.equipment, self.run.customer_id, self.run.connection_id, held)

    async def _refresh(self, task: Task, held: Held) -> None:
        async with self.refreshing:
            if self.held.epoch == held.epoch:
                self.held = await self._renewed(task, held)

    async def _renewed(self, task: Task, held: Held) -> Held:
        run, found = self.run, self.subjected
        context = replace(found.context, grant=held.grant, now=datetime.now(UTC))

        async def gate() -> None:
            await self._may_fetch(task)

        exchange = Exchange(self.equipment, self.calls, found.connector, context, run.customer_id, run.connection_id, gate)
        try:
            return await grants.refresh(exchange, held.epoch)
        except GrantRevoked as error:
            raise Reauthorise(str(error)) from None

    async def _made(self, task: Task, cursor: Json | None, answer: _Answer) -> _Made:
        """Everything about a page that can be done before it is its turn to be committed."""
        sent, page = answer.sent, answer.page
        bounds = self.bounds[task.consent_id]
        found = await sort_slowly(task.stream, self._context(task, self.held), page, self.equipment.blind, bounds)
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
            rejected=len(found.rejected),
            total=page.total,
            covered=covered,
            silent=found.silent,
            restart=page.restart,
            keyed=tells_deletions(self.subjected.connector, task.stream),
        )
        raw = raw_page(self.equipment.blind, sent.request, sent.response, cursor, sent.interaction, sent.repeated)
        raw = without(raw, page.records, found.rejected)
        now = self.equipment.clock.now()
        commit = PageCommit(self.run, task.consent_id, raw, step, found.batch, found.refused, now, page.records, bounds, found.outside)
        return _Made(commit, ready(self.sealer, self.equipment.blind, commit))

    async def _commit(self, task: Task, answer: _Answer, made: _Made) -> bool:
        """Whether the window is to be read once more from its beginning."""
        page, step, again = made.page, made.page.step, False
        async with self.hand.committing(), self.committing:
            if answer.end == "DONE" and (step.keyed or not step.alone):
                ended = Pass(self.run, self.subjected.connector, task.stream, task.window, page.business, page.bounds)
                again = await write_last(self.equipment.database, made.ready, ended)
            else:
                begun = self.equipment.database.begun()
                await write_page(begun.exchange, begun.first, made.ready, begun.last)
        await self.shapes.look(task.stream.name, page.records, [one.record for one in page.refused])
        return again

    async def _fail(self, task: Task, reason: str) -> None:
        values = {"customer": self.run.customer_id, "connection": self.run.connection_id, "epoch": self.run.epoch, "reason": reason}
        async with self.equipment.database.work() as tx:
            await tx.execute(failing(self.run), {**values, "stream": task.stream.name, "first": task.window.first})


def _place(task: Task) -> Place:
    return Place(task.stream.name, task.window.first)


def _next_request(task: Task, context: Context, cursor: Json | None) -> Request:
    """An unreadable checkpoint is an error of its window, never the same as none."""
    try:
        return task.stream.request(context, task.window, cursor)
    except STUMBLES as error:
        raise ContractBroken(f"the next request cannot be made from the checkpoint ({type(error).__name__})") from None
