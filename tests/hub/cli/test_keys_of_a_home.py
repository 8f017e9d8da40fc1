"""Which keys a process starts with: the home's file, or the environment; and a destroyed key that a backup brought back keeps nobody from starting."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from hub.cli.runtime import Runtime, open_runtime
from hub.domain.identifiers import CustomerId
from hub.errors import SecretMissing
from hub.settings import Settings
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.embedded import Urls
from hub.store.erasure import erase_customer
from hub.vault import EnvKeys


async def a_customer(runtime: Runtime) -> CustomerId:
    new = NewCustomer("PERSON", "甲某", None, NewPerson("甲某", "11010519491231002X"))
    async with runtime.database.work() as tx:
        return await create_customer(tx, runtime.vault, runtime.blind, new, ["test"], runtime.clock.now())


async def test_the_environment_may_hold_them(urls: Urls, tmp_path: Path) -> None:
    async with open_runtime(Settings(home=tmp_path / "one", grantee="银行"), urls, configs={}) as runtime:
        customer = await a_customer(runtime)
    document = SecretStr((tmp_path / "one" / "keys" / "keys.json").read_text())
    async with open_runtime(Settings(home=tmp_path / "two", grantee="银行", keys=document), urls, configs={}) as runtime:
        assert isinstance(runtime.vault.keys, EnvKeys)
        async with runtime.database.work() as tx:
            assert await runtime.vault.sealer(tx, customer)
    assert not (tmp_path / "two").exists(), "nothing is written"
    with pytest.raises(SecretMissing):
        async with open_runtime(Settings(home=tmp_path / "two", grantee="银行"), urls, configs={}):
            pass


async def test_a_key_that_was_destroyed_and_came_back_keeps_nobody_from_starting(urls: Urls, tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, grantee="银行")
    async with open_runtime(chosen, urls, configs={}) as runtime:
        customer = await a_customer(runtime)
        async with runtime.database.work() as tx:
            row = (await tx.execute(text("SELECT wrapped FROM data_key"))).scalar_one()
            await erase_customer(tx, runtime.vault, runtime.clock, customer, "test")
            await tx.execute(text("UPDATE data_key SET wrapped = :wrapped"), {"wrapped": row})
    async with open_runtime(chosen, urls, configs={}) as runtime:
        with pytest.raises(SecretMissing, match="was destroyed"):
            async with runtime.database.work() as tx:
                await runtime.vault.sealer(tx, customer)
