"""``make bench-audit`` in small: the API process is killed while eight readers ask it over HTTP (trust rules, T29). The database is that of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.audit.killing import killed
from bench.audit.settings import Post
from bench.audit.world import built
from bench.kit.figures import Figure
from bench.kit.show import Show
from connectors.sandbox.serve import bind
from hub.store.embedded import Urls


async def run(urls: Urls, home: Path, reads: int, kills: int, broken: str | None = None) -> dict[str, Figure]:
    listener = bind("127.0.0.1", 0)
    try:
        async with built(home, urls) as world:
            found = await killed(Post(home, urls, listener, broken), world, Show(), reads, kills)
    finally:
        listener.close()
    return {one.name: one for one in found}


async def test_no_answer_leaves_before_its_row(urls: Urls, tmp_path: Path) -> None:
    found = await run(urls, tmp_path, reads=240, kills=3)
    assert [one for one in found.values() if one.met is False] == []
    assert found["kills of the API process"].seen == "3"


@pytest.mark.load
async def test_an_answer_that_leaves_first_is_found_without_its_row(urls: Urls, tmp_path: Path) -> None:
    found = await run(urls, tmp_path, reads=600, kills=8, broken="order")
    assert int(found["answers whose read has no row"].seen) > 0
    assert found["restarts after which the chain did not hold"].met


@pytest.mark.load
async def test_ten_thousand_reads_and_the_api_killed_forty_times(urls: Urls, tmp_path: Path) -> None:
    found = await run(urls, tmp_path, reads=10_000, kills=40)
    assert [one for one in found.values() if one.met is False] == []
    print("\n" + "\n".join(f"{one.name}: {one.seen}" for one in found.values()))
