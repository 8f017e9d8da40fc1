"""Drives a connector against its simulated platform without the engine: consent, token, every stream to its end.

The platform is called in process, as an ASGI app. What comes back is what the engine would be handed: facts, verdict figures, faults.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform
from hub.connect import Connector, Context, Grant, NoData, Pending, Request, Response, RetryAt, Stream, Subject, Unreadable, Window
from hub.connect.message import base_of
from hub.connect.oauth import TEXTBOOK
from hub.domain.enums import SourceKind

REDIRECT = "http://127.0.0.1/link/callback"
BASE = "http://platform.test"


@dataclass
class Pulled:
    """What one stream gave."""

    facts: list[Any] = field(default_factory=list)
    fetched: int = 0
    requests: int = 0
    declared: int = 0
    not_served: list[Window] = field(default_factory=list)
    covered: list[tuple[date, date]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class Drive:
    """One customer's conversation with one simulated platform."""

    def __init__(self, connector: Connector, platform: Platform, persona: Persona, *, data_from: date = date(2023, 1, 1)) -> None:
        self.connector, self.platform, self.persona = connector, platform, persona
        base = BASE + platform.base_path
        self.config = {
            **{s.name: s.default for s in connector.manifest.settings if s.default is not None},
            **platform.config,
            "base_url": base,
        }
        business, person = persona.business, persona.responsible
        self.context = Context(
            config=self.config,
            subject=Subject(business.uscc if business else None, person.resident_id, business.name if business else person.name),
            sources=frozenset(connector.manifest.sources),
            data_from=data_from,
            data_to=persona.as_of,
            now=datetime.now(UTC),
            today=persona.as_of,
            oauth=connector.manifest.oauth or TEXTBOOK,
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app), base_url=BASE, trust_env=False)

    async def send(self, request: Request) -> Response:
        url = base_of(self.config, request.host) + request.path
        if request.query:
            url += ("&" if "?" in url else "?") + urlencode(request.query)
        answer = await self.client.request(request.method, url, headers=list(request.headers), content=request.body or None)
        return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)

    async def talk(self, dialogue: Generator[Request, Response, Any], *, sign: bool = False) -> Any:
        """Drives a sans-I/O generator to its result. Requests of a dialogue are sent as they are: it signs what needs a signature."""
        try:
            request = next(dialogue)
            while True:
                request = dialogue.send(await self.send(request))
        except StopIteration as end:
            return end.value

    async def link(self, *, decision: str = "agree", state: str = "state-1", keep: tuple[str, ...] = ()) -> Grant:
        """Authorises as a customer in a browser would: opens the page, submits its form, follows the callback."""
        auth, verifier = self.connector.authorisation, "v" * 64
        url = await self.talk(auth.begin(self.context, redirect_uri=REDIRECT, state=state, verifier=verifier, text_hash="ab" * 32))
        callback = await self.submit_consent(url, decision)
        assert callback.get("state", state) == state
        grant: Grant = await self.talk(auth.complete(self.context, redirect_uri=REDIRECT, verifier=verifier, callback=callback))
        self.context = replace(self.context, grant=grant)
        return grant

    async def submit_consent(self, url: str, decision: str = "agree") -> dict[str, str]:
        """Opens a plain-form consent page and submits it; returns the query of the callback it is redirected to."""
        page = await self.client.get(url)
        assert page.status_code == 200, page.text
        form = hidden_fields(page.text) | {"login": self.persona.id, "decision": decision}
        answer = await self.client.post(url, data=form)
        assert answer.status_code in (302, 303), answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def pull(self, stream: Stream, first: date | None = None, last: date | None = None) -> Pulled:
        """Every window of a stream to its explicit end."""
        out = Pulled()
        for window in stream.windows(self.context, first or self.context.data_from, last or self.context.today):
            await self._pull_window(stream, window, out)
        return out

    async def _pull_window(self, stream: Stream, window: Window, out: Pulled) -> None:
        cursor: Any = None
        for _ in range(1000):
            self.context = replace(self.context, now=datetime.now(UTC))
            request = stream.request(self.context, window, cursor)
            response = await self.send(self.connector.sign(self.context, request))
            out.requests += 1
            try:
                page = stream.read(self.context, window, cursor, response)
            except NoData as fault:
                if not fault.covered:
                    out.not_served.append(window)
                return
            except (Pending, RetryAt) as fault:
                await asyncio.sleep(min(fault.seconds or 0.1, 3))
                continue
            self._keep(stream, page.records, out)
            if page.wait:
                await asyncio.sleep(page.wait)
            if page.next is None:
                out.declared += page.total or 0
                out.covered += [(i.first, i.last) for i in page.covered] if page.covered is not None else [(window.first, window.last)]
                return
            cursor = json.loads(json.dumps(page.next))
        raise AssertionError(f"{window}: no end signal in 1000 requests")

    def _keep(self, stream: Stream, records: tuple[Mapping[str, Any], ...], out: Pulled) -> None:
        for record in records:
            out.fetched += 1
            try:
                out.facts += stream.normalise(self.context, record)
            except Unreadable as fault:
                out.unreadable.append(fault)

    async def everything(self, sources: frozenset[SourceKind] | None = None) -> list[Any]:
        """The facts of every stream."""
        facts: list[Any] = []
        for stream in self.connector.streams:
            if sources is None or stream.source in sources:
                facts += (await self.pull(stream)).facts
        return facts


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden inputs of a simple page."""
    import re
    from html import unescape

    return {unescape(n): unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html)}
