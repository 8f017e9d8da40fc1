"""How an endpoint below ``/oauth`` refuses: the errors of RFC 6749 (section 5.2), RFC 8707 and RFC 9449, with a sentence that helps whoever may ask.

Nobody learns from a refusal which clients and keys there are: until a client has proved itself, unknown, disabled and wrongly signed are one sentence. What the database
says is never repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.access.proofs import NonceNeeded
from hub.errors import CallerMustFix, InvalidInput
from hub.store.database import STORE_ERRORS, is_away

Handler = Callable[[Request], Awaitable[Response]]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_log = structlog.get_logger("hub.oauth")


class Refusal(Exception):
    """An OAuth error answer. It is no frozen dataclass: on its way out of a transaction Python writes its traceback into it."""

    def __init__(self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.error, self.description, self.status, self.headers = error, description, status, headers or {}


def answering(handler: Handler, nonce: Callable[[], str]) -> Handler:
    """Expected errors become OAuth error answers; a client that fails to prove itself gets 401. Every answer brings the nonce of the next proof."""

    async def answer(request: Request) -> Response:
        try:
            found = await handler(request)
        except Refusal as refusal:
            found = _refused(refusal)
        except (CallerMustFix, *STORE_ERRORS) as error:
            found = _refused(_refusal_of(error))
        found.headers["DPoP-Nonce"] = nonce()
        return found

    return answer


def _refusal_of(error: Exception) -> Refusal:
    match error:
        case NonceNeeded():
            return Refusal("use_dpop_nonce", error.sentence())
        case InvalidInput():
            return Refusal("invalid_request", error.sentence())
        case CallerMustFix():
            return Refusal("invalid_client", error.sentence(), 401)
    away = is_away(error)
    _log.error("oauth.failed", kind=type(error).__name__, away=away)
    if away:
        return Refusal("temporarily_unavailable", "The hub cannot answer now. Try again in a moment.", 503, {"Retry-After": "1"})
    return Refusal("server_error", "Something went wrong in the hub.", 500)


def _refused(refusal: Refusal) -> Response:
    _log.info("oauth.refused", error=refusal.error, status=refusal.status)
    body = {"error": refusal.error, "error_description": refusal.description}
    return JSONResponse(body, refusal.status, headers={**NO_STORE, **refusal.headers})
