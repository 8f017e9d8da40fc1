"""Reading a form strictly: one content type, a small body, each parameter once, credentials in the form and nowhere else."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from hub.access.refusals import Refusal
from hub.errors import InvalidInput

MAX_FORM = 16 * 1024
_SCHEMES = {"basic": 'Basic realm="hub"', "bearer": "Bearer", "dpop": "DPoP"}


async def read_body(request: Request, limit: int) -> bytes | None:
    """The body, or None when it is longer than ``limit``: it is not read to its end."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Raises InvalidInput for anything but a plain form, and a Refusal for credentials in an Authorization header."""
    if "authorization" in request.headers:
        raise _other_authentication(request.headers["authorization"])
    if request.url.query:
        raise InvalidInput("Parameters are sent in the body: an address ends in logs.")
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput("Send a form (application/x-www-form-urlencoded).")
    body = await read_body(request, MAX_FORM)
    if body is None:
        raise InvalidInput("The form is too long.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise InvalidInput("The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidInput("A parameter appears twice.")
    return form


def _other_authentication(header: str) -> Refusal:
    """The answer names the scheme that was tried (RFC 6749, section 5.2)."""
    scheme = _SCHEMES.get(header.partition(" ")[0].lower(), _SCHEMES["basic"])
    said = "A client proves itself with a signed assertion in the form (private_key_jwt), and with nothing else."
    return Refusal("invalid_client", said, 401, {"WWW-Authenticate": scheme})
