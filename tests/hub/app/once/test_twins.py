"""Each mutation of the contract, sent twenty times in parallel with one key: one effect, and one answer, byte for byte (trust rules, T37)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.errors import TwinRunning
from hub.store import idempotency
from hub.store.embedded import Urls
from schema.contract import build_schema
from tests.databases import Databases
from tests.hub.app.conftest import ORIGIN
from tests.hub.app.once import late
from tests.hub.app.once.cases import CASES
from tests.hub.app.once.scene import Scene, grown, opened

TWINS, MOST = 20, 600
RUNNING = str(TwinRunning()).encode()
NUMBERS = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    with databases.one() as urls:
        async with opened(urls, tmp_path_factory.mktemp("once"), ORIGIN) as made:
            yield made


def mutations() -> set[str]:
    found = build_schema().core.mutation_type
    assert found is not None
    return set(found.fields)


def without_case(names: set[str]) -> set[str]:
    return names ^ set(CASES)


def test_every_mutation_has_a_case() -> None:
    assert without_case(mutations()) == set()
    assert without_case(mutations() | {"forgetEverything"}) == {"forgetEverything"}, "control"


async def answered(scene: Scene, *asked: Any) -> httpx.Response:
    """As a client does it: where the first is still at work, a twin is told to send again, and does. On a busy machine an effect takes longer than twins wait."""
    for _ in range(MOST):
        answer = await scene.ask(*asked)
        if RUNNING not in answer.content:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError("the first twin never came to its end")


async def sent_at_once(scene: Scene, name: str, key: str) -> tuple[dict[str, object], set[bytes], dict[str, int]]:
    """What was asked, the different answers, and what grew."""
    case = CASES[name]
    asked = await case.prepare(scene.desk, next(NUMBERS))
    before = await scene.counts()
    answers = await asyncio.gather(*(answered(scene, name, case.client, asked, key) for _ in range(TWINS)))
    assert {one.status_code for one in answers} == {200}
    return asked, {one.content for one in answers}, grown(before, await scene.counts())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", sorted(CASES))
async def test_twenty_have_one_effect_and_one_answer(scene: Scene, name: str) -> None:
    case, key = CASES[name], f"once-{name}"
    asked, answers, grew = await sent_at_once(scene, name, key)
    (answer,) = answers
    assert b'"errors"' not in answer and b'"remedy"' not in answer, answer
    assert grew == {**case.grows, "idempotency_key": 1}
    later = await scene.ask(name, case.client, asked, key)
    assert later.content == answer, "and so is whoever asks later"
    other = (await scene.ask(name, case.client, {**asked, **case.other}, key)).json()["data"][name]
    assert other["__typename"] == "IdempotencyKeyReused" and other["message"] and other["remedy"]


@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_told_to_send_again_has_the_same_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short twins wait. Control: without sending again some have no answer."""
    monkeypatch.setattr(idempotency, "TWIN_WAIT", "1ms")
    _, answers, grew = await sent_at_once(scene, "reproduceEvaluation", "impatient")
    assert (len(answers), grew) == (1, {"idempotency_key": 1})
    asked = await CASES["reproduceEvaluation"].prepare(scene.desk, next(NUMBERS))
    told = await asyncio.gather(*(scene.ask("reproduceEvaluation", "risk-desk", asked, "once") for _ in range(TWINS)))
    assert any(RUNNING in one.content for one in told)


async def test_a_key_stored_after_the_commit_is_noticed(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: twins do not find it."""
    async with opened(urls, tmp_path, ORIGIN) as scene:
        asked = await CASES["createManageSession"].prepare(scene.desk, next(NUMBERS))
        late.spoil(lambda where, name, what: monkeypatch.setattr(where, name, what))
        before = await scene.counts()
        answers = await asyncio.gather(
            *(scene.ask("createManageSession", "partner-app", asked, "same") for _ in range(TWINS)), return_exceptions=True
        )
        grew = grown(before, await scene.counts())
        assert grew["link_session"] > 1 and len(answers) == TWINS
