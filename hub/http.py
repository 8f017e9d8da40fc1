"""The one place that opens sockets.

:class:`Http` calls platforms: only hosts that an operator listed, explicit time limits, no redirects, no proxy from the environment, answers
capped. :class:`Browser` acts for a person in the demo and reaches loopback only.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from hub.connect import Request, Response
from hub.domain.identifiers import new_id
from hub.errors import ContractBroken, FixConfiguration, PlatformBusy

MAXIMUM = 16 * 1024 * 1024
WHOLE_CALL = 60.0
_LIMITS = httpx.Timeout(30.0, connect=5.0)


class PlatformUnreachable(PlatformBusy):
    """The platform does not answer."""

    remedy = "Its data is missing until it answers again."


class HostNotAllowed(FixConfiguration):
    """This address is not on the operator's list."""

    remedy = "Only a connector's configured base URLs may be called."


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of the operator's list: scheme, exact host and port, path prefix."""

    scheme: str
    host: str
    port: int
    prefix: str

    @staticmethod
    def of(url: str) -> Allowed:
        """Raises HostNotAllowed for what may never be listed: plain http off loopback, user info, a fragment, an odd host."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = host.isascii() and host != "" and parts.username is None and not parts.fragment
        if not plain or parts.scheme not in ("http", "https") or (parts.scheme == "http" and not is_loopback(host)):
            raise HostNotAllowed("A base URL must be https, or http on loopback, without user info or fragment.")
        return Allowed(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/"))

    def admits(self, url: str) -> bool:
        parts = urlsplit(url)
        same = (parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)) == (self.scheme, self.host, self.port)
        below = parts.path == self.prefix or parts.path.startswith(self.prefix + "/")
        return same and below and ".." not in parts.path and parts.username is None


def is_loopback(host: str) -> bool:
    """A dotted quad or IPv6 address on loopback; names are not trusted, except localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Http:
    """Calls platforms. One per process; close it at the end."""

    def __init__(self, allowed: Iterable[str], *, connections: int = 32) -> None:
        self._allowed = tuple(Allowed.of(url) for url in allowed)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(timeout=_LIMITS, follow_redirects=False, trust_env=False, limits=limits)

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, base_url: str, request: Request) -> Response:
        """Sends a signed request below a base URL. Raises HostNotAllowed, PlatformUnreachable, ContractBroken (too large an answer)."""
        url = base_url.rstrip("/") + request.path
        if request.query:
            url += ("&" if "?" in url else "?") + urlencode(request.query)
        if not any(entry.admits(url) for entry in self._allowed):
            raise HostNotAllowed(f"The host {urlsplit(url).hostname} is not on the operator's list.")
        headers = [*request.headers, ("X-Interaction-Id", str(new_id()))]
        try:
            async with asyncio.timeout(WHOLE_CALL):
                async with self._client.stream(request.method, url, headers=headers, content=request.body or None) as answer:
                    body = await _capped(answer)
        except (httpx.TransportError, TimeoutError) as error:
            raise PlatformUnreachable(f"The platform does not answer ({type(error).__name__}).") from None
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)


async def _capped(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MAXIMUM:
            raise ContractBroken(f"The platform's answer is larger than {MAXIMUM} bytes.")
        parts.append(part)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser shows after following redirects."""

    status: int
    url: str
    text: str


class Browser:
    """A person's browser on loopback: cookies, redirects, forms. Used by the demo and by tests."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, url: str) -> Shown:
        return await self._go("GET", url, None, True)

    async def post(self, url: str, form: str, *, follow: bool = True) -> Shown:
        return await self._go("POST", url, form, follow)

    async def _go(self, method: str, url: str, form: str | None, follow: bool) -> Shown:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        for _ in range(10):
            if not is_loopback(urlsplit(url).hostname or ""):
                return Shown(200, url, "")
            try:
                answer = await self._client.request(method, url, content=form, headers=headers)
            except httpx.TransportError as error:
                raise PlatformUnreachable(f"The page does not answer ({type(error).__name__}).") from None
            if not (follow and answer.is_redirect and answer.next_request):
                return Shown(answer.status_code, str(answer.url), answer.text)
            method, url, form, headers = "GET", str(answer.next_request.url), None, {}
        raise ContractBroken("The page redirects for ever.")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser with a cookie jar of its own."""
    async with httpx.AsyncClient(timeout=_LIMITS, follow_redirects=False, trust_env=False, headers={"Accept-Language": "zh-CN"}) as client:
        yield Browser(client)


class Caller:
    """A client's way to a hub's API over HTTP (scripts, the demo)."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._client = httpx.AsyncClient(base_url=origin, timeout=_LIMITS, follow_redirects=False, trust_env=False)

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Response:
        answer = await self._client.post(path, content=body, headers=headers)
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    async def get(self, path: str) -> Response:
        answer = await self._client.get(path)
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    async def close(self) -> None:
        await self._client.aclose()
