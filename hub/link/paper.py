"""How a page is made: its template, its words in the customer's language, and the policy it is sent under."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hub.domain.periods import CHINA
from hub.link.telling import fault_told
from hub.link.words import LANGUAGES, Words, preferred

LANGUAGE_COOKIE = "link_language"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")


@dataclass(frozen=True, slots=True)
class Way:
    """Where a customer can go from a page: the key of its words, its address, the name of the app in it."""

    key: str
    url: str
    app: str = ""


class Paper:
    """See the module. ``stamp`` changes with the style sheet, so that a browser keeps no old one."""

    def __init__(self, prefix: str, grantee: str) -> None:
        folder = files("hub.link") / "templates"
        pages = {page.name: page.read_text("utf-8") for page in folder.iterdir() if page.name.endswith(".html")}
        self.style = (folder / "style.css").read_text("utf-8")
        self.templates = Environment(
            loader=DictLoader(pages), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        stamp = hashlib.sha256(self.style.encode()).hexdigest()[:12]
        self.templates.globals.update(prefix=prefix, grantee=grantee, china=CHINA, told=fault_told, stamp=stamp)

    def page(self, request: Request, template: str, *targets: str, switch: str | None = None, **values: Any) -> Response:
        """A page whose forms may lead to ``targets``. ``switch`` is where the language is chosen: this page itself, but for one that only a form leads to."""
        words = Words(language_of(request))
        place = switch if switch is not None else _switch(request)
        html = self.templates.get_template(template).render(t=words, switch=place, now=datetime.now(UTC), **values)
        return HTMLResponse(html, headers=self.policy(*targets) | {"Content-Language": words("lang")})

    def policy(self, *targets: str) -> dict[str, str]:
        """``form-action`` names the platforms and the partner app because browsers apply it to the redirect that follows a form."""
        origins = sorted({found for target in targets if (found := _origin(target))})
        actions = " ".join(("'self'", *origins))
        return {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'self'; form-action {actions}; frame-ancestors 'none'; base-uri 'none'"
            ),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }


def language_of(request: Request) -> str:
    """What was chosen, else what the browser prefers."""
    chosen = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    return next((one for one in chosen if one in LANGUAGES), None) or preferred(request.headers.get("accept-language", ""))


def _switch(request: Request) -> str:
    """The same page with what it was asked for, to be followed by the language."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"?{urlencode(kept)}&" if kept else "?"


def _origin(url: str) -> str | None:
    """Scheme, host and port of an address; nothing for what could be read as more than that in a header."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _ORIGIN.fullmatch(origin) else None
