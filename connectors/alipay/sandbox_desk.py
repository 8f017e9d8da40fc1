"""The simulated platform's memory of authorisations: codes, tokens, and whose accounts they open.

A code works once and for a day. A refresh gives new tokens and leaves the old refresh token usable to its end, as the vendor documents.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.sandbox.persona import Persona

CODE_LIFE = 86_400
TOKEN_LIFE = 31_536_000
REFRESH_LIFE = 32_140_800


@dataclass
class Authorised:
    """One merchant's consent to one application."""

    persona: Persona
    ended: bool = False


@dataclass
class _Paper:
    authorised: Authorised
    expires: float
    used: bool = False


@dataclass
class Desk:
    now: Callable[[], float] = time.time
    codes: dict[str, _Paper] = field(default_factory=dict)
    tokens: dict[str, _Paper] = field(default_factory=dict)
    refreshes: dict[str, _Paper] = field(default_factory=dict)

    def agree(self, persona: Persona) -> str:
        """The app_auth_code of a new consent."""
        code = secrets.token_hex(16)
        self.codes[code] = _Paper(Authorised(persona), self.now() + CODE_LIFE)
        return code

    def redeem(self, code: str) -> Authorised | None:
        paper = self.codes.get(code)
        if paper is None or paper.used or not self._good(paper):
            return None
        paper.used = True
        return paper.authorised

    def renew(self, refresh: str) -> Authorised | None:
        paper = self.refreshes.get(refresh)
        return paper.authorised if paper and self._good(paper) else None

    def issue(self, authorised: Authorised) -> tuple[str, str]:
        """An app_auth_token and its refresh token."""
        token, refresh = f"202601BB{secrets.token_hex(16)}", f"202601BB{secrets.token_hex(16)}"
        self.tokens[token] = _Paper(authorised, self.now() + TOKEN_LIFE)
        self.refreshes[refresh] = _Paper(authorised, self.now() + REFRESH_LIFE)
        return token, refresh

    def holder(self, token: str) -> Persona | None:
        """Whose accounts an app_auth_token opens."""
        paper = self.tokens.get(token)
        return paper.authorised.persona if paper and self._good(paper) else None

    def end(self, token: str) -> None:
        """The merchant takes the authorisation back at the platform."""
        self.tokens[token].authorised.ended = True

    def _good(self, paper: _Paper) -> bool:
        return not paper.authorised.ended and self.now() <= paper.expires
