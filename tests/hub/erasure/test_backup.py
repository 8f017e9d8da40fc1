"""T26: one subject is erased, then an older backup with an older copy of the keys is restored. Nothing of the subject is readable, the others are as before."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import LargeBinary, text

from hub.errors import FixConfiguration, SecretMissing
from hub.store import backup
from hub.store.backup import Parts
from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.store.erasure import Erasing, erase_customer
from hub.store.fact_tables import FACT_TABLES
from hub.store.metadata import metadata
from hub.store.security import owned_tables
from hub.vault import FileKeys, Place, Register, Vault
from tests.hub.sync.world import World, new_customer

SEALED = {"party": ("identity", "party_id"), "raw_page": ("body", "page_id"), "credential": ("sealed", "connection_id")}
PERSONAL = {
    "customer": ("name_masked", "uscc", "subject_hash", "claim_hash"),
    "party": ("name_masked", "id_hash", "id_masked", "birth_on"),
    "connection": ("account_hash", "holder_hash"),
    "identity_event": ("reason",),
}


async def readable(database: Database, keys: FileKeys, customer_id: UUID) -> tuple[int, int]:
    """How many sealed values of a customer open, and how many fields say something of him in the clear."""
    opened, clear = 0, 0
    async with database.work() as tx:
        try:
            sealer = await Vault(keys).sealer(tx, customer_id)
        except SecretMissing:
            sealer = None
        for table, (column, key) in SEALED.items():
            for row in await tx.execute(
                text(f"SELECT {column} AS sealed, {key} AS key FROM {table} WHERE customer_id = :one"), {"one": customer_id}
            ):
                opened += sealer is not None and bool(sealer.open(Place(table, column, str(row.key)), bytes(row.sealed)))
        for table, columns in PERSONAL.items():
            for row in await tx.execute(text(f"SELECT {', '.join(columns)} FROM {table} WHERE customer_id = :one"), {"one": customer_id}):
                clear += sum(1 for value in row if value and not str(value).startswith("erased:"))
        for facts in FACT_TABLES.values():
            found = (await tx.execute(text(f"SELECT * FROM {facts.name} WHERE customer_id = :one"), {"one": customer_id})).all()
            clear += sum(1 for row in found for value in row if value is not None)
    return opened, clear


def test_every_sealed_column_is_counted() -> None:
    """All that is sealed under a data key: what else is binary is a digest, a wrapped key, or gone before an erasure."""
    binary = {
        (name, column.name) for name in owned_tables() for column in metadata.tables[name].columns if isinstance(column.type, LargeBinary)
    }
    others = {(name, "content_hash") for name in owned_tables() if name.startswith("fact_")} | {
        ("window_keys", "records"),
        ("window_keys", "facts"),
        ("access_log", "hash"),
    }
    rare = {
        ("quarantine", "body"),
        ("credential", "previous"),
        ("revocation", "sealed"),
        ("authorisation_attempt", "verifier"),
        ("data_key", "wrapped"),
        ("dispute", "statement"),
        ("dispute", "note"),
    }
    assert {(table, column) for table, (column, _) in SEALED.items()} == binary - others - rare


def test_every_hash_and_mask_of_a_person_is_counted() -> None:
    """Facts are counted whole; what is left here is a digest of a text, of a token that ends, or goes with the key."""
    named = {
        (name, one.name) for name in owned_tables() for one in metadata.tables[name].columns if one.name.endswith(("_hash", "_masked"))
    }
    others = {
        ("consent", "text_hash"),
        ("consent_app", "text_hash"),
        ("sync_window", "scope_hash"),
        ("backfill_window", "scope_hash"),
        ("link_session", "token_hash"),
        ("link_session", "browser_hash"),
        ("authorisation_attempt", "state_hash"),
    }
    facts = {table.name for table in FACT_TABLES.values()}
    counted = {(table, column) for table, columns in PERSONAL.items() for column in columns}
    assert {one for one in named if one[0] not in facts} - others <= counted


@pytest.fixture
def admin(world: World) -> str:
    assert world.database.urls.admin
    return world.database.urls.admin


async def restored(cluster: Embedded, parts: Parts) -> Database:
    """The backup in a database of its own."""
    name = f"restored_{uuid4().hex}"
    await cluster.prepare(name)
    await backup.restore(cluster.url("postgres", name), parts)
    return Database(cluster.urls(name))


async def test_nothing_of_the_subject_is_readable_and_the_others_are(world: World, admin: str, cluster: Embedded, tmp_path: Path) -> None:
    """The control is in the middle: whoever has the same keys without the register reads everything as before."""
    await world.sync()
    other, vault, clock = await new_customer(world.equipment, "110101199003078515"), world.equipment.vault, world.equipment.clock
    forgetful = FileKeys(Path(shutil.copy(tmp_path / "keys.json", tmp_path / "a copy")))
    forgetful.register = Register(tmp_path / "no register")
    before, theirs = await readable(world.database, forgetful, world.customer_id), await readable(world.database, forgetful, other)
    assert min(*before, *theirs) > 0
    parts = Parts(tmp_path / "data", tmp_path / "apart")
    await backup.back_up(admin, parts, clock.today())
    async with world.database.work() as tx:
        await erase_customer(tx, vault, clock, world.customer_id, "test")
    database, keys = await restored(cluster, parts), FileKeys(tmp_path / "keys.json")
    assert await readable(database, forgetful, world.customer_id) == before, "the control"
    assert (await readable(database, keys, world.customer_id))[0] == 0, "sealed values open nowhere, whoever restored them"
    await Erasing(database, Vault(keys), clock).look()
    mine, others = await readable(database, forgetful, world.customer_id), await readable(database, keys, other)
    assert (mine, others) == ((0, 0), theirs)
    print(f"readable (sealed, clear) before {before}, after the restore {mine}; the other subject {theirs}, {others}")
    async with database.work() as tx:
        found = await tx.execute(text("SELECT DISTINCT reason FROM tombstone WHERE customer_id = :one"), {"one": world.customer_id})
        assert list(found.scalars()) == ["SUBJECT_ERASED"], "the tombstones are there again, too"
    await database.close()


def key_rows(dump: Path) -> str:
    told = ("--data-only", "--table=data_key", "--file=-", str(dump))
    return subprocess.run([backup._client() / "pg_restore", *told], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("kept", [False, True])
async def test_the_data_part_holds_no_keys(world: World, admin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    """The control keeps them in it, and is found."""
    if kept:
        monkeypatch.setattr(backup, "KEYS_TABLE", "public.party")
    await backup.back_up(admin, Parts(tmp_path / "data", tmp_path / "apart"), world.equipment.clock.today())
    assert (str(world.customer_id) in key_rows(tmp_path / "data" / backup.DATA)) is kept


async def test_what_is_no_backup_is_refused(world: World, admin: str, cluster: Embedded, tmp_path: Path) -> None:
    parts, today = Parts(tmp_path / "data", tmp_path / "apart"), world.equipment.clock.today()
    with pytest.raises(FixConfiguration, match="not the two parts"):
        await backup.restore(admin, parts)
    await backup.back_up(admin, parts, today)
    with pytest.raises(FixConfiguration, match="not empty"):
        await backup.restore(admin, parts)
    with pytest.raises(FixConfiguration, match="exists already"):
        await backup.back_up(admin, parts, today)
    with pytest.raises(FixConfiguration, match="row-level security"):
        await backup.back_up(world.database.urls.owner, Parts(tmp_path / "a", tmp_path / "b"), today)
    (parts.keys / backup.KEYS).write_bytes(b"")
    with pytest.raises(FixConfiguration, match="not what its backup wrote"):
        await backup.restore(cluster.url("postgres", "postgres"), parts)
