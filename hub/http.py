"""The one place that opens sockets.

:class:`Http` calls platforms: only hosts that an operator listed, explicit time limits, no redirects, no proxy from the environment, answers capped, a pool of
connections per platform so that one that hangs costs the others nothing. :class:`Browser` acts for a person in the demo and reaches loopback only.
:class:`Caller` speaks to a hub's own API.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import httpcore
import httpx

from hub.addresses import Network, may_be_reached
from hub.connect import Request, Response
from hub.domain.identifiers import new_id
from hub.errors import ContractBroken, FixConfiguration, PlatformBusy
from hub.wire import Backend

MAXIMUM = 16 * 1024 * 1024
WHOLE_CALL = 60.0
INTERACTION = "X-Interaction-Id"
_LIMITS = httpx.Timeout(30.0, connect=5.0)
_IDLE = 2.0
"""Seconds a connection is kept for the next call: shorter than any server keeps it, so that a call that may not be repeated does not meet a closing one."""
# Raw pages are kept as received, so no compression is asked for.
_DEFAULTS = (("Accept", "*/*"), ("Accept-Encoding", "identity"), ("Connection", "keep-alive"), ("User-Agent", "zengxin-hub"))
# What a prefix is compared with must be what the server reads: no dot segments, also none in disguise (nor in a disguise that a second decoding
# would lift), no backslash, no control characters.
_DISGUISED = re.compile(r"\.\.|%(25)*(2e|2f|5c)|\\|[^\x21-\x7e]", re.IGNORECASE)


class PlatformUnreachable(PlatformBusy):
    """The platform does not answer."""

    remedy = "Its data is missing until it answers again."

    @property
    def unsent(self) -> bool:
        """Whether the request certainly never reached the platform, so that even one with an effect may be repeated."""
        return bool(self.facts.get("unsent"))


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
        parts = _split(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or parts.query or (parts.scheme == "http" and not is_loopback(host)):
            raise HostNotAllowed("A base URL must be https, or http on loopback, without user info, query or fragment.")
        return Allowed(parts.scheme, host, _port(parts), parts.path.rstrip("/"))

    def admits(self, url: str) -> bool:
        """Whether a URL lies below this entry. Raises HostNotAllowed for one that no entry may admit."""
        parts = _split(url)
        same = (parts.scheme, parts.hostname, _port(parts)) == (self.scheme, self.host, self.port)
        return same and (parts.path == self.prefix or parts.path.startswith(self.prefix + "/"))


def _split(url: str) -> SplitResult:
    """The parts of a plain URL. Raises HostNotAllowed for user info, fragments, disguised paths, hosts that only look like names."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise HostNotAllowed("This is not a URL.") from None
    # Lowering a host can turn a foreign letter into an ASCII one (the Kelvin sign into k), so the host is looked at as it was written.
    dressed = "@" in parts.netloc or not parts.netloc.isascii() or parts.fragment or port == 0 or any(char <= " " for char in url)
    if dressed or _DISGUISED.search(parts.path) or not _is_plain(host):
        raise HostNotAllowed(
            "Only plain URLs are called: no user info, no fragment, no encoded path separators, a name or address as host."
        )
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


@lru_cache(maxsize=256)
def _is_plain(host: str) -> bool:
    """A DNS name, a full dotted quad or an IPv6 address. Forms that a resolver would turn into an address (``127.1``, ``0x7f.1``) are none."""
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return bool(re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", host)) and not re.fullmatch(
            r"(0x[0-9a-f]*|\d+)", host.rsplit(".", 1)[-1]
        )


def is_loopback(host: str) -> bool:
    """A dotted quad or IPv6 address on loopback; names are not trusted, except localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def _resolved(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system finds them. Raises httpcore.ConnectError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Checked(httpcore.AsyncNetworkBackend):
    """Connects to the address that was checked. A name is resolved once, and all that it leads to must be reachable by the rules: one that also leads inside is
    not half good. A listed address is what the operator chose. TLS goes on to ask for the certificate of the name.
    """

    def __init__(
        self, private: Sequence[Network] = (), *, resolve: Resolve = _resolved, inner: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._private, self._resolve, self._inner = tuple(private), resolve, inner or Backend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Tries the addresses in their order. Raises HostNotAllowed before any socket is opened, httpcore.ConnectError and ConnectTimeout."""
        addresses = [host] if _is_address(host) else await self._checked(host, port)
        failed: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        addresses = await self._resolve(host, port)
        if not all(self._is_allowed(host, address) for address in addresses):
            raise HostNotAllowed(
                f"The name {host} leads to an address that is not public.", remedy="If it shall, name the network in HUB_PRIVATE_NETWORKS."
            )
        return addresses

    def _is_allowed(self, host: str, address: str) -> bool:
        return ipaddress.ip_address(address).is_loopback if is_loopback(host) else may_be_reached(address, self._private)


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


class Http:
    """Calls platforms. One per process; close it at the end. ``connections`` is per platform (scheme, host and port); names may lead to ``private``
    networks and to public addresses.

    ``allowed`` lists base URLs by who may call them: a connector calls its own platform, and not another's with its secrets. What is listed for nobody by
    name may be called by all.
    """

    def __init__(
        self,
        allowed: Mapping[str, Iterable[str]] | Iterable[str],
        *,
        connections: int = 16,
        private: Sequence[Network] = (),
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        listed = allowed if isinstance(allowed, Mapping) else {"": allowed}
        self._allowed = {caller: tuple(Allowed.of(url) for url in urls) for caller, urls in listed.items()}
        self._backend = backend or Checked(private)
        self._limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE)
        self._transports: dict[tuple[str, str, int], httpx.AsyncHTTPTransport] = {}

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    async def send(self, base_url: str, request: Request, caller: str = "", most: int | None = None) -> Response:
        """Sends a connector's signed request below a base URL, which may bring ``most`` bytes. Raises HostNotAllowed, PlatformUnreachable, ContractBroken (too large or packed an answer)."""
        url = base_url.rstrip("/") + request.path
        if request.query:
            url += ("&" if "?" in url else "?") + urlencode(request.query)
        transport = self._transport(url, caller)
        try:
            async with asyncio.timeout(WHOLE_CALL):
                answer = await transport.handle_async_request(_prepared(url, request))
                try:
                    body = await _capped(answer, most or MAXIMUM)
                finally:
                    await answer.aclose()
        except (httpx.TransportError, TimeoutError) as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise PlatformUnreachable(f"The platform does not answer ({type(error).__name__}).", unsent=unsent) from None
        except httpx.InvalidURL:
            raise HostNotAllowed("This is not a URL.") from None
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)

    def _transport(self, url: str, caller: str) -> httpx.AsyncHTTPTransport:
        """The pool of the platform that a URL belongs to. Raises HostNotAllowed before any socket is opened."""
        for entry in (*self._allowed.get("", ()), *self._allowed.get(caller, ())):
            if entry.admits(url):
                key = (entry.scheme, entry.host, entry.port)
                if key not in self._transports:
                    self._transports[key] = self._pool()
                return self._transports[key]
        raise HostNotAllowed(f"The host {urlsplit(url).hostname} is not on the operator's list.")

    def _pool(self) -> httpx.AsyncHTTPTransport:
        transport = httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=self._limits)
        # httpx has no parameter for it; that the pool asks this backend is a test.
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=self._limits.max_connections,
            max_keepalive_connections=self._limits.max_keepalive_connections,
            keepalive_expiry=self._limits.keepalive_expiry,
            network_backend=self._backend,
        )
        return transport


@cache
def _tls() -> ssl.SSLContext:
    """How certificates are checked, by all who call. Reading the authorities takes a while, in which nothing else goes on."""
    return httpx.create_ssl_context(trust_env=False)


def _prepared(url: str, request: Request) -> httpx.Request:
    """As it is sent. A transport follows no redirect and keeps no cookie, which a client would have to be forbidden: what one customer's call brings must not
    travel with another's."""
    given = {name.lower() for name, _ in request.headers}
    headers = [(name, value) for name, value in _DEFAULTS if name.lower() not in given]
    if INTERACTION.lower() not in given:
        headers.append((INTERACTION, str(new_id())))
    return httpx.Request(
        request.method, url, headers=[*headers, *request.headers], content=request.body or None, extensions={"timeout": _LIMITS.as_dict()}
    )


async def _capped(answer: httpx.Response, most: int) -> bytes:
    """The bytes as received. One that is packed though nobody asked is refused: its hash would not be that of the answer, and it may be a bomb."""
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ContractBroken("The platform's answer is compressed, which was not asked for.")
    parts, size = [], 0
    assert isinstance(answer.stream, httpx.AsyncByteStream)
    async for part in answer.stream:
        size += len(part)
        if size > most:
            raise ContractBroken(f"The platform's answer is larger than {most} bytes.")
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
    given = {"Accept-Language": "zh-CN"}
    async with httpx.AsyncClient(verify=_tls(), timeout=_LIMITS, follow_redirects=False, trust_env=False, headers=given) as client:
        yield Browser(client)


class Caller:
    """A client's way to a hub's API over HTTP (scripts, the demo)."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._client = httpx.AsyncClient(base_url=origin, verify=_tls(), timeout=_LIMITS, follow_redirects=False, trust_env=False)

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Response:
        return await self._send("POST", path, body, headers)

    async def get(self, path: str) -> Response:
        return await self._send("GET", path, None, {})

    async def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        try:
            answer = await self._client.request(method, path, content=body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise PlatformUnreachable(
                f"No hub answers at {self.origin} ({type(error).__name__}).", remedy="Check the address, and that it runs."
            ) from None
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    async def close(self) -> None:
        await self._client.aclose()
