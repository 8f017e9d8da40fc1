"""No code of one platform is ever shown to another, however their customers are sent about (trust rules, T6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store.embedded import Urls
from hub.sync import linking
from tests.hub.link.mixup import ACCOMPLICE, VICTIM, A, B, Login, Play, Stage, Trick, stage

FEW, MANY = 25, 1000
_number = st.integers(0, 3)
_tricks = st.builds(
    Trick,
    kind=st.sampled_from(["passes_on", "invents", "lets_in"]),
    state=_number,
    challenge=_number,
    target=st.sampled_from([A, B]),
    issuer=st.sampled_from(["own", "other", "none"]),
)
_logins = st.builds(
    Login,
    who=st.sampled_from([VICTIM, ACCOMPLICE]),
    platform=st.sampled_from([B, A]),
    trick=_tricks,
    swapped=st.sampled_from([(False,), (True,), (False, False), (True, False)]),
)
INTERLEAVINGS = st.tuples(st.lists(_logins, min_size=2, max_size=3), st.lists(st.integers(0, 2), min_size=6, max_size=12))


async def act(stage: Stage, interleaving: tuple[list[Login], list[int]]) -> None:
    logins, turns = interleaving
    play = Play(stage, tuple(logins))
    for at in turns:
        await play.turn(at)


@contextmanager
def played(urls: Urls, home: Path, count: int, *, shared: bool = False, again: bool = True) -> Iterator[Stage]:
    """The stage after so many interleavings. ``again``: the same ones each time."""
    with asyncio.Runner() as runner:
        around = AsyncExitStack()
        made = runner.run(around.enter_async_context(stage(urls, home, shared=shared)))
        examples = settings(max_examples=count, deadline=None, database=None, derandomize=again, suppress_health_check=list(HealthCheck))

        @examples
        @given(INTERLEAVINGS)
        def run(interleaving: tuple[list[Login], list[int]]) -> None:
            runner.run(act(made, interleaving))

        try:
            run()
            made.owned = runner.run(made.accounts())
            yield made
        finally:
            runner.run(around.aclose())


def nothing_went_astray(made: Stage) -> None:
    assert made.leaked == []
    assert all(who == whose for who, whose in made.owned.items()), "at A everybody was let in to his own account, or to none"
    assert made.completed > 0, "honest logins came to their end"


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(linking, "_is_issuer", lambda *asked: True)


def test_no_code_of_one_platform_is_shown_to_another(link_urls: Urls, tmp_path: Path) -> None:
    with played(link_urls, tmp_path, FEW) as made:
        nothing_went_astray(made)
        assert made.platforms[A].shown and made.platforms[B].shown


@pytest.mark.load
def test_a_thousand_interleavings(link_urls: Urls, tmp_path: Path) -> None:
    with played(link_urls, tmp_path, MANY, again=False) as made:
        print(
            f"\n{MANY} interleavings: {len(made.leaked)} codes of A shown to B; {len(made.platforms[A].minted)} codes of A, {made.completed} logins"
        )
        nothing_went_astray(made)


def test_control_without_the_issuer_and_with_one_redirect_uri_codes_leak(
    link_urls: Urls, tmp_path: Path, unchecked: Callable[[], None]
) -> None:
    unchecked()
    with played(link_urls, tmp_path, FEW // 2, shared=True) as made:
        assert made.leaked != []


def test_the_issuer_alone_keeps_them_apart(link_urls: Urls, tmp_path: Path) -> None:
    with played(link_urls, tmp_path, FEW // 2, shared=True) as made:
        nothing_went_astray(made)


def test_the_redirect_uri_alone_keeps_them_apart(link_urls: Urls, tmp_path: Path, unchecked: Callable[[], None]) -> None:
    unchecked()
    with played(link_urls, tmp_path, FEW // 2) as made:
        nothing_went_astray(made)
