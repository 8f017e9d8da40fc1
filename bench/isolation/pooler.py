"""pgbouncer in transaction mode before an embedded PostgreSQL, on a Unix socket of its own, as an unprivileged user."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from bench.isolation.settings import SERVER_CONNECTIONS
from hub.errors import FixConfiguration
from hub.store.embedded import Embedded, Urls

PORT = 6432
"""Part of the socket's name only: nothing listens on it."""
_CONFIG = """
[databases]
{database} = host={host} port={port} dbname={database}
[pgbouncer]
pool_mode = transaction
listen_addr =
listen_port = {own_port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users.txt
default_pool_size = {size}
max_client_conn = 500
server_reset_query_always = 0
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
"""
_USERS = '"hub_app" ""\n"hub_worker" ""\n'


def program() -> str | None:
    """Where it is, if it is there: Debian keeps it apart from what users call."""
    return shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


@asynccontextmanager
async def pooled(embedded: Embedded, urls: Urls, database: str, folder: Path) -> AsyncIterator[Urls]:
    """The same store, its roles' ways leading through the pooler. Raises FixConfiguration where the program is not there."""
    found = program()
    if found is None:
        raise FixConfiguration("pgbouncer is not installed.", remedy="On Debian: apt install pgbouncer.")
    process = _started(found, embedded, database, folder)
    try:
        await _listening(process, folder / f".s.PGSQL.{PORT}")
        app, worker = (
            f"postgresql+psycopg://{role}@/{database}?host={quote(str(folder), safe='')}&port={PORT}" for role in ("hub_app", "hub_worker")
        )
        yield replace(urls, app=app, worker=worker, pooled=True, queue=urls.worker)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def _started(program: str, embedded: Embedded, database: str, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(mode=0o755)
    made = {"database": database, "host": embedded.socket_dir, "port": embedded.port, "own_port": PORT, "folder": folder}
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(**made, size=SERVER_CONNECTIONS))
    (folder / "users.txt").write_text(_USERS)
    # It refuses to run as root. Whose the data folder is may go to PostgreSQL's socket, which lies there.
    user = None if os.getuid() else os.stat(embedded.socket_dir).st_uid
    if user is not None:
        os.chown(folder, user, -1)
    return subprocess.Popen([program, "-q", str(config)], user=user, stderr=subprocess.DEVNULL)


async def _listening(process: subprocess.Popen[bytes], socket: Path) -> None:
    for _ in range(200):
        if os.path.exists(socket):  # noqa: ASYNC240
            return
        if process.poll() is not None:
            raise FixConfiguration(f"pgbouncer ended with code {process.returncode}.", remedy="See its log.")
        await asyncio.sleep(0.05)
    raise FixConfiguration("pgbouncer does not begin to listen.", remedy="See its log.")
