"""Reading a form strictly: one content type, a small body, each parameter once."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from hub.errors import TokenInvalid

MAX_FORM = 16 * 1024


async def read_body(request: Request, limit: int) -> bytes | None:
    """The body, or None when it is longer than ``limit``: it is not read to its end."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Raises TokenInvalid for anything but a plain form. Credentials in the query or in an Authorization header are refused."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or request.url.query or "authorization" in request.headers:
        raise TokenInvalid("Send a form, and credentials nowhere else.")
    body = await read_body(request, MAX_FORM)
    if body is None:
        raise TokenInvalid("The form is too long.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise TokenInvalid("The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenInvalid("A parameter appears twice.")
    return form
