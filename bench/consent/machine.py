"""Lives of a consent as hypothesis makes them up. After each step the judge must find nothing that was fetched or read outside."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bench.consent.model import Held, Model
from bench.consent.world import PURPOSES, World
from hub.consent import clock, grants
from hub.consent.narrowing import Narrower, narrow
from hub.domain.enums import SourceKind
from hub.domain.facts import all_specs
from hub.domain.periods import CHINA, china_day
from hub.errors import HubError

T = TypeVar("T")
OTHERS = tuple(sorted(spec.name for spec in all_specs() if spec.source is SourceKind.SHOP and spec.name != "Refund"))
STEPS = 8


class Outside(AssertionError):
    """Something was fetched or read that no consent covers."""


class Life(RuleBasedStateMachine):
    """See the module. ``tally`` counts what all lives did."""

    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]
    tally: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.model, self.ids, self.outside = Model(), dict[int, UUID](), list[str]()
        self.customer, self.connection = self.do(self.world.enter())
        self.tally["lives"] += 1

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def judged(self) -> None:
        if self.outside:
            raise Outside("; ".join(self.outside))

    @initialize(renew=st.booleans())
    def begins(self, renew: bool) -> None:
        self.do(self._grant(PURPOSES[0], renew))

    @rule(purpose=st.sampled_from(PURPOSES), renew=st.booleans())
    def grant(self, purpose: str, renew: bool) -> None:
        self.do(self._grant(purpose, renew))

    async def _grant(self, purpose: str, renew: bool) -> None:
        row = await self.world.grant(self.customer, purpose, renew=renew)
        life = timedelta(days=row["data_life_days"])
        held = Held(purpose, row["data_from"], row["data_to"], row["expires_at"], life, set(row["scenarios"]))
        if self.model.grant(held, self.world.now, renew=renew):
            self.ids[id(held)] = row["consent_id"]
            self.tally["granted"] += 1
        given = self.model.given(purpose)
        assert given is not None and self.ids[id(given)] == row["consent_id"], "asked again, or not, as the rules say"

    @rule(purpose=st.sampled_from(PURPOSES))
    def pause(self, purpose: str) -> None:
        self.do(self._step("paused", grants.pause, purpose, ("GIVEN",), "PAUSED"))

    @rule(purpose=st.sampled_from(PURPOSES))
    def resume(self, purpose: str) -> None:
        self.do(self._step("resumed", grants.resume, purpose, ("PAUSED",), "GIVEN"))

    @rule(purpose=st.sampled_from(PURPOSES))
    def withdraw(self, purpose: str) -> None:
        self.do(self._step("withdrawn", grants.withdraw, purpose, ("GIVEN", "PAUSED"), "ENDED"))

    async def _step(self, name: str, step: Callable[..., Awaitable[None]], purpose: str, before: tuple[str, ...], after: str) -> None:
        held = self.model.given(purpose)
        if held is None:
            return
        late = name == "resumed" and held.ends <= self.world.now
        done = await self._tried(held, lambda tx, consent_id: step(tx, self.customer, consent_id, self.world.now))
        assert done is (held.state in before and not late), f"{held.state} {name}: {done}"
        if done:
            held.state = after
            self.tally[name] += 1

    async def _tried(self, held: Held, work: Callable[[Any, UUID], Awaitable[None]]) -> bool:
        try:
            async with self.world.database.work() as tx:
                await work(tx, self.ids[id(held)])
        except HubError:
            return False
        return True

    @rule(
        purpose=st.sampled_from(PURPOSES),
        first=st.none() | st.integers(-6, 3),
        last=st.none() | st.integers(-3, 3),
        life=st.none() | st.sampled_from([1, 5, 40]),
        ends=st.none() | st.integers(1, 60),
        kind=st.sampled_from([True, True, True, False]),
    )
    def narrower(self, purpose: str, first: int | None, last: int | None, life: int | None, ends: int | None, kind: bool) -> None:
        self.do(self._narrow(purpose, first, last, life, ends, kind))

    async def _narrow(self, purpose: str, first: int | None, last: int | None, life: int | None, ends: int | None, kind: bool) -> None:
        held, today = self.model.given(purpose), china_day(self.world.now)
        if held is None:
            return
        days = [None if one is None else today + timedelta(days=one) for one in (first, last, ends)]
        kinds = None if kind else OTHERS
        wanted = Narrower(None, kinds, days[0], days[1], life, days[2])
        done = await self._tried(held, lambda tx, consent_id: narrow(tx, self.customer, consent_id, wanted, self.world.now))
        after = Held(held.purpose, days[0] or held.first, days[1] or held.last, held.ends, held.life, held.scenarios, held.state)
        if days[2] is not None:
            after.ends = after.ends.combine(days[2], after.ends.max.time(), CHINA)
        after.life, after.fetches = held.life if life is None else timedelta(days=life), held.fetches and kind
        smaller = held.first <= after.first <= after.last <= held.last and after.ends <= held.ends and after.life <= held.life
        assert done is (smaller and after != held and self.world.now < held.ends), f"narrowed: {done}"
        if done:
            vars(held).update(vars(after))
            self.tally["narrowed"] += 1

    @rule(days=st.sampled_from([0, 1, 2, 7, 40, 100]), hours=st.integers(0, 23))
    def wait(self, days: int, hours: int) -> None:
        self.world.now += timedelta(days=days, hours=hours)

    @rule()
    def clock_is_looked_at(self) -> None:
        while self.do(clock.expire_due(self.world.database, self.world.now)) == clock.AT_ONCE:
            pass
        self.model.run_out(self.world.now)

    @rule(purpose=st.sampled_from(PURPOSES), days=st.sampled_from([0, 0, 1, 6]))
    def sync(self, purpose: str, days: int) -> None:
        """And a look at what came of it, perhaps some days later."""
        self.do(self._sync(0, self._nothing))
        self.world.now += timedelta(days=days)
        self.do(self._read(purpose))

    @rule(
        page=st.integers(1, 2),
        what=st.sampled_from(["narrow", "withdraw", "narrow", "pause", "kind", "wait"]),
        purpose=st.sampled_from(PURPOSES),
    )
    def sync_meanwhile(self, page: int, what: str, purpose: str) -> None:
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "withdraw": lambda: self._step("withdrawn", grants.withdraw, purpose, ("GIVEN", "PAUSED"), "ENDED"),
            "pause": lambda: self._step("paused", grants.pause, purpose, ("GIVEN",), "PAUSED"),
            "narrow": lambda: self._narrow(purpose, None, -2, None, None, True),
            "kind": lambda: self._narrow(purpose, None, None, None, None, False),
            "wait": self._much_later,
        }
        self.do(self._sync(page, steps[what]))

    async def _nothing(self) -> None:
        return

    async def _much_later(self) -> None:
        self.world.now += timedelta(days=60)

    async def _sync(self, at: int, change: Callable[[], Awaitable[None]]) -> None:
        heard = 0

        async def hears(day: date) -> None:
            nonlocal heard
            heard += 1
            self.tally["fetches"] += 1
            if not self.model.may_fetch(day, self.world.now):
                self.tally["fetched outside"] += 1
                self.outside.append(f"{day} was fetched at {self.world.now}")
            if heard == at:
                await change()

        self.world.platform.hears = hears
        await self.world.sync(self.customer, self.connection)
        self.tally["syncs"] += 1
        self.judged()

    @rule(purpose=st.sampled_from(PURPOSES))
    def read(self, purpose: str) -> None:
        self.do(self._read(purpose))

    async def _read(self, purpose: str) -> None:
        stored = await self.world.stored(self.customer)
        allowed = sorted(day for day, learned in stored if self.model.may_read(day, learned, purpose, self.world.now))
        shown, denial = await self.world.read(self.customer, purpose)
        selected = await self.world.select(self.customer, purpose)
        self.tally["reads"] += 1
        self.tally["facts read"] += len(shown)
        self.tally["facts held back"] += len(stored) - len(shown)
        for way, days in (("the contract", shown), ("the role", selected)):
            wrong = [f"{day} was read by {way} at {self.world.now}" for day in days if day not in allowed]
            self.outside += wrong
            self.tally["read outside"] += len(wrong)
        self.judged()
        assert shown == selected == allowed, "what may be read is shown"
        given = self.model.given(purpose)
        assert (denial is None) is (given is not None and given.in_force(self.world.now)), f"the denial is {denial}"


def lives(world: World, loop: asyncio.AbstractEventLoop, tally: Counter[str]) -> type[RuleBasedStateMachine]:
    """The machine over a world: hypothesis makes its objects by itself, so what they share belongs to their class."""
    return type("LifeInAWorld", (Life,), {"world": world, "loop": loop, "tally": tally})


def run(machine: type[RuleBasedStateMachine], count: int, number: int) -> None:
    """So many lives. Raises Outside, or what else went wrong, with the shortest life that shows it."""
    wanted = settings(
        max_examples=count,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(number)(machine), settings=wanted)
