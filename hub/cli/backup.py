"""``hub backup`` and ``hub restore``: the data and its keys in two parts, and what was destroyed since is erased again before anybody reads."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from hub.access.audit import ChainKeys, audited
from hub.access.audit.chain import Secrets
from hub.access.audit.heads import Heads, listed, read_heads
from hub.access.audit.publish import HeadsFile, publish
from hub.cli import until
from hub.cli.options import console, emit, settings
from hub.cli.runtime import open_runtime, postgres_url, store_of
from hub.domain.periods import china_day
from hub.errors import FixConfiguration
from hub.settings import Settings
from hub.store import backup
from hub.store.backup import Made, Parts
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.erasure import Erasing
from hub.store.migrate import migrate
from hub.vault import Register
from hub.vault.keys import REGISTER


def make(home: Path | None, parts: Parts, *, as_json: bool) -> None:
    chosen, made = settings(home), list[Made]()

    async def work() -> None:
        async with store_of(chosen) as urls:
            made.append(await backup.back_up(_beyond(chosen, urls), parts, china_day(datetime.now(UTC))))

    until.run(work())
    (one,), register = made, chosen.keys_dir / REGISTER
    if register.exists():
        shutil.copy2(register, parts.keys / REGISTER)
    if as_json:
        emit({"made_on": str(one.made_on), "keys_end_on": str(one.keys_end_on), "files": one.files})
        return
    console.print(f"The data: {parts.data}. No data key is in it.")
    console.print(
        f"The data keys: {parts.keys}. Keep them elsewhere, and delete them by {one.keys_end_on}: what is erased until then is safe from this copy then."
    )


def restore(home: Path | None, parts: Parts, *, replace: bool, as_json: bool) -> None:
    chosen, erased = settings(home), list[int]()

    async def work() -> None:
        if replace and chosen.database_url:
            raise FixConfiguration("A database by URL is not replaced.", remedy="Make an empty one and name that.")
        async with store_of(chosen, begin=True, fresh=replace) as urls:
            await backup.restore(_beyond(chosen, urls), parts)
            await migrate(urls)
            erased.append(await _erase_again(chosen, urls, parts))

    until.run(work())
    if as_json:
        emit({"rows_erased_again": erased[0]})
        return
    console.print(f"Restored. {erased[0]:,} rows of what was destroyed or became due since the backup were erased again.")
    console.print(
        "Consents that were withdrawn since the backup stand as they did then: withdraw them again before a worker or the API starts."
    )


async def _erase_again(chosen: Settings, urls: Urls, parts: Parts) -> int:
    """The register is only ever joined with the backup's copy: the newest knows most."""
    Register(chosen.keys_dir / REGISTER).join(parts.keys / REGISTER)
    async with open_runtime(chosen, urls, configs={}) as runtime:
        had = await read_heads(runtime.database)
        erased = await Erasing(runtime.database, runtime.vault, runtime.clock).look()
        await note_restore(runtime.database, runtime.vault.keys, HeadsFile(chosen.audit_folder), had)
        return erased


async def note_restore(database: Database, secrets: Secrets, file: HeadsFile, had: Heads) -> None:
    """That the store ends where a backup ended (``had``) is said in the audit chain, and in the file of published heads, which knew more."""
    told = {"published": file.last, "heads": listed(had)}
    async with database.work() as tx:
        await audited(tx, secrets, actor="operator", action="store.restore", subject="store:hub", after=told)
    await publish(database, ChainKeys.of(secrets), file, restored=had)


def _beyond(chosen: Settings, urls: Urls) -> str:
    """A role that sees every row. Raises FixConfiguration."""
    url = chosen.backup_database_url
    found = urls.admin if url is None else postgres_url(url.get_secret_value())
    if found is None:
        raise FixConfiguration(
            "HUB_BACKUP_DATABASE_URL is not set.", remedy="Set it to the URL of a role with BYPASSRLS, for this command only."
        )
    return found
