"""How a borrower lets the hub in: authorization code with PKCE S256.

The digest of the consent text that the hub showed and the purpose go along, so that the bureau can keep what was agreed to.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urlencode

from hub.connect import Context, Request, Response
from hub.connect.code_grant import CodeGrant
from hub.domain.enums import SourceKind

SCOPE = "credit.report"


@dataclass(frozen=True, slots=True)
class WrittenConsent(CodeGrant):
    """A code grant whose request names the text that was agreed to."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        url = yield from CodeGrant.begin(self, context, redirect_uri=redirect_uri, state=state, verifier=verifier, text_hash=text_hash)
        return f"{url}&{urlencode({'consent_digest': text_hash, 'purpose': context.config['purpose']})}"


def _scopes(context: Context) -> tuple[str, ...]:
    return (SCOPE,)


authorisation = WrittenConsent(_scopes, {SCOPE: SourceKind.BUREAU}, kept=("sqbh",))
