"""Where the hub may connect to is audited when it has changed: once, with what was and what is, whichever process starts first."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.access.audit.allowed import ACTION, note_allowed
from hub.access.audit.region import pin_region, require_region
from hub.cli import processes
from hub.cli.processes import allowed_by
from hub.cli.runtime import Runtime
from hub.errors import FixConfiguration
from hub.settings import Settings
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.vault import FileKeys

ONE = {"alipay": ["https://a.example/", "https://b.example/x"]}
OTHER = {"alipay": ["https://evil.example/"], "cn_tax": ["https://t.example/"]}


async def noted(database: Database) -> list[Any]:
    async with database.work() as tx:
        found = await tx.execute(
            text("SELECT actor, before, after FROM audit_event WHERE action = :action ORDER BY sequence"), {"action": ACTION}
        )
        return [(row.actor, row.before and row.before["allowed"], row.after["allowed"]) for row in found]


async def test_each_change_is_audited_once(database: Database, tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    assert not await note_allowed(database, keys, {"private networks": []}), "nothing was allowed, and nothing is"
    assert sorted(await asyncio.gather(*(note_allowed(database, keys, ONE) for _ in range(4)))) == [False, False, False, True]
    assert not await note_allowed(database, keys, {"alipay": list(reversed(ONE["alipay"]))}), "the order says nothing"
    assert await note_allowed(database, keys, OTHER)
    assert await note_allowed(database, keys, {})
    assert await noted(database) == [("operator", None, ONE), ("operator", ONE, OTHER), ("operator", OTHER, {})]


def test_it_is_the_list_that_is_enforced(tmp_path: Path) -> None:
    """Addresses, and no other setting: there are secrets among them."""
    chosen = Settings(home=tmp_path, private_networks=(ip_network("10.0.0.0/8"),))
    configs = {"alipay": {"base_url": "https://a.example/", "token_url": "base_url", "client_secret": "secret"}}
    assert allowed_by(chosen, configs) == {"alipay": ("https://a.example/",), "private networks": ["10.0.0.0/8"]}


@pytest.mark.law("征信业管理条例 24: region")
async def test_a_process_elsewhere_does_not_start(database: Database, tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    await require_region(database, "")
    assert not await pin_region(database, keys, "")
    with pytest.raises(FixConfiguration, match="the region none; this process says CN-ZJ"):
        await require_region(database, "CN-ZJ")
    assert [await pin_region(database, keys, one) for one in ("CN-ZJ", "CN-ZJ")] == [True, False]
    await require_region(database, "CN-ZJ")
    for elsewhere in ("", "SG"):
        with pytest.raises(FixConfiguration, match="HUB_REGION"):
            await require_region(database, elsewhere)
    assert await pin_region(database, keys, "CN-GD")
    async with database.work() as tx:
        told = (await tx.execute(text("SELECT before, after FROM audit_event WHERE action = 'region.pin' ORDER BY sequence"))).all()
    assert [tuple(one) for one in told] == [(None, {"region": "CN-ZJ"}), ({"region": "CN-ZJ"}, {"region": "CN-GD"})]


@pytest.mark.law("征信业管理条例 24: region")
async def test_each_process_is_asked_and_migrate_pins(urls: Urls, tmp_path: Path) -> None:
    chosen = Settings(
        home=tmp_path, grantee="样例银行", database_url=urls.owner, app_database_url=urls.app, worker_database_url=urls.worker
    )
    reached = list[str]()

    async def process(runtime: Runtime) -> None:
        reached.append(runtime.settings.region)

    await processes._migrate(chosen.model_copy(update={"region": "CN-ZJ"}))
    with pytest.raises(FixConfiguration, match="HUB_REGION"):
        await processes.with_runtime(chosen, process)
    await processes.with_runtime(chosen.model_copy(update={"region": "CN-ZJ"}), process)
    assert reached == ["CN-ZJ"]


def test_a_region_is_written_like_a_country() -> None:
    with pytest.raises(ValueError, match="region"):
        Settings(region="somewhere")
