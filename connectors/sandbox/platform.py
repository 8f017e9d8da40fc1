"""What a simulated platform is: an ASGI app below a base URL, the hub's configuration for it, and what an outside client needs.

Each ``connectors/<name>/sandbox.py`` offers ``build(world) -> Platform``. The kit adds the failure switches every platform has: ``down`` (503 with an HTML
body, as a front proxy answers), ``slow`` (a second before each answer) and ``malformed`` (asked of the platform by :meth:`World.switched`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.persona import Persona
from connectors.sandbox.push import Push
from hub.errors import PersonaInvalid


@dataclass
class World:
    """The personas that the simulated platforms serve, the redirect URIs registered with them, and the failure switches.

    ``hooks`` are the addresses registered for pushes, by platform. What is pushed waits in ``pushes`` for whoever carries it; a platform without an address
    pushes nothing.
    """

    personas: tuple[Persona, ...]
    redirect_uris: tuple[str, ...] = ()
    switches: dict[str, set[str]] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    pushes: asyncio.Queue[Push] = field(default_factory=asyncio.Queue)

    def push(self, push: Push) -> None:
        if push.platform in self.hooks:
            self.pushes.put_nowait(push)

    def persona(self, login: str | None = None) -> Persona:
        """Who logs in at a platform: the persona of that id; the first one by default."""
        for persona in self.personas:
            if login in (None, "", persona.id):
                return persona
        raise PersonaInvalid(f"No persona {login!r} lives in this sandbox.")

    def of_identifier(self, identifier: str) -> Persona | None:
        """The persona whose business or responsible person has this USCC or resident ID."""
        for persona in self.personas:
            if identifier in {person.resident_id for person in persona.people.values()} or (
                persona.business and persona.business.uscc == identifier
            ):
                return persona
        return None

    def switched(self, platform: str, switch: str) -> bool:
        return switch in self.switches.get(platform, set())

    def is_fresh(self, moment: datetime, tolerance: timedelta) -> bool:
        """Whether a request's timestamp is close to now: real time, or the clock of one of the personas."""
        return any(abs(now - moment) <= tolerance for now in (datetime.now(UTC), *(persona.known_at for persona in self.personas)))

    def allows_redirect(self, uri: str) -> bool:
        """Exact comparison with the registered URIs; a sandbox without any accepts what a loopback client names."""
        return (
            uri in self.redirect_uris
            if self.redirect_uris
            else uri.startswith(("http://127.0.0.1", "http://localhost", "https://hub.example/"))
        )


@dataclass(frozen=True)
class Platform:
    """One simulated platform.

    ``base_path`` is the prefix of the vendor's paths, usually empty. ``config`` is what the hub's connector must be configured with (its
    manifest's settings), ``outsider`` what a client not written by this project needs beside the base URL. ``trials`` are the ways in which the connector is
    certified: a name, and the settings that differ from ``config`` (another mode, pages small enough that there are several). ``pushed`` makes a genuine push
    about the latest authorisation of a persona, where the platform pushes; ``events`` are what may happen there after the hub has read it, by name: each changes the platform
    for a persona, and pushes.
    """

    name: str
    app: ASGIApp
    config: Mapping[str, str]
    outsider: Mapping[str, Any]
    base_path: str = ""
    trials: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {}})
    pushed: Callable[[Persona], Push] | None = None
    events: Mapping[str, Callable[[Persona], None]] = field(default_factory=dict)


class Switches:
    """Middleware for the failure switches that are alike on every platform."""

    def __init__(self, app: ASGIApp, world: World, name: str) -> None:
        self.app, self.world, self.name = app, world, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.world.switched(self.name, "slow"):
            await asyncio.sleep(1)
        if scope["type"] == "http" and self.world.switched(self.name, "down"):
            body = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)
