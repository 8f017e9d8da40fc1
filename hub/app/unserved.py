"""What is told to who asks under another host (421), at no address (404) or by another method (405): one error in the form of GraphQL's, with what to do.

Nothing of what was asked is repeated. The link pages have pages of their own for it; what lies below ``/oauth`` answers in the form of RFC 6749.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schema.body import BadRequest

_KIND = "application/json; charset=utf-8"


def misdirected(origin: str) -> Response:
    """``origin`` is the hub's public one."""
    remedy = f"Ask under {origin}, which the institution has set (HUB_PUBLIC_ORIGIN). A proxy in front hands the header Host on as it came."
    return _answer(BadRequest("The hub does not answer to this host.", 421, remedy))


async def not_found(request: Request, error: Exception) -> Response:
    remedy = "Send GraphQL as POST /graphql. /.well-known/oauth-authorization-server names the addresses for tokens."
    return _answer(BadRequest("There is nothing at this address.", 404, remedy))


async def other_method(request: Request, error: Exception) -> Response:
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    bad = BadRequest("This address is not asked by this method.", 405, f"Use {headers.get('Allow', 'another one')}.")
    if request.scope["path"].startswith("/oauth/"):
        told = {"error": "invalid_request", "error_description": f"{bad} {bad.remedy}"}
        return Response(orjson.dumps(told), 405, {"Cache-Control": "no-store", **headers}, _KIND)
    return _answer(bad, headers)


def _answer(bad: BadRequest, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(bad.told()), bad.status, {"Cache-Control": "no-store", **(headers or {})}, _KIND)
