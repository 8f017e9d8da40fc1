"""A page to ask from, for the institution's own people: one file of ours, nothing from elsewhere. Off unless the operator turns it on (``HUB_EXPLORER``).

It is for unbound tokens, which no partner may have. The page may run its own script and speak to its own hub; what a hash does not name is not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/explorer"


def explorer() -> Route:
    page = (files("hub.app") / "pages" / "explorer.html").read_text("utf-8")
    headers = {
        "Content-Security-Policy": policy(page),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    async def show(_request: Request) -> Response:
        return Response(page, headers=headers, media_type="text/html; charset=utf-8")

    return Route(PATH, show)


def policy(page: str) -> str:
    """The one script and the one style of the page, by their hashes, and requests to the hub itself."""
    script, style = (_hash(re.findall(f"<{tag}>(.*?)</{tag}>", page, re.S)) for tag in ("script", "style"))
    return f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _hash(found: list[str]) -> str:
    (text,) = found
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
