"""What the code grant makes of answers to a refresh and to a revocation: pure, no platform needed."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.connect import Context, ContractBroken, Grant, Misconfigured, Reauthorise, Request, Response, RetryAt, Subject
from hub.connect.code_grant import CodeGrant
from hub.domain.enums import SourceKind

GRANT = CodeGrant(lambda context: ("data",), {"data": SourceKind.SHOP}, kept=("number",))
TODAY = date(2026, 1, 15)
CONTEXT = Context(
    config={"client_id": "hub", "client_secret": "secret"},
    subject=Subject(None, None, "甲某"),
    sources=frozenset({SourceKind.SHOP}),
    data_from=TODAY,
    data_to=TODAY,
    now=datetime(2026, 1, 15, tzinfo=UTC),
    today=TODAY,
    grant=Grant("access", "refresh", extra={"number": "7"}),
)


def answer(dialogue: Generator[Request, Response, Any], status: int, body: Any = "", **headers: str) -> Any:
    """What the dialogue returns when its only request is answered so."""
    next(dialogue)
    with pytest.raises(StopIteration) as end:
        dialogue.send(Response(status, {"content-type": "application/json", **headers}, json.dumps(body).encode() if body else b""))
    return end.value.value


def test_what_every_call_needs_survives_a_refresh_that_does_not_repeat_it() -> None:
    fresh = answer(GRANT.refresh(CONTEXT), 200, {"access_token": "new", "token_type": "Bearer"})
    assert (fresh.access_token, fresh.extra) == ("new", {"number": "7"})
    moved = answer(GRANT.refresh(CONTEXT), 200, {"access_token": "new", "token_type": "Bearer", "number": "8"})
    assert moved.extra == {"number": "8"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_platform_in_trouble_says_nothing_about_the_grant(status: int) -> None:
    with pytest.raises(RetryAt) as waits:
        answer(GRANT.refresh(CONTEXT), status, {"error": "invalid_grant"}, **{"retry-after": "7"})
    assert waits.value.seconds == 7


def test_an_explicit_grant_error_ends_it() -> None:
    with pytest.raises(Reauthorise):
        answer(GRANT.refresh(CONTEXT), 400, {"error": "invalid_grant"})


def test_a_revocation_is_believed_only_when_it_is_confirmed() -> None:
    assert answer(GRANT.revoke(CONTEXT), 200) is None
    for status, body, fault in (
        (500, "", RetryAt),
        (429, {"error": "slow_down"}, RetryAt),
        (401, {"error": "invalid_client"}, Misconfigured),
        (400, {"error": "unsupported_token_type"}, ContractBroken),
        (404, "", ContractBroken),
    ):
        with pytest.raises(fault):
            answer(GRANT.revoke(CONTEXT), status, body)


def test_without_a_grant_there_is_nothing_to_revoke() -> None:
    assert list(GRANT.revoke(replace(CONTEXT, grant=None))) == []
