"""``make consent`` in small, and what it finds when a guard is taken out."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.consent.breaking import take_out
from bench.consent.machine import Outside, lives, run
from bench.consent.settings import Share
from bench.consent.world import World
from hub.consent import gate
from hub.store.database import Database
from hub.store.embedded import Embedded


@dataclass
class Stage:
    """A world, the loop it lives in, and what its lives did."""

    share: Share
    world: World
    loop: asyncio.AbstractEventLoop
    tally: Counter[str]

    def play(self, count: int, seed: int) -> None:
        run(lives(self.world, self.loop, self.tally), count, seed)

    def play_on(self) -> None:
        """A few lives at a time, those first that were seen to show something."""
        for seed in (4, 6, 14, 2, *range(100, 120)):
            self.play(12, seed)


@pytest.fixture
def stage(cluster: Embedded, tmp_path: Path) -> Iterator[Stage]:
    loop = asyncio.new_event_loop()
    urls = loop.run_until_complete(cluster.prepare(f"lives_{uuid.uuid4().hex}", template="template"))
    database = Database(urls, app_pool=2, worker_pool=6)
    yield Stage(Share(tmp_path, urls, 0, 0, 0, None), World(database, tmp_path), loop, Counter())
    loop.run_until_complete(database.close())
    loop.close()


def test_nothing_is_fetched_or_read_outside_a_consent(stage: Stage) -> None:
    stage.play(20, 11)
    assert stage.tally["lives"] >= 20
    assert stage.tally["fetched outside"] == stage.tally["read outside"] == 0
    assert min(stage.tally[name] for name in ("fetches", "reads", "facts read", "facts held back")) > 0


def test_a_gate_that_takes_any_day_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_is_within", lambda consent, ask: True)
    with pytest.raises(Outside, match="was fetched"):
        stage.play_on()


def test_a_store_without_its_policies_is_found(stage: Stage) -> None:
    take_out(Share(stage.share.home, stage.share.urls, 0, 0, 0, "policy"))
    with pytest.raises(Outside, match="was read by the role"):
        stage.play_on()
