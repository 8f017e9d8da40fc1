"""The hosted link pages: server-rendered, self-contained, strict Content-Security-Policy.

A link opens once: the first browser that opens it is bound to it by a cookie, and every later step is refused to another one.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from importlib.resources import files

import structlog
from jinja2 import DictLoader, Environment, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.errors import CallerMustFix, CustomerMustAct, FixConfiguration, HubError, PlatformFault, WaitAndRetry
from hub.link.service import LinkService
from hub.link.view import csrf_of

log = structlog.get_logger("hub.link")

COOKIE = "link_browser"
_STATES = {
    "OPEN": {"zh": "未授权", "en": "not authorised"},
    "ACTIVE": {"zh": "已授权", "en": "authorised"},
    "REAUTHORISE": {"zh": "需重新授权", "en": "authorise again"},
    "DISCONNECTED": {"zh": "已断开", "en": "disconnected"},
}
_NOT_SET_UP = {
    "zh": "机构的服务暂未设置好，请稍后再试。",
    "en": "The institution's service is not set up correctly at the moment. Try again later.",
}
_FAULTS = {
    "Misconfigured": _NOT_SET_UP,
    "FixConfiguration": _NOT_SET_UP,
    "GrantRevoked": {"zh": "您未在平台同意授权。", "en": "You did not agree at the platform."},
    "Reauthorise": {"zh": "平台不再接受原授权，请重新授权。", "en": "The platform no longer accepts the authorisation. Authorise again."},
    "other": {"zh": "平台暂时没有回应，请稍后再试。", "en": "The platform did not answer as it should. Try again later."},
}
"""What a customer is told of a fault, by its class: never its words, which are the operator's."""


def _templates() -> Environment:
    folder = files("hub.link") / "templates"
    return Environment(
        loader=DictLoader({n: (folder / n).read_text("utf-8") for n in ("page.html", "refused.html")}), autoescape=select_autoescape()
    )


class LinkPages:
    """The routes below ``/link``."""

    def __init__(self, service: LinkService, prefix: str = "/link") -> None:
        self.service, self.prefix, self.templates = service, prefix, _templates()
        self.style = (files("hub.link") / "templates" / "style.css").read_text("utf-8")

    def app(self) -> Starlette:
        routes = [
            Route("/style.css", self.stylesheet),
            Route("/s/{token}", self._guarded(self.open)),
            Route("/", self._guarded(self.show)),
            Route("/agree", self._guarded(self.agree), methods=["POST"]),
            Route("/callback/{connector}", self._guarded(self.callback)),
            Route("/finish", self._guarded(self.finish), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def stylesheet(self, request: Request) -> Response:
        return PlainTextResponse(self.style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def open(self, request: Request) -> Response:
        """The first step: binds this browser, then hides the token from the address bar."""
        browser = await self.service.bind(request.path_params["token"], request.cookies.get(COOKIE))
        answer = RedirectResponse(f"{self.prefix}/", 303)
        answer.set_cookie(
            COOKIE, browser, max_age=3600, path=self.prefix, httponly=True, samesite="lax", secure=self.service.origin.startswith("https:")
        )
        return answer

    async def show(self, request: Request) -> Response:
        view = await self.service.view(_browser(request))
        zh = request.query_params.get("lang", "zh" if "zh" in request.headers.get("accept-language", "zh") else "en") != "en"
        return HTMLResponse(
            self.templates.get_template("page.html").render(view=view, zh=zh, prefix=self.prefix, states=_STATES, faults=_FAULTS),
            headers=self._policy(*view.origins),
        )

    async def agree(self, request: Request) -> Response:
        """The customer agrees to the ticked items of one platform and is sent there."""
        form = await request.form()
        browser = _checked(request, str(form.get("csrf", "")))
        evidence = {"user_agent": request.headers.get("user-agent", "")[:200], "address": request.client.host if request.client else ""}
        ticked = [str(value) for value in form.getlist("consent")]
        return RedirectResponse(await self.service.agree(browser, str(form.get("connector", "")), ticked, evidence), 303)

    async def callback(self, request: Request) -> Response:
        """The platform sends the customer back."""
        query = dict(request.query_params.items())
        await self.service.complete(_browser(request), request.path_params["connector"], query)
        return RedirectResponse(f"{self.prefix}/", 303)

    async def finish(self, request: Request) -> Response:
        form = await request.form()
        return RedirectResponse(await self.service.finish(_checked(request, str(form.get("csrf", "")))), 303)

    def _policy(self, *origins: str) -> dict[str, str]:
        """``form-action`` names the platforms because browsers apply it to the redirect that follows a form."""
        targets = " ".join(("'self'", *origins))
        csp = f"default-src 'none'; style-src 'self'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
        return {
            "Content-Security-Policy": csp,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                answer = await handler(request)
            except HubError as error:
                page = self.templates.get_template("refused.html").render(message=_told(error), prefix=self.prefix)
                answer = HTMLResponse(page, _status(error))
            for name, value in self._policy().items():
                answer.headers.setdefault(name, value)
            return answer

        return guarded


def _status(error: HubError) -> int:
    """What is the platform's fault is a bad gateway, what time heals is unavailable, what an operator must fix is ours, the rest is the caller's."""
    kinds = ((PlatformFault, 502), (WaitAndRetry, 503), (FixConfiguration, 500))
    return next((status for kind, status in kinds if isinstance(error, kind)), 403)


def _told(error: HubError) -> str:
    """A customer is not told how this hub is configured."""
    if not isinstance(error, FixConfiguration):
        return error.sentence()
    log.error("link_misconfigured", fault=type(error).__name__)
    return _NOT_SET_UP["en"]


def _browser(request: Request) -> str:
    browser = request.cookies.get(COOKIE)
    if not browser:
        raise CustomerMustAct("This page was opened in another browser, or its cookie is gone.", remedy="Ask for a new link.")
    return browser


def _checked(request: Request, csrf: str) -> str:
    browser = _browser(request)
    if not secrets.compare_digest(csrf.encode(), csrf_of(browser).encode()):
        raise CallerMustFix("The form did not come from this page.", remedy="Reload the page and try again.")
    return browser
