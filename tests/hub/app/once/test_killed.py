"""Each mutation, and ``hub serve`` killed behind each commit that it takes: whoever asks again has one effect and one answer (trust rules, T37).

In small: one mutation, killed behind the commit of its effect. ``make test-load`` kills behind every commit of every mutation, and runs the control.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub.store.embedded import Urls
from tests.hub.app.once.cases import CASES
from tests.hub.app.once.killing import PATIENCE, Served, between, free_port
from tests.hub.app.once.scene import Scene, grounded, grown, registered

REPEATS = 3
LATE = "tests.hub.app.once.late"
_KEPT = text("SELECT count(*) FROM idempotency_key WHERE key = :key")


@dataclass
class Killed:
    """One mutation under one key, with a death in between. ``behind`` tells whether it lay behind the commit of the key."""

    died: bool
    behind: bool
    answers: set[bytes]
    grew: dict[str, int]
    refused: str


@dataclass
class Trial:
    scene: Scene
    served: Served
    numbers: Any

    async def at(self, name: str, commit: int) -> Killed:
        """Dies behind the commit of this number, counted from the request on."""
        case, number = CASES[name], next(self.numbers)
        key, asked = f"once-{number}", await case.prepare(self.scene.desk, number)
        await self.served.up()
        side = self.scene.sides[case.client]
        # Anew each time: all together they take longer than a token lives.
        await side.login()
        before = await self.scene.counts()
        self.served.way.armed = commit
        answers = set()
        try:
            answers.add((await self.scene.ask(name, case.client, asked, key)).content)
        except httpx.TransportError:
            assert await self.served.died()
        died = not answers
        behind = bool(await self.kept(key))
        await self.served.up()
        answers |= {(await self.scene.ask(name, case.client, asked, key)).content for _ in range(REPEATS)}
        grew = grown(before, await self.scene.counts())
        refused = (await self.scene.ask(name, case.client, {**asked, **case.other}, key)).json()["data"][name]["__typename"]
        return Killed(died, died and behind, answers, grew, refused)

    async def kept(self, key: str) -> int:
        async with self.scene.desk.runtime.database.work() as tx:
            return int((await tx.execute(_KEPT, {"key": key})).scalar_one())


@asynccontextmanager
async def trying(urls: Urls, home: Path, module: str = "hub.cli") -> AsyncIterator[Trial]:
    async with between(urls) as way:
        served = Served(way, home, free_port(), module)
        async with (
            grounded(urls, home, served.origin) as desk,
            httpx.AsyncClient(base_url=served.origin, trust_env=False, timeout=PATIENCE) as http,
        ):
            try:
                yield Trial(Scene(desk, await registered(desk, http, served.origin)), served, count(1))
            finally:
                await served.down()


def wrong(name: str, found: Killed) -> list[str]:
    """What is not as it has to be."""
    wanted = {**CASES[name].grows, "idempotency_key": 1}
    checks = {
        f"effect: {found.grew}": found.grew == wanted,
        f"answers: {found.answers}": len(found.answers) == 1 and not any(b'"remedy"' in one or b'"errors"' in one for one in found.answers),
        f"another body: {found.refused}": found.refused == "IdempotencyKeyReused",
    }
    return [f"{name}, {said}" for said, holds in checks.items() if not holds]


async def behind_every_commit(trial: Trial, name: str) -> tuple[int, int, list[str]]:
    """Deaths, those behind the commit of the key, and what went wrong. Ends with the commit that the mutation does not take any more."""
    deaths, behind, faults = 0, 0, list[str]()
    for commit in range(1, 12):
        found = await trial.at(name, commit)
        faults += wrong(name, found)
        if not found.died:
            break
        deaths, behind = deaths + 1, behind + found.behind
    return deaths, behind, faults


async def test_killed_between_commit_and_reply(urls: Urls, tmp_path: Path) -> None:
    async with trying(urls, tmp_path) as trial:
        # The first commit is that of effect and key; what follows is the line in the access log.
        found = await trial.at("createLinkSession", 1)
        assert found.behind and wrong("createLinkSession", found) == []


@pytest.mark.load
async def test_a_key_stored_after_the_commit_is_noticed_by_a_kill(urls: Urls, tmp_path: Path) -> None:
    """Control: the effect is there, its key is not, and whoever asks again has another one."""
    async with trying(urls, tmp_path, LATE) as trial:
        found = await trial.at("createLinkSession", 1)
        assert found.died and not found.behind
        assert found.grew["link_session"] == 2 and wrong("createLinkSession", found)


@pytest.mark.load
async def test_killed_behind_every_commit_of_every_mutation(urls: Urls, tmp_path: Path) -> None:
    deaths, behind, faults = {}, {}, []
    async with trying(urls, tmp_path) as trial:
        for name in sorted(CASES):
            deaths[name], behind[name], found = await behind_every_commit(trial, name)
            faults += found
    print(
        f"\n{len(deaths)} mutations, {sum(deaths.values())} deaths behind a commit, {sum(behind.values())} of them between commit of the key and reply"
    )
    print(f"wrong: {len(faults)}", *faults, sep="\n")
    assert faults == [] and all(behind.values()), (deaths, behind)
