"""Where a process's calls to one platform credential queue for the quota ledger.

One statement at a time asks for everybody who waits, so that more waiters cost no more statements; while calls come fast it also reserves a few ahead,
which are good for ``LIFE`` seconds and given back unused. Interactive calls are asked for first. What is to be reported (places that became free, outcomes,
what the platform says is left) travels with the next statement, or with one of its own when no call follows within ``LINGER``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from hub.connect import Connector, Response
from hub.domain.identifiers import new_id
from hub.store.database import STORE_ERRORS
from hub.sync.breaker import is_failure
from hub.sync.quota import EDGE, SLACK, Answer, Ask, CircuitOpen, Ledger, Limits, Park, configured, left_of

log = structlog.get_logger("hub.quota")

LIFE = 0.1
"""Seconds for which a reserved call is good at this desk; the rest of the ledger's slack is for its way to the platform."""
LATEST = SLACK - 0.05
"""Seconds after its reservation at which a call must have left."""
LINGER = 0.1
"""Seconds that a report waits for company."""
FRESH = EDGE / 2
"""Seconds for which a reserved call can be given back: none is reserved in the last second of a minute or a day."""
AHEAD = 32
ASKING = 5.0
"""Seconds the ledger may take to answer."""


@dataclass(eq=False, slots=True)
class Turn:
    """One call that may leave now. ``worked`` is what came of it: None while nothing was sent."""

    at: float
    retry: bool = False
    probe: bool = False
    sent: bool = False
    worked: bool | None = None

    @property
    def late(self) -> bool:
        """Whether it waited for so long since its reservation that it would meet its successors at the platform."""
        return asyncio.get_running_loop().time() - self.at > LATEST


@dataclass(eq=False, slots=True)
class _Waiter:
    interactive: bool
    retry: bool
    deadline: float
    turn: asyncio.Future[Turn] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Counter(Protocol):
    """Where turns are taken."""

    def turn(self, *, interactive: bool = False, retry: bool = False) -> AbstractAsyncContextManager[Turn]: ...

    def answered(self, turn: Turn, response: Response | None) -> None: ...

    async def park(self, seconds: float) -> None: ...


class Desk:
    """See the module. One per process and platform credential."""

    def __init__(self, ledger: Ledger, connector: Connector, config: Mapping[str, str]) -> None:
        self.ledger, self.holder, self.name = ledger, str(new_id()), connector.manifest.name
        self.quota = configured(connector.manifest.quota, config)
        self.credential, self.limits = ledger.key(connector, config), Limits.of(self.quota)
        self._waiting: list[_Waiter] = []
        self._held = self._busy = self._spare = self._ahead = 0
        self._spare_at = self._asked_at = 0.0
        self._why = "SILENT"
        self._report, self._urgent, self._dirty = Ask(), False, False
        self._wake, self._for_places, self._resting = asyncio.Event(), False, False
        self._loop: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, *, interactive: bool = False, retry: bool = False) -> AsyncIterator[Turn]:
        """Waits for a call's turn. Raises Park where that would take too long, or nothing may leave."""
        turn = await self._take(interactive, retry)
        try:
            yield turn
        finally:
            self._leave(turn)

    def answered(self, turn: Turn, response: Response | None) -> None:
        """Notes what came of a call: an answer, or None where there was none."""
        turn.worked = response is not None and not is_failure(response.status)
        if response is None or (left := left_of(self.quota, response.headers)) is None or self.quota.remaining is None:
            return
        window = self.quota.remaining.window
        self._report = replace(self._report, left={**self._report.left, window: min(left, self._report.left.get(window, left))})
        self._dirty = True

    async def park(self, seconds: float) -> None:
        """The platform asks everybody to wait: told at once."""
        if seconds > 0:
            self._report = replace(self._report, park=max(seconds, self._report.park))
            self._spare, self._urgent, self._dirty = 0, True, True
            self._run()

    async def close(self) -> None:
        """Reports what is left to report; nobody may be waiting any more."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
        for waiter in self._waiting:
            waiter.turn.cancel()
        if self._dirty:
            self._held = self._busy
            await self._ask(())

    async def _take(self, interactive: bool, retry: bool) -> Turn:
        now = asyncio.get_running_loop().time()
        waiter = _Waiter(interactive, retry, now + self.ledger.rules.patience)
        behind = sum(one.interactive for one in self._waiting) if interactive else len(self._waiting)
        self._waiting.insert(behind, waiter)
        self._hand_out()
        if not waiter.turn.done():
            self._run(wake=interactive)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def _forget(self, waiter: _Waiter) -> None:
        """A caller that was cancelled gives back what it may just have been given."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self._leave(waiter.turn.result())

    def _leave(self, turn: Turn) -> None:
        if turn.sent and turn.worked is None:
            # Given up while it was under way: the platform may still be at work on it, as on the calls of a process that was killed.
            asyncio.get_running_loop().call_later(self.ledger.rules.lease, self._free)
        else:
            self._busy -= 1
        self._dirty = True
        if not turn.sent:
            self._give_back(turn.at, 1, retries=int(turn.retry))
        if turn.worked is False:
            self._report, self._urgent = replace(self._report, fails=self._report.fails + 1), True
        elif turn.worked:
            self._report = replace(self._report, fails=0, ok=True)
        if turn.probe:
            outcome = {True: "ok", False: "failed", None: "unused"}[turn.worked]
            self._report, self._urgent = replace(self._report, probe=outcome), True
        self._hand_out()
        self._run(wake=self._for_places)

    def _free(self) -> None:
        """The place of a call that was given up is nobody's any more."""
        self._busy -= 1
        self._dirty = True
        self._run(wake=self._for_places)

    def _hand_out(self) -> None:
        """Starts calls that were reserved ahead, while they are good."""
        loop = asyncio.get_running_loop()
        if self._spare and loop.time() - self._spare_at > LIFE:
            self._give_back(self._spare_at, self._spare)
            self._spare, self._dirty = 0, True
        while self._spare and self._busy < self._held and self._waiting and not self._waiting[0].retry:
            self._spare -= 1
            self._start(self._waiting[0], Turn(self._spare_at))

    def _give_back(self, reserved_at: float, calls: int, retries: int = 0) -> None:
        """Calls that never left, ``retries`` of them, may leave later, unless the minute or day they were counted in may be over: then they are spent."""
        if asyncio.get_running_loop().time() - reserved_at < FRESH:
            self._report = replace(self._report, back=self._report.back + calls, back_retries=self._report.back_retries + retries)

    def _start(self, waiter: _Waiter, turn: Turn) -> None:
        self._waiting.remove(waiter)
        self._busy += 1
        waiter.turn.set_result(turn)

    def _run(self, *, wake: bool = False) -> None:
        """Sees that somebody asks the ledger: there is something to want or to report."""
        if self._loop is None or self._loop.done():
            self._wake.clear()
            self._loop = asyncio.create_task(self._serve())
            self._loop.add_done_callback(self._broken)
        elif wake or self._urgent or self._resting or len(self._waiting) == 1:
            self._wake.set()

    def _broken(self, loop: asyncio.Task[None]) -> None:
        """Whoever waits hears of an error in here, instead of waiting for ever."""
        error = None if loop.cancelled() else loop.exception()
        for waiter in list(self._waiting) if error is not None else ():
            self._waiting.remove(waiter)
            if error is not None and not waiter.turn.done():
                waiter.turn.set_exception(error)

    async def _serve(self) -> None:
        """Asks until nobody waits, nothing is left to say and no call is under way: until then its places are leased anew in time."""
        while self._waiting or self._dirty or self._busy:
            self._hand_out()
            if not self._waiting and not self._urgent and await self._rest():
                continue
            self._hand_out()
            self._expire()
            answer = await self._ask(self._group())
            if answer is not None and answer.reason and self._refuse(answer):
                self._for_places = answer.reason == "PLACES"
                await self._pause(min(answer.wait, 5.0) + random.uniform(0, 0.02))  # noqa: S311
                self._for_places = False

    async def _rest(self) -> bool:
        """Waits for company, or until the lease must be renewed; not so long while there are reserved calls that grow old. Whether something happened before."""
        self._resting = not self._dirty and not self._spare
        woken = await self._pause(self.ledger.rules.lease / 3 if self._resting else LINGER)
        self._resting = False
        return woken

    async def _pause(self, seconds: float) -> bool:
        """Whether something happened before the time was over."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def _group(self) -> list[_Waiter]:
        """Those in front who want the same."""
        if not self._waiting:
            return []
        first = self._waiting[0]
        return [one for one in self._waiting if (one.interactive, one.retry) == (first.interactive, first.retry)]

    async def _ask(self, group: Sequence[_Waiter]) -> Answer | None:
        """One statement for the whole group. None where the ledger cannot be asked: no call leaves."""
        loop = asyncio.get_running_loop()
        ask, sent = self._compose(group), loop.time()
        try:
            async with asyncio.timeout(ASKING):
                answer = await self.ledger.ask(self.name, self.credential, self.holder, self.limits, ask)
        except (*STORE_ERRORS, OSError, TimeoutError) as error:
            await self._fail_closed(ask, error)
            return None
        self._held += answer.places
        self._give(group, answer, sent)
        return answer

    def _compose(self, group: Sequence[_Waiter]) -> Ask:
        """What is reported and wanted. Places without a call of their own go back with it: who waits for a call must not keep others from
        theirs."""
        self._held = min(self._held, self._busy + self._spare)
        first, now = group[0] if group else None, asyncio.get_running_loop().time()
        # Calls come fast when statements follow each other within the life of a reserved call: then more are reserved with the next.
        self._ahead = min(AHEAD, max(1, 2 * self._ahead)) if now - self._asked_at < LIFE else self._ahead // 2
        self._asked_at = now
        ask = replace(
            self._report,
            keep=self._held,
            want=len(group),
            ahead=0 if first is None or first.retry else self._ahead,
            interactive=first is not None and first.interactive,
            retry=first is not None and first.retry,
        )
        self._report, self._urgent, self._dirty = Ask(), False, False
        return ask

    def _give(self, group: Sequence[_Waiter], answer: Answer, sent: float) -> None:
        """Hands the reserved calls to those who still wait; what is over stays for whoever comes next, if it is not too old already."""
        calls, now, retry = answer.calls, asyncio.get_running_loop().time(), bool(group and group[0].retry)
        if now - sent <= LIFE:
            for waiter in [one for one in group if one in self._waiting][: min(calls, self._held - self._busy)]:
                self._start(waiter, Turn(sent, retry, answer.probe))
                calls -= 1
            if calls and not answer.probe and not retry:
                self._spare, self._spare_at, calls = self._spare + calls, sent, 0
        if calls:
            self._give_back(sent, calls, retries=calls if retry else 0)
            self._report = replace(self._report, probe="unused" if answer.probe else self._report.probe)
        self._dirty = self._dirty or self._held > self._busy
        self._urgent = self._urgent or bool(calls)

    def _refuse(self, answer: Answer) -> bool:
        """Sends away those for whom waiting is of no use. Whether anybody still waits."""
        self._why = answer.reason
        now = asyncio.get_running_loop().time()
        for waiter in list(self._waiting):
            hopeless = answer.reason == "CIRCUIT" or (answer.reason == "RETRIES" and waiter.retry)
            if hopeless or now + (answer.wait if answer.reason in ("PARKED", "WINDOW") else 0) > waiter.deadline:
                kind = CircuitOpen if answer.reason == "CIRCUIT" else Park
                self._reject(waiter, kind(max(1.0, answer.wait), _REASONS[answer.reason]))
        return bool(self._waiting)

    def _expire(self) -> None:
        """Sends away those who have waited for too long, whatever it was for."""
        now = asyncio.get_running_loop().time()
        for waiter in [one for one in self._waiting if now > one.deadline]:
            self._reject(waiter, Park(5.0 if self._why in ("RATE", "PLACES") else 30.0, _REASONS[self._why]))

    def _reject(self, waiter: _Waiter, park: Park) -> None:
        self._waiting.remove(waiter)
        if not waiter.turn.done():
            waiter.turn.set_exception(park)

    async def _fail_closed(self, ask: Ask, error: Exception) -> None:
        """Keeps the report for the next attempt, but nothing that would give calls back: it may have been heard."""
        log.warning("quota_ledger_silent", connector=self.name, kind=type(error).__name__)
        self._report, self._dirty = _merged(self._report, ask), True
        self._why = "SILENT"
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311


_REASONS = {
    "PARKED": "the platform asked everybody to wait",
    "CIRCUIT": "the platform does not answer; a probe will tell when it does",
    "RETRIES": "the platform fails so often that retries are used up for this minute",
    "WINDOW": "the platform's quota is used up for this minute or day",
    "RATE": "the platform's quota is wanted by too many",
    "PLACES": "too many calls are in flight at the platform",
    "SILENT": "the quota ledger cannot be asked",
}


def _merged(now: Ask, before: Ask) -> Ask:
    """A report that was not heard, and what has been added since."""
    left = {**before.left, **{window: min(count, before.left.get(window, count)) for window, count in now.left.items()}}
    fails = now.fails if now.ok else now.fails + before.fails
    ok, probe = now.ok or before.ok, now.probe or before.probe
    return replace(now, left=left, park=max(now.park, before.park), fails=fails, ok=ok, probe=probe)


class Desks:
    """The desks of this process; close them at its end."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._desks: dict[tuple[str, str, Limits], Desk] = {}
        self._known: dict[tuple[object, ...], Desk] = {}

    def desk(self, connector: Connector, config: Mapping[str, str]) -> Counter:
        """The desk of a connector's credential; another one when its quota was configured anew."""
        # To look a credential up costs a keyed hash, and every call asks twice.
        asked = (connector.manifest.name, connector.manifest.quota, *config.items())
        if (desk := self._known.get(asked)) is None:
            desk = self._known[asked] = self._found(connector, config)
        return desk

    def _found(self, connector: Connector, config: Mapping[str, str]) -> Desk:
        limits = Limits.of(configured(connector.manifest.quota, config))
        key = (connector.manifest.name, self.ledger.key(connector, config), limits)
        if key not in self._desks:
            self._desks[key] = Desk(self.ledger, connector, config)
        return self._desks[key]

    async def close(self) -> None:
        for desk in self._desks.values():
            await desk.close()


class _Free:
    """A desk that nobody queues at."""

    @asynccontextmanager
    async def turn(self, *, interactive: bool = False, retry: bool = False) -> AsyncIterator[Turn]:
        yield Turn(asyncio.get_running_loop().time())

    def answered(self, turn: Turn, response: Response | None) -> None:
        turn.worked = response is not None

    async def park(self, seconds: float) -> None:
        return


class Unmetered:
    """For a simulated platform of one's own, where there is no ledger and nothing to protect."""

    def desk(self, connector: Connector, config: Mapping[str, str]) -> Counter:
        return _Free()

    async def close(self) -> None:
        return
