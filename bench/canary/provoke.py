"""Everything that goes wrong, holding canaries: bad input, foreign paths, wrong callbacks, forged pushes, and platforms that put what they know into their errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.canary.noting import Notes
from bench.canary.personas import phone, resident_id, uscc
from hub.cli.stage import Stage
from hub.errors import HubError
from hub.http import Caller as Line
from schema.examples import example

UNKNOWN = 900
"""The number of a person who is never a customer, and whom only what goes wrong speaks of."""


def words() -> dict[str, str]:
    """Canaries for input that is refused, by what they look like."""
    return {
        "person": resident_id(UNKNOWN),
        "phone": phone("unknown"),
        "code": uscc(UNKNOWN),
        "name": "欧阳龘靐齉",
        "account": "6222081207003339998",
        "token": "tok3n-f0r-n0b0dy-4t-all",
        "short": "隐秘路十七号",
    }


def queries(w: dict[str, str]) -> list[tuple[str, Any]]:
    """Documents and variables that are refused, each for a reason of its own."""
    create, record = example("CreateCustomer"), example("RecordBehaviourSessions")
    person = {"name": w["name"], "residentId": w["person"][:-1] + "0", "residenceCity": w["short"]}
    session = {"sessionNumber": w["phone"], "at": "2026-01-05T20:00:00", "device": w["token"], "city": w["short"], "formSeconds": 1}
    days = {"completeFrom": "2026-01-01", "completeUntil": "2026-01-05"}
    inline = f'{{ customer(id: "{w["person"]}") {{ orders(first: "{w["phone"]}") {{ nodes {{ id }} }} }} }}'
    return [
        (create, {"key": "k", "input": {"kind": "PERSON", "name": w["name"], "person": person}}),
        (create, {"key": "k", "input": {"kind": w["person"], "name": w["name"], "person": person}}),
        (create, {"key": "k", "input": {"kind": "PERSON", "name": {"phone": w["phone"]}, "person": w["account"]}}),
        (create, {"key": "k", "input": {"kind": "PERSON", "name": int(w["account"]), "person": person}}),
        (create, {"key": "k", "input": {w["name"]: w["person"], w["account"]: 1, "kind": "ORG"}}),
        (create, {"key": "k", "input": {"kind": "ORG", "name": w["name"], "uscc": w["code"][:-1] + "0", "person": person}}),
        (create, {"key": [w["phone"]], "input": w["token"]}),
        (record, {"key": "k", "input": {"customerId": w["person"], "sessions": [session], **days}}),
        (record, {"key": "k", "input": {"customerId": w["person"], "sessions": [{**session, "at": w["person"]}], **days}}),
        (record, {"key": "k", "input": {"customerId": w["person"], "sessions": [session], "completeFrom": w["phone"]}}),
        ("query ($id: ID!, $n: Int!) { customer(id: $id) { orders(first: $n) { nodes { id } } } }", {"id": w["person"], "n": w["phone"]}),
        ("query ($id: ID!, $a: String) { customer(id: $id) { orders(first: 1, after: $a) { nodes { id } } } }", {"id": w["person"], "a": w["token"]}),
        ("query ($at: DateTime!, $id: ID!) { customer(id: $id, knownAt: $at) { id } }", {"at": w["person"], "id": w["person"]}),
        ("query ($id: ID!) { node(id: $id) { __typename } }", {"id": f"Order:{w['person']}:{w['phone']}"}),
        (inline, {}),
        (inline.replace('"' + w["phone"] + '"', w["phone"] + "9" * 30), {}),
        (f'{{ customer(id: "{w["person"]}) {{ id }} }}', {}),
        (f'{{ customer(id: """{w["person"]}""" "{w["name"]}") {{ id }} }}', {}),
        (f'{{ customer(id: {{phone: "{w["phone"]}"}}) {{ id }} }}', {}),
        (f'{{ customers(first: {w["account"]}) {{ nodes {{ id }} }} }}', {}),
        (f'{{ customer(number: "{w["person"]}") {{ id }} }}', {}),
    ]  # fmt: skip


async def refused(stage: Stage, notes: Notes) -> int:
    """Sends all of it; returns how many requests were made."""
    w = words()
    for text in w.values():
        notes.add("personal", text)
    count = 0
    for query, variables in queries(w):
        body = orjson.dumps({"query": query, "variables": variables})
        for caller in (stage.partner, stage.risk):
            await caller._ask(body)
            count += 1
    for name, variables in (("CustomerEnhancement", {"id": w["person"], "scenario": w["phone"]}), ("SourceStatus", {"id": w["name"]})):
        try:
            await stage.risk.query(name, variables)
        except HubError:
            count += 1
    return count + await _by_hand(stage, w)


async def _by_hand(stage: Stage, w: dict[str, str]) -> int:
    line = Line(stage.origin)
    form, json = "application/x-www-form-urlencoded", "application/json"
    query = urlencode({"code": w["token"], "state": w["account"], "error": w["name"], "error_description": w["person"]})
    try:
        sent = [
            await line.post("/oauth/token", urlencode({"client_id": w["person"], "client_assertion": w["token"], "scope": w["phone"]}).encode(), {"Content-Type": form}),
            await line.post("/oauth/token", urlencode({"grant_type": "password", "username": w["phone"], "password": w["token"]}).encode(), {"Content-Type": form}),
            await line.post("/oauth/introspect", urlencode({"token": w["token"]}).encode(), {"Content-Type": form}),
            await line.post("/graphql", b'{"query": "' + w["person"].encode(), {"Content-Type": json}),
            await line.post("/graphql", b"{}", {"Content-Type": json, "Authorization": f"Bearer {w['token']}", "DPoP": w["token"]}),
            await line.post(f"/nowhere/{w['person']}?phone={w['phone']}", b"", {}),
            await line.post("/webhooks/alipay", urlencode({"buyer": w["account"], "sign": w["token"]}).encode(), {"Content-Type": form}),
            await line.post("/webhooks/cn_tax", orjson.dumps({"NSRSBH": w["person"], "name": w["name"]}), {"Content-Type": json}),
            await line.post(f"/webhooks/{w['person']}", b"x", {"Content-Type": json}),
            await line.post("/link/agree", urlencode({"csrf": w["token"], "connector": w["person"]}).encode(), {"Content-Type": form}),
        ]  # fmt: skip
    finally:
        await line.close()
    async with stage.browser() as browser:
        for path in (
            f"/link/s/{w['token']}",
            f"/link/callback/alipay?{query}",
            f"/link/callback/{quote(w['name'])}?{query}",
            f"/link/?lang={w['phone']}",
        ):
            await browser.get(stage.origin + path)
    return len(sent) + 4


class Indiscreet:
    """A platform whose every answer is an error that says all it knows, in whatever member a connector may read."""

    def __init__(self, app: ASGIApp, asked: asyncio.Semaphore) -> None:
        self.app, self.on, self.asked, self.all_asked = app, False, 0, asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.on or scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.asked += 1
        self.all_asked.release()
        w = words()
        said = f"{w['name']} {w['person']} {w['phone']}"
        names = (
            "error",
            "error_description",
            "msg",
            "message",
            "sub_msg",
            "sub_code",
            "code",
            "subcode",
            "errcode",
            "CODE",
            "MSG",
            "status",
            "result",
        )
        flat: dict[str, Any] = {name: [said, w["person"], w["account"]][self.asked % 3] for name in names}
        body = orjson.dumps({**flat, "error_response": flat, "data": flat, "return": flat, "alipay_error": flat})
        status = (400, 403, 500, 200, 429)[self.asked % 5]
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def indiscreet(stage: Stage, asked: asyncio.Semaphore) -> Iterator[list[Indiscreet]]:
    """While it lasts, no platform answers anything else. ``asked`` is released at each question."""
    made = []
    for one in stage.sandbox.running.values():
        wrapped = Indiscreet(one.server.config.loaded_app, asked)
        wrapped.on = True
        one.server.config.loaded_app = wrapped
        made.append(wrapped)
    yield made
    for wrapped in made:
        wrapped.on = False
