"""T39: fifty repetitions, out of order, old, forged, oversized: the effect is one; of recordings and forgeries there is none. And whatever is sent, nothing breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.connect import signatures as families
from hub.events import inbound
from tests.hub.events.scene import PATH, SECRET, Letter, Scene, letter

OTHER = "whsec_" + "B" * 32


def forgeries(sent: Letter) -> Iterator[Letter]:
    """What somebody can send who has seen this letter, and does not know the key."""
    signature = sent.headers["webhook-signature"]
    for at in range(3, len(signature)):
        # Another letter of base64 at one place: with a comparison of a prefix, those behind it would be taken.
        yield sent.with_headers(webhook_signature=signature[:at] + ("A" if signature[at] != "A" else "B") + signature[at + 1 :])
    for cut in range(3, len(signature)):
        yield sent.with_headers(webhook_signature=signature[:cut])
    for at in range(0, len(sent.body), 5):
        yield replace(sent, body=sent.body[:at] + bytes([sent.body[at] ^ 1]) + sent.body[at + 1 :])
    yield sent.with_headers(webhook_id=sent.headers["webhook-id"] + "0")
    yield sent.with_headers(webhook_timestamp=str(int(sent.headers["webhook-timestamp"]) + 1))
    yield sent.with_headers(webhook_signature=signature.replace("v1,", "v1a,"))
    yield sent.with_headers(webhook_signature="")
    yield replace(sent, headers={})
    yield letter(secret=OTHER)
    yield letter(secret=SECRET[:-4] + "AAA=")


@dataclass(frozen=True)
class Figures:
    """How many of a kind were sent, and with what effect."""

    forged: int
    forged_taken: int
    old: int
    old_taken: int
    repeated: int
    effect: int


async def storm(scene: Scene) -> Figures:
    """Everything at once, in no order."""
    genuine = letter({"first": "2026-01-12", "last": "2026-01-12"})
    copies = [genuine] * 50
    forged = list(forgeries(letter()))
    # One of the future comes of age while it is sent: it is far enough ahead.
    old = [letter(age=age) for age in (301, 600, 86_400, -420, -86_400)]
    oversized = [letter({"pad": "x" * 300_000})]
    sent = [*copies, *forged, *old, *oversized]
    random.Random(39).shuffle(sent)
    answers = [await asyncio.gather(*(scene.push(one) for one in sent[at : at + 16])) for at in range(0, len(sent), 16)]
    taken = {id(one): status for one, status in zip(sent, [status for batch in answers for status in batch], strict=True)}
    assert {taken[id(one)] for one in oversized} == {413}
    return Figures(
        forged=len(forged),
        forged_taken=sum(taken[id(one)] != 401 for one in forged),
        old=len(old),
        old_taken=sum(taken[id(one)] != 401 for one in old),
        repeated=[status for batch in answers for status in batch].count(200),
        effect=sum(event["connections"] for event in await scene.events()),
    )


async def test_fifty_copies_and_every_forgery_have_one_effect(scene: Scene) -> None:
    figures = await storm(scene)
    print(figures)
    assert (figures.forged_taken, figures.old_taken, figures.repeated, figures.effect) == (0, 0, 50, 1)
    assert figures.forged >= 100
    assert len(scene.nudged) == 1
    assert len(await scene.events()) == 1


async def test_control_a_comparison_of_a_prefix_is_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "same", lambda one, other: one[:16] == other[:16])
    figures = await storm(scene)
    assert figures.forged_taken > 0
    with pytest.raises(AssertionError):
        await test_fifty_copies_and_every_forgery_have_one_effect(scene)


async def test_control_without_a_look_at_the_time_recordings_are_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_require_fresh_text", lambda at, now: None)
    assert (await storm(scene)).old_taken == 5


async def test_control_without_the_row_copies_are_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect of each copy, were it not for the event's id: each one is another event."""
    keys = iter(range(10_000))
    real = inbound.receive

    async def forgetful(equipment, tx, connector, webhook, hint, body):  # type: ignore[no-untyped-def]
        await scene.world.do("UPDATE connection SET due_at = NULL WHERE connection_id = :connection")
        return await real(equipment, tx, connector, webhook, replace(hint, event_id=f"{hint.event_id}-{next(keys)}"), body)

    monkeypatch.setattr("hub.events.endpoint.receive", forgetful)
    assert (await storm(scene)).effect > 1


async def test_out_of_order_and_apart_each_event_counts_once(scene: Scene) -> None:
    """Five events, each repeated, the youngest first: five rows, and days of all of them."""
    days = [{"first": f"2026-01-{day}", "last": f"2026-01-{day}"} for day in range(11, 16)]
    sent = [letter(day, age=10 * place) for place, day in enumerate(days)]
    for one in [*sent, *reversed(sent), *sent]:
        assert await scene.push(one) == 200
    assert len(await scene.events()) == 5
    touched = await scene.world.rows("SELECT first_day FROM touched_days WHERE connection_id = :connection")
    assert sorted(str(row["first_day"]) for row in touched) == [day["first"] for day in days]
    assert sum(event["connections"] for event in await scene.events()) == 1


names = st.sampled_from(
    ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-encoding", "content-length", "x-other"]
)
values = st.one_of(
    st.sampled_from(["", "v1,", "v1,v1,v1", "gzip", "0", "1768874400", "99999999999999999999", "-1", "NaN", "t=1,v1=", "v1,AAAA " * 40]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
bodies = st.one_of(
    st.binary(max_size=300), st.sampled_from([b"", b"{}", b"[" * 5000, b'{"account": null}', b"\xff\xfe", b'{"first": "x"}'])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers=st.lists(st.tuples(names, values), max_size=6),
    body=bodies,
    path=st.sampled_from([PATH, "/webhooks/nobody", "/webhooks/%2e%2e"]),
)
async def test_nothing_that_is_sent_breaks_it(scene: Scene, headers: list[tuple[str, str]], body: bytes, path: str) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = await scene.client.post(path, content=body, headers=raw)
    assert answer.status_code in (400, 401, 404, 413, 415)
    assert await scene.due_in() is None


events = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(["account", "kind", "streams", "first", "last"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    event=st.dictionaries(members, events, max_size=5),
    event_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
)
async def test_nothing_that_is_signed_breaks_it(scene: Scene, event: dict[str, object], event_id: str) -> None:
    """A platform that signs nonsense: received without effect, or said to be unreadable; never an accident of ours."""
    sent = letter({"account": "nobody", **event}, event_id=event_id)
    answer = await scene.client.post(PATH, content=sent.body, headers=sent.headers)
    assert answer.status_code in (200, 400)
    assert await scene.due_in() is None
