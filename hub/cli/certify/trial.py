"""One simulated platform that listens, and customers who visit it.

:class:`Trial` is the platform and the way to it, :class:`Customer` one customer's authorisation and what is asked with it. Faults come out as the
connector raised them, because the fault itself is what is certified.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from connectors import registry
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import Platform, World
from connectors.sandbox.serve import Running, Sandbox
from hub.cli.browser import forms_of
from hub.connect import Connector, Context, Grant, Json, Page, Request, Response, Stream, Subject, Window
from hub.connect.oauth import TEXTBOOK
from hub.http import Browser, Http, browser
from hub.sync.calls import Calls
from hub.sync.desk import Unmetered

R = TypeVar("R")

REDIRECT = "https://hub.example/link/callback"
"""A host that is not on loopback: the browser stops there and shows where it was sent."""
FIRST = date(2024, 12, 1)
TEXT_HASH = "c3" * 32
# A simulated platform takes what a loopback client can send; the manifest's own quota is for the real one.
_GENEROUS = {"quota_per_second": "5000", "quota_in_flight": "32"}
_count = itertools.count(1)


class Failed(Exception):
    """A check failed; the sentence says why."""


def require(good: object, sentence: str) -> None:
    if not good:
        raise Failed(sentence)


@dataclass(frozen=True)
class Candidate:
    """What is certified: the connector, how its platform is made, and its folder."""

    connector: Connector
    simulate: Callable[[World], Platform]
    folder: Path

    @staticmethod
    def of(name: str) -> Candidate:
        """Raises UnknownConnector."""
        return Candidate(registry.load(name), partial(registry.simulate, name), Path(str(files(f"connectors.{name}"))))

    def trials(self) -> tuple[str, ...]:
        """The names of the ways in which the platform wants its connector certified."""
        return tuple(self.simulate(World((certified_persona(),))).trials)


def certified_persona() -> Persona:
    """The persona that has a record of every kind."""
    with as_file(files("connectors.sandbox") / "certification" / "everything.json") as path:
        return load(path)


class Trial:
    """The platform while it listens. ``settings`` are those of this trial, on top of the platform's own configuration."""

    def __init__(self, candidate: Candidate, world: World, running: Running, calls: Calls, surfer: Browser, name: str) -> None:
        self.candidate, self.world, self.running, self.calls, self.browser, self.name = candidate, world, running, calls, surfer, name
        self.connector = candidate.connector
        defaults = {setting.name: setting.default for setting in self.connector.manifest.settings if setting.default is not None}
        self.config = {**defaults, **running.config(), **running.platform.trials[name], **_GENEROUS}

    @property
    def persona(self) -> Persona:
        return self.world.personas[0]

    def context(self, **config: str) -> Context:
        persona, business = self.persona, self.persona.business
        return Context(
            config={**self.config, **config},
            subject=Subject(business.uscc if business else None, persona.responsible.resident_id, business.name if business else ""),
            sources=frozenset(self.connector.manifest.sources),
            data_from=FIRST,
            data_to=persona.as_of,
            now=datetime.now(UTC),
            today=persona.as_of,
            oauth=self.connector.manifest.oauth or TEXTBOOK,
        )

    @contextmanager
    def switched(self, *switches: str) -> Iterator[None]:
        """The platform with failure switches on."""
        self.world.switches[self.running.platform.name] = set(switches)
        try:
            yield
        finally:
            self.world.switches.clear()

    async def customer(self, **config: str) -> Customer:
        """A customer who has just authorised."""
        one = Customer(self, **config)
        one.grant = await one.complete(await one.visit())
        return one


class Customer:
    """One customer at one platform: the browser's part, the hub's part, and the grant once there is one."""

    def __init__(self, trial: Trial, **config: str) -> None:
        self.trial, self.connector = trial, trial.connector
        self.verifier, self.state = secrets.token_urlsafe(48), f"a state+with/signs={next(_count)}"
        self.grant: Grant | None = None
        self._context = trial.context(**config)

    @property
    def context(self) -> Context:
        return self.trial.calls.current(self.connector, replace(self._context, grant=self.grant))

    async def talk(self, dialogue: Generator[Request, Response, R]) -> R:
        """Drives a dialogue. Its requests are sent as they are: it signs what needs a signature."""
        try:
            request = next(dialogue)
            while True:
                request = dialogue.send(await self.send(request))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def send(self, request: Request) -> Response:
        return await self.trial.calls.send(self.connector, self._context.config, request)

    async def begin(self) -> str:
        """Where the browser is sent to."""
        begin = self.connector.authorisation.begin
        return await self.talk(begin(self.context, redirect_uri=REDIRECT, state=self.state, verifier=self.verifier, text_hash=TEXT_HASH))

    async def visit(self, decision: str = "agree", url: str = "") -> dict[str, str]:
        """Opens the platform's page, decides, and returns the query of the callback."""
        page = await self.trial.browser.get(url or await self.begin())
        forms = forms_of(page.text)
        require(page.status == 200 and forms, f"The consent page answered with status {page.status} and {len(forms)} forms.")
        fields = [*forms[0].hidden.items(), *forms[0].boxes, ("login", self.trial.persona.id), ("decision", decision)]
        back = await self.trial.browser.post(urljoin(page.url, forms[0].action), urlencode(fields))
        require(
            back.url.startswith(REDIRECT + "?"), f"After the decision the browser was not sent to the redirect URI (status {back.status})."
        )
        return dict(parse_qsl(urlsplit(back.url).query, keep_blank_values=True))

    async def complete(self, callback: Mapping[str, str], verifier: str = "") -> Grant:
        complete = self.connector.authorisation.complete
        return await self.talk(complete(self.context, redirect_uri=REDIRECT, verifier=verifier or self.verifier, callback=callback))

    async def refresh(self) -> Grant:
        return await self.talk(self.connector.authorisation.refresh(self.context))

    async def ask(self, stream: Stream, window: Window, cursor: Json | None = None) -> tuple[Context, Request, Response]:
        """Asks one question: the context it was asked in, the unsigned request, the answer."""
        context = self.context
        request = stream.request(context, window, cursor)
        return context, request, await self.send(self.connector.sign(context, request))

    async def page(self, stream: Stream, window: Window, cursor: Json | None = None) -> Page:
        """Raises the connector's Fault."""
        context, _, response = await self.ask(stream, window, cursor)
        return stream.read(context, window, cursor, response)

    def latest_windows(self) -> list[tuple[Stream, Window]]:
        """The latest window of every stream that has one."""
        planned = [(stream, stream.windows(self.context, FIRST, self.context.data_to)) for stream in self.connector.streams]
        return [(stream, windows[-1]) for stream, windows in planned if windows]


@asynccontextmanager
async def open_trial(candidate: Candidate, name: str) -> AsyncIterator[Trial]:
    """Starts the platform for one of its trials and stops it again."""
    world = World((certified_persona(),), (REDIRECT,))
    sandbox = Sandbox({candidate.connector.manifest.name: candidate.simulate(world)})
    (running,) = sandbox.running.values()
    await sandbox.start()
    named = (url for key, url in running.config().items() if key.endswith("_url") and url.startswith("http"))
    http = Http(list(named))
    try:
        async with browser() as surfer:
            yield Trial(candidate, world, running, Calls(http, Unmetered()), surfer, name)
    finally:
        await http.close()
        await sandbox.stop()
