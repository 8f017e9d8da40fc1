"""The hosted link pages: server-rendered, self-contained, strict Content-Security-Policy, no script.

A link opens once: the first browser that opens it is bound to it by a cookie, and every later step is refused to another one. Every refusal is a page that
says what to do next. Progress is looked at anew by a link: a page that reloads itself takes a screen reader back to its beginning (WCAG 2.2.1).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import Row
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.access.audit import AccessLog
from hub.access.forms import read_body
from hub.errors import CallerMustFix, HubError, StoreAway
from hub.link import sessions
from hub.link.manage import ManageService
from hub.link.paper import LANGUAGE_COOKIE, Paper, Way, language_of
from hub.link.service import LinkService, Ticked
from hub.link.sessions import Kind, State
from hub.link.telling import PROBLEMS, log, problem_of, status_of
from hub.link.view import csrf_of
from hub.store.database import STORE_ERRORS, is_away
from hub.store.disputes import LONGEST

LONGEST_FORM = 64 * 1024
"""Bytes: an objection of the longest has 18,000 of them, encoded."""
COOKIE = "link_browser"
MANAGE_COOKIE = "link_manage"
_COOKIES = {Kind.LINK: COOKIE, Kind.MANAGE: MANAGE_COOKIE}
_PLACES: dict[Kind, Callable[[str], tuple[str, str]]] = {
    Kind.LINK: lambda prefix: ("problem.back", f"{prefix}/"),
    Kind.MANAGE: lambda prefix: ("problem.back_manage", f"{prefix}/manage"),
}
Handler = Callable[[Request], Awaitable[Response]]


class LinkPages:
    """The routes below ``/link``."""

    def __init__(self, service: LinkService, log: AccessLog, prefix: str = "/link") -> None:
        self.service, self.prefix = service, prefix
        self.manager, self.paper = ManageService(service, log), Paper(prefix, service.grantee)

    def app(self) -> Starlette:
        routes = [
            Route("/style.css", self.stylesheet),
            self._route("/s/{token}", self.open),
            self._route("/", self.show),
            self._route("/agree", self.agree, "POST"),
            self._route("/callback/{connector}", self.callback),
            self._route("/finish", self.finish, "POST"),
            self._route("/problem/{problem}", self.problem),
            self._route("/manage", self.manage),
            self._route("/manage/open", self.open_manage, "POST"),
            self._route("/manage/withdraw", self.withdraw, "POST"),
            self._route("/manage/withdrawn", self.withdrawn),
            self._route("/manage/object", self.object, "POST"),
            self._route("/manage/leave", self.leave, "POST"),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: self._refused, Exception: self._failed})

    async def stylesheet(self, request: Request) -> Response:
        return PlainTextResponse(self.paper.style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def open(self, request: Request) -> Response:
        """The first step: binds this browser, then hides the token from the address bar."""
        brought = [request.cookies[name] for name in _COOKIES.values() if name in request.cookies]
        bound = await self.service.bind(request.path_params["token"], *brought)
        answer = RedirectResponse(f"{self.prefix}/" if bound.kind is Kind.LINK else f"{self.prefix}/manage", 303)
        self._remember(answer, _COOKIES[bound.kind], bound.browser)
        return answer

    async def show(self, request: Request) -> Response:
        view = await self.service.view(_browser(request, Kind.LINK))
        await self.manager.log.write([view.look])
        template = "finished.html" if view.finished else "ask.html"
        return self.paper.page(request, template, *view.origins, view.back, view=view)

    async def agree(self, request: Request) -> Response:
        """The customer agrees to the ticked items of one platform and is sent there."""
        form = await _form(request)
        browser = _checked(request, Kind.LINK, form.get("csrf", ""))
        evidence = {
            "user_agent": request.headers.get("user-agent", "")[:200],
            "address": request.client.host if request.client else "",
            "language": language_of(request),
        }
        offered = (form.get("connector", ""), form.get("offer", ""))
        consents, apps = (form.getlist(name) for name in ("consent", "app"))
        return RedirectResponse(await self.service.agree(browser, *offered, Ticked(consents, apps), evidence), 303)

    async def callback(self, request: Request) -> Response:
        """The platform sends the customer back."""
        query = dict(request.query_params.items())
        await self.service.complete(_browser(request, Kind.LINK), request.path_params["connector"], query)
        return RedirectResponse(f"{self.prefix}/", 303)

    async def finish(self, request: Request) -> Response:
        form = await _form(request)
        return RedirectResponse(await self.service.finish(_checked(request, Kind.LINK, form.get("csrf", ""))), 303)

    async def problem(self, request: Request) -> Response:
        """A refusal once more, in the other language: its own address may be one that only a form or a platform leads to."""
        named = request.path_params["problem"]
        return await self._problem(request, named if named in PROBLEMS else "not_found")

    async def manage(self, request: Request) -> Response:
        before = request.query_params.get("before")
        view = await self.manager.view(_browser(request, Kind.MANAGE), _id(before))
        return self.paper.page(request, "manage.html", view.back, view=view, before=before, today=self.service.clock.today(), most=LONGEST)

    async def open_manage(self, request: Request) -> Response:
        form = await _form(request)
        browser = _checked(request, Kind.LINK, form.get("csrf", ""))
        answer = RedirectResponse(f"{self.prefix}/manage", 303)
        self._remember(answer, MANAGE_COOKIE, await self.manager.open_from_link(browser))
        return answer

    async def withdraw(self, request: Request) -> Response:
        form = await _form(request)
        browser = _checked(request, Kind.MANAGE, form.get("csrf", ""))
        consents, apps = (list(dict.fromkeys(form.getlist(name))) for name in ("consent", "app"))
        await self.manager.withdraw(browser, consents, apps)
        done = urlencode([*(("consent", one) for one in consents), *(("app", one) for one in apps)])
        return RedirectResponse(f"{self.prefix}/manage/withdrawn?{done}", 303)

    async def withdrawn(self, request: Request) -> Response:
        named = [request.query_params.getlist(name) for name in ("consent", "app")]
        given, taken = await self.manager.withdrawn(_browser(request, Kind.MANAGE), *named)
        return self.paper.page(request, "withdrawn.html", given=given, taken=taken)

    async def object(self, request: Request) -> Response:
        form = await _form(request)
        browser = _checked(request, Kind.MANAGE, form.get("csrf", ""))
        await self.manager.object(browser, *(form.get(name, "") for name in ("once", "kind", "statement")))
        return RedirectResponse(f"{self.prefix}/manage#objections", 303)

    async def leave(self, request: Request) -> Response:
        form = await _form(request)
        return RedirectResponse(await self.manager.leave(_checked(request, Kind.MANAGE, form.get("csrf", ""))), 303)

    def _remember(self, answer: Response, name: str, value: str) -> None:
        secure = self.service.origin.startswith("https:")
        answer.set_cookie(name, value, max_age=3600, path=self.prefix, httponly=True, samesite="lax", secure=secure)

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def guarded(request: Request) -> Response:
            try:
                answer = await handler(request)
            except HubError as error:
                answer = await self._problem(request, problem_of(error))
            except STORE_ERRORS as error:
                if not is_away(error):
                    raise
                answer = self._away(request)
            return self._finished(request, answer)

        return Route(path, guarded, methods=[method])

    def _finished(self, request: Request, answer: Response) -> Response:
        for name, value in self.paper.policy().items():
            answer.headers.setdefault(name, value)
        if request.query_params.get("lang") in ("zh", "en"):
            self._remember(answer, LANGUAGE_COOKIE, request.query_params["lang"])
        return answer

    async def _refused(self, request: Request, error: Exception) -> Response:
        """What the router refuses: no such address, or another method."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        answer = await self._problem(request, {404: "not_found", 405: "method"}.get(status, "other"))
        answer.status_code = status
        answer.headers.update(getattr(error, "headers", None) or {})
        return self._finished(request, answer)

    def _away(self, request: Request) -> Response:
        """The store cannot be reached: nothing more is asked of it."""
        log.error("link_store_away")
        answer = self.paper.page(request, "problem.html", switch=f"{self.prefix}/problem/away?", key="away", ways=[])
        answer.status_code = status_of("away")
        answer.headers["Retry-After"] = str(StoreAway.seconds)
        return answer

    async def _failed(self, request: Request, error: Exception) -> Response:
        """What nobody expected is logged by the server; whatever broke is not asked for more."""
        answer = self.paper.page(request, "problem.html", switch=f"{self.prefix}/problem/us?", key="us", ways=[])
        answer.status_code = 500
        return answer

    async def _problem(self, request: Request, problem: str) -> Response:
        answer = self.paper.page(
            request, "problem.html", switch=f"{self.prefix}/problem/{problem}?", key=problem, ways=await self._ways(request)
        )
        answer.status_code = status_of(problem)
        return answer

    async def _ways(self, request: Request) -> list[Way]:
        """Where a customer can go from a refusal: back to what still stands in this browser, else to the app."""
        first, second = (Kind.MANAGE, Kind.LINK) if request.scope["path"].startswith(f"{self.prefix}/manage") else (Kind.LINK, Kind.MANAGE)
        found = {kind: session for kind in (first, second) if (session := await self._session(request, kind)) is not None}
        inside = [Way(*_PLACES[kind](self.prefix)) for kind, session in found.items() if _stands(kind, session)]
        outside = [
            Way("problem.app", sessions.way_back(one, sessions.state_of(one).lower()), one.app or one.client_id) for one in found.values()
        ]
        return inside or outside[:1]

    async def _session(self, request: Request, kind: Kind) -> Row[Any] | None:
        browser = request.cookies.get(_COOKIES[kind])
        if not browser:
            return None
        async with self.service.database.work() as tx:
            return await sessions.of_browser(tx, browser, kind)


def _stands(kind: Kind, session: Row[Any]) -> bool:
    """Whether the page of a session still shows something: a finished link does, for a while."""
    state = sessions.state_of(session)
    return state is State.OPEN or (kind is Kind.LINK and state is State.DONE)


def _browser(request: Request, kind: Kind) -> str:
    browser = request.cookies.get(_COOKIES[kind])
    if not browser:
        raise sessions.elsewhere()
    return browser


async def _form(request: Request) -> ImmutableMultiDict[str, str]:
    """What a page's form sends. A longer body than any of them has is not read to its end: nobody has shown a cookie yet."""
    body = await read_body(request, LONGEST_FORM)
    if body is None:
        raise CallerMustFix("The form is too long.", remedy="Go back to the page and try again.")
    return ImmutableMultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _checked(request: Request, kind: Kind, csrf: str) -> str:
    browser = _browser(request, kind)
    if not secrets.compare_digest(csrf.encode(), csrf_of(browser).encode()):
        raise CallerMustFix("The form did not come from this page.", remedy="Reload the page and try again.", told="foreign_form")
    return browser


def _id(text: str | None) -> UUID | None:
    """An id, or none for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
