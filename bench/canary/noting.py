"""Notes what is a canary as it passes: what the hub hashes as personal, what it seals as a grant or a verifier, what clients and browsers prove themselves by.

Also keeps the answers that hold an error: they leave the hub, so they are looked through like its logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox.persona import Persona
from hub.cli.runtime import Runtime
from hub.domain.identifiers import is_uscc, persons_number
from hub.vault import IDENTIFIER, Blind, Place
from hub.vault.vault import Sealer

SHORTEST, SHORTEST_HAN = 10, 4
"""Characters of a canary: what is shorter may stand somewhere by chance."""
SEALED = {("credential", "sealed"), ("credential", "previous"), ("authorisation_attempt", "verifier"), ("party", "identity")}
_CREDENTIAL = re.compile(r"^(Bearer|DPoP) (.+)$")
_PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
_HAN = re.compile(r"[一-龥]")
_NOTHING_PERSONAL = re.compile(r"[\d.-]+|[A-Z_]+|[a-z_ ]+|[0-9a-f]{8}-[0-9a-f-]{27}")
"""Texts of a grant that are no secret: scopes, words, our own ids, times."""


@dataclass
class Notes:
    """Canaries by kind (``secret``, ``personal``, ``code``, ``business``, ``shop``), and answers with errors in them."""

    canaries: dict[str, str] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)

    def add(self, kind: str, text: object) -> None:
        if isinstance(text, str) and "\n" not in text and (len(text) >= SHORTEST or len(_HAN.findall(text)) >= SHORTEST_HAN):
            self.canaries.setdefault(text, "code" if is_uscc(text) and persons_number(text) is None else kind)
            for phone in _PHONE.findall(text) if kind == "personal" else ():
                self.canaries.setdefault(phone, kind)

    def person(self, persona: Persona) -> None:
        """A business's and a shop's name are public, so they are noted before they pass as anything else."""
        if persona.business:
            self.add("business", persona.business.name)
        if persona.shop:
            self.add("shop", persona.shop.name)
        for one in persona.people.values():
            self.add("personal", one.name)
            self.add("personal", one.resident_id)
        for party in persona.invoices.parties.values() if persona.invoices else ():
            self.add("personal", party.name)
            self.add("personal", party.uscc)

    def sealed(self, place: Place, plain: bytes) -> None:
        if (place.table, place.column) not in SEALED:
            return
        try:
            leaves = list(_leaves(orjson.loads(plain)))
        except orjson.JSONDecodeError:
            leaves = [plain.decode("utf-8", "replace")]
        for leaf in leaves:
            if not _NOTHING_PERSONAL.fullmatch(leaf) or place.table == "party":
                self.add("personal" if place.table == "party" else "secret", leaf)

    def request(self, scope: Scope) -> None:
        """What proves who asks: tokens, proofs, cookies, codes and states. Query strings hold nothing else in this hub."""
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            found = _CREDENTIAL.match(text) if name == b"authorization" else None
            if found:
                self.add("secret", found[2])
            elif name == b"dpop":
                self.add("secret", text)
            elif name == b"cookie":
                self.add("secret", text.rpartition("=")[2])
        if "/callback/" in scope["path"]:
            for _, value in parse_qsl(scope["query_string"].decode("latin-1")):
                self.add("secret", value)
        if "/link/s/" in scope["path"]:
            self.add("secret", scope["path"].rpartition("/")[2])


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _leaves(one)


class _Overheard:
    """The hub's application, overheard."""

    def __init__(self, app: ASGIApp, notes: Notes) -> None:
        self.app, self.notes = app, notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.notes.request(scope)
        status, body = 0, b""

        async def overheard(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, overheard)
        if status >= 400 or b'"errors"' in body or b"Problem" in body or b'"remedy"' in body:
            self.notes.answers.append(body)


@contextmanager
def noting(notes: Notes) -> Iterator[None]:
    """While it lasts, all that passes is noted."""
    hasher, seal, api = Blind.hasher, Sealer.seal, Runtime.api
    plain = Blind.hash

    def noted_hash(self: Blind, family: str, text: str) -> str:
        # The others are of ids that are public, of configurations and of whole bodies.
        if family in (IDENTIFIER, "platform"):
            notes.add("personal", text)
        return plain(self, family, text)

    def noted_hasher(self: Blind, kind: str, field: str) -> Callable[[Sequence[str]], list[str]]:
        of = hasher(self, kind, field)

        def noted(texts: Sequence[str]) -> list[str]:
            for text in texts:
                notes.add("personal", text)
            return of(texts)

        return noted

    def noted_seal(self: Sealer, place: Place, text: bytes) -> bytes:
        notes.sealed(place, text)
        return seal(self, place, text)

    def noted_api(self: Runtime, origin: str) -> ASGIApp:
        return _Overheard(api(self, origin), notes)

    with (
        mock.patch.object(Blind, "hash", noted_hash),
        mock.patch.object(Blind, "hasher", noted_hasher),
        mock.patch.object(Sealer, "seal", noted_seal),
        mock.patch.object(Runtime, "api", noted_api),
    ):
        yield
