"""A ciphertext opens in its place, under its key, undamaged, or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from hub.domain.identifiers import CustomerId, new_id
from hub.errors import SecretMissing
from hub.store.database import Database
from hub.vault import FileKeys, Place, Sealer, Vault

PLACE = Place("raw_page", "body", "row-1")


def sealer() -> Sealer:
    return Sealer(new_id(), new_id(), AESGCM(os.urandom(32)))


@given(st.binary(max_size=300))
def test_what_is_sealed_opens(plain: bytes) -> None:
    mine = sealer()
    sealed = mine.seal(PLACE, plain)
    assert mine.open(PLACE, sealed) == plain
    assert sealed[:2] == b"\x01\x01"
    assert sealed[2:18] == mine.key_id.bytes
    assert len(sealed) == 2 + 16 + 12 + len(plain) + 16


def test_the_same_text_is_never_sealed_alike() -> None:
    mine = sealer()
    assert len({mine.seal(PLACE, b"x") for _ in range(100)}) == 100


@pytest.mark.parametrize("other", [replace(PLACE, table="quarantine"), replace(PLACE, column="head"), replace(PLACE, row="row-2")])
def test_moved_to_another_place_it_does_not_open(other: Place) -> None:
    mine = sealer()
    with pytest.raises(SecretMissing, match="moved, damaged, or sealed under another key"):
        mine.open(other, mine.seal(PLACE, b"plain"))


def test_under_another_customer_or_key_it_does_not_open() -> None:
    mine = sealer()
    sealed = mine.seal(PLACE, b"plain")
    same_key_other_name = replace(mine, key_id=new_id())
    for other in (replace(mine, customer_id=new_id()), replace(mine, cipher=AESGCM(os.urandom(32))), same_key_other_name, sealer()):
        with pytest.raises(SecretMissing):
            other.open(PLACE, sealed)
    renamed = sealed[:2] + same_key_other_name.key_id.bytes + sealed[18:]
    with pytest.raises(SecretMissing):
        same_key_other_name.open(PLACE, renamed)


def test_without_the_binding_a_moved_one_would_open() -> None:
    """Control: the place is what keeps it, not the cipher alone."""

    class Unbound(Sealer):
        def _binding(self, place: Place) -> bytes:
            return b""

    loose = Unbound(new_id(), new_id(), AESGCM(os.urandom(32)))
    assert loose.open(replace(PLACE, row="row-2"), loose.seal(PLACE, b"plain")) == b"plain"


def test_damaged_anywhere_it_does_not_open() -> None:
    mine = sealer()
    sealed = mine.seal(PLACE, b"plain")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(SecretMissing):
            mine.open(PLACE, bytes(damaged))


def test_cut_anywhere_it_does_not_open() -> None:
    mine = sealer()
    sealed = mine.seal(PLACE, b"plain")
    for length in range(len(sealed)):
        with pytest.raises(SecretMissing):
            mine.open(PLACE, sealed[:length])


async def made(database: Database, vault: Vault) -> tuple[CustomerId, bytes]:
    customer_id = CustomerId(new_id())
    async with database.work() as tx:
        return customer_id, (await vault.make_key(tx, customer_id)).seal(PLACE, b"plain")


async def opened(database: Database, vault: Vault, customer_id: CustomerId, sealed: bytes) -> bytes:
    async with database.work() as tx:
        return (await vault.sealer(tx, customer_id)).open(PLACE, sealed)


async def destroy(database: Database, customer_id: CustomerId) -> None:
    async with database.work() as tx:
        await tx.execute(text("UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE customer_id = :c"), {"c": customer_id})


async def test_data_keys_are_wrapped_per_customer(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    vault = Vault(FileKeys(path))
    mine, sealed = await made(database, vault)
    theirs, _ = await made(database, vault)
    assert await opened(database, vault, mine, sealed) == b"plain"
    assert await opened(database, Vault(FileKeys(path)), mine, sealed) == b"plain", "another process opens it, too"
    with pytest.raises(SecretMissing):
        await opened(database, vault, theirs, sealed)
    async with database.work() as tx:
        swap = "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE customer_id = :t) WHERE customer_id = :m"
        await tx.execute(text(swap), {"t": theirs, "m": mine})
    with pytest.raises(SecretMissing):
        await opened(database, Vault(FileKeys(path)), mine, sealed)


async def test_a_destroyed_key_opens_nothing_in_any_process(database: Database, tmp_path: Path) -> None:
    """Also not in a process that had used it before: the cache is not believed without the row."""
    vault, other = (Vault(FileKeys(tmp_path / "keys.json")) for _ in range(2))
    mine, sealed = await made(database, vault)
    for process in (vault, other):
        assert await opened(database, process, mine, sealed) == b"plain"
    await destroy(database, mine)
    for process in (vault, other, Vault(FileKeys(tmp_path / "keys.json"))):
        with pytest.raises(SecretMissing, match="gone"):
            await opened(database, process, mine, sealed)
    with pytest.raises(SecretMissing, match="gone"):
        await opened(database, vault, CustomerId(new_id()), sealed)


async def test_the_wrong_key_file_says_so(database: Database, tmp_path: Path) -> None:
    mine, sealed = await made(database, Vault(FileKeys(tmp_path / "keys.json")))
    with pytest.raises(SecretMissing, match=r"The key file other.json does not open this database's data keys"):
        await opened(database, Vault(FileKeys(tmp_path / "other.json")), mine, sealed)


async def test_a_key_made_in_a_transaction_that_fails_leaves_nothing(database: Database, tmp_path: Path) -> None:
    vault, customer_id = Vault(FileKeys(tmp_path / "keys.json")), CustomerId(new_id())
    async with database.work() as tx:
        await vault.make_key(tx, customer_id)
        await tx.rollback()
    with pytest.raises(SecretMissing):
        await opened(database, vault, customer_id, b"")
