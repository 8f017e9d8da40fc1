"""An API process that is meant to die, and the positive control: one that answers before its read is logged."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Sequence

import uvloop

from bench.audit.settings import Post
from bench.kit.ground import GRANTEE, NOON
from connectors.sandbox.serve import Server
from hub.access.audit import AccessLog, ChainKeys
from hub.app import AppRuntime, build_app
from hub.cli import logs
from hub.domain.audit import Accessed
from hub.domain.caller import Pending
from hub.domain.clock import Clock
from hub.store.database import Database
from hub.store.view import ViewSettings
from hub.vault import FileKeys
from schema.services import Services


class LogsLater(AccessLog):
    """The rows are written, only not before the answer leaves."""

    async def write(self, rows: Sequence[Accessed], pending: Pending | None = None) -> None:
        self.later = asyncio.create_task(super().write(rows))


async def _unserved(*_: object) -> object:
    raise NotImplementedError("only reads are asked here")


def main(post: Post) -> None:
    log_file = os.open(post.home / "api.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log_file, 1)
    os.dup2(log_file, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.configure()
    uvloop.run(_serve(post))


async def _serve(post: Post) -> None:
    database, keys = Database(post.urls), FileKeys(post.home / "keys.json")
    log = (LogsLater if post.broken == "order" else AccessLog)(database, ChainKeys.of(keys))
    services = Services(*[_unserved] * len(Services.__dataclass_fields__))  # type: ignore[arg-type]
    runtime = AppRuntime(database, keys, Clock(lambda: NOON), services, ViewSettings(GRANTEE), post.origin, log=log)
    await Server(build_app(runtime), post.listener).serve(sockets=[post.listener])


def _end_with_parent() -> None:
    """Whoever started it is gone: so is this."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(3)
