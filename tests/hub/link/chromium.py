"""A real browser, driven over the DevTools protocol: opens pages, presses what a person would press, takes pictures.

No library drives it: the protocol is JSON over a WebSocket. Its own connections are kept on loopback; the partner app's page is answered here, because it is
nobody's. ``complaints`` are what the browser said against a page: a policy that was broken, a script or a file that failed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PARTNER = "https://partner.example/"
_FLAGS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--hide-scrollbars", "--mute-audio",
    "--disable-features=BackForwardCache", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_AT_PARTNER = "<!doctype html><html lang=en><title>Partner app</title><h1>Partner app</h1></html>"
PATIENCE = 20


def found() -> str | None:
    """Where Chromium is, if it is anywhere."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


@dataclass(frozen=True)
class Size:
    """A screen."""

    name: str
    width: int
    height: int
    mobile: bool


PHONE, DESKTOP = Size("phone", 390, 844, True), Size("desktop", 1280, 900, False)


class Wire:
    """The protocol: commands with numbers, and events."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.numbers = socket, count(1)
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.pages: dict[str, Page] = {}
        self.reading = asyncio.create_task(self._read())

    async def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        asked = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        await self.socket.send(json.dumps(asked))
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def _read(self) -> None:
        async for text in self.socket:
            said = json.loads(text)
            if "id" in said:
                self._answered(said)
            elif page := self.pages.get(said.get("sessionId", "")):
                page.heard(said["method"], said["params"])

    def _answered(self, said: dict[str, Any]) -> None:
        answer = self.waiting.pop(said["id"])
        if "error" in said:
            answer.set_exception(RuntimeError(said["error"]["message"]))
        else:
            answer.set_result(said["result"])


class Page:
    """One tab in a profile of its own: cookies are its own."""

    def __init__(self, wire: Wire, session: str) -> None:
        self.wire, self.session = wire, session
        self.loaded, self.complaints = asyncio.Event(), list[str]()
        self.tasks: set[asyncio.Task[Any]] = set()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.wire.call(method, self.session, **params)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self.loaded.set()
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error" and "status of" not in params["entry"]["text"]:
            self.complaints.append(params["entry"]["text"])
        elif method == "Fetch.requestPaused":
            task = asyncio.create_task(self._as_partner(params["requestId"]))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _as_partner(self, request: str) -> None:
        html = {"name": "Content-Type", "value": "text/html"}
        body = base64.b64encode(_AT_PARTNER.encode()).decode()
        await self.call("Fetch.fulfillRequest", requestId=request, responseCode=200, responseHeaders=[html], body=body)

    async def begin(self, size: Size, accepted: str, *, dark: bool = False) -> None:
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Fetch.enable", patterns=[{"urlPattern": f"{PARTNER}*"}])
        await self.call("Emulation.setDeviceMetricsOverride", width=size.width, height=size.height, deviceScaleFactor=1, mobile=size.mobile)
        agent = await self.run("navigator.userAgent")
        await self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=accepted)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def go(self, url: str) -> None:
        async with self.turning():
            await self.call("Page.navigate", url=url)

    async def back(self) -> None:
        history = await self.call("Page.getNavigationHistory")
        async with self.turning():
            await self.call("Page.navigateToHistoryEntry", entryId=history["entries"][history["currentIndex"] - 1]["id"])

    @asynccontextmanager
    async def turning(self) -> AsyncIterator[None]:
        """What is done inside leads to another page, which is loaded at the end."""
        self.loaded.clear()
        yield
        async with asyncio.timeout(PATIENCE):
            await self.loaded.wait()

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"].get("exception", {}).get("description", answer["exceptionDetails"]["text"])))
        return answer["result"].get("value")

    async def url(self) -> str:
        return str(await self.run("location.href"))

    async def text(self) -> str:
        return str(await self.run("document.body.innerText"))

    async def click(self, selector: str) -> None:
        """Presses what stays on this page: a box, a fold."""
        assert await self.run(f"!!document.querySelector({json.dumps(selector)})"), f"{selector} is not on {await self.url()}"
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def press(self, selector: str) -> None:
        """Presses what leads to another page."""
        async with self.turning():
            await self.click(selector)

    async def key(self, name: str, code: int, *, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **more)

    async def picture(self, path: Path) -> None:
        """The whole page, not only what the screen shows of it."""
        shown = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shown["data"]))


class Chromium:
    """A running browser."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @asynccontextmanager
    async def page(self, size: Size, accepted: str, *, dark: bool = False) -> AsyncIterator[Page]:
        context = (await self.wire.call("Target.createBrowserContext"))["browserContextId"]
        target = (await self.wire.call("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.wire.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = self.wire.pages[session] = Page(self.wire, session)
        await page.begin(size, accepted, dark=dark)
        yield page
        await self.wire.call("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def chromium(program: str, home: Path) -> AsyncIterator[Chromium]:
    """A browser with its profile below ``home``. It ends with the block, whatever happens in it."""
    process = await asyncio.create_subprocess_exec(
        program, *_FLAGS, f"--user-data-dir={home}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        port, path = await asyncio.to_thread(_listening, home / "DevToolsActivePort")
        async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as socket:
            wire = Wire(socket)
            yield Chromium(wire)
            wire.reading.cancel()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _listening(file: Path) -> tuple[str, str]:
    """Port and path of the protocol, which the browser writes down when it is ready."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if file.exists() and len(found := file.read_text().split()) == 2:
            return found[0], found[1]
        time.sleep(0.05)
    raise TimeoutError("Chromium does not listen")
