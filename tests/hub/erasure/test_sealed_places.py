"""Every sealed column of every table, found by the catalogue: what is sealed in one place opens in no other (trust rules, T10)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, text

from hub.connect import Grant
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import SecretMissing
from hub.store.metadata import metadata
from hub.sync import credentials, linking, revoking
from hub.vault import Place, Sealer, wrap_binding
from tests.hub.sync.platform import refund
from tests.hub.sync.world import NOW, TODAY, World, new_customer

DIGESTS = {
    ("window_keys", "records"), ("window_keys", "facts"), ("access_log", "hash"), ("audit_event", "hash"), ("audit_anchor", "hash"), ("audit_anchor", "seal"),
}  # fmt: skip
"""Binary and not sealed under a data key: digests of keys, links of the audit chain. So is ``content_hash`` of every fact."""
PLATFORM = {"base_url": "https://platform.example"}
"""With whom the logins are that :func:`fill` leaves."""
WRAPPED = {("data_key", "wrapped"), ("signing_key", "sealed")}
"""Sealed under a key-encryption key."""


@dataclass(frozen=True)
class Sealed:
    """A value that lies in a row, and where it belongs."""

    place: Place
    sealer: Sealer
    value: bytes


def catalogue() -> set[tuple[str, str]]:
    """Columns that hold what a data key sealed."""
    binary = {
        (table.name, column.name) for table in metadata.tables.values() for column in table.columns if isinstance(column.type, LargeBinary)
    }
    return {one for one in binary if one[1] != "content_hash"} - DIGESTS - WRAPPED


async def fill(world: World, customer_id: CustomerId) -> None:
    """Rows that a sync leaves rarely or for a moment, sealed by the modules that own them."""
    async with world.database.work() as tx:
        sealer = await world.equipment.vault.sealer(tx, customer_id)
        connection_id, revocation_id, grant = new_id(), new_id(), Grant("a", "r", 7200)
        row = {
            "customer": customer_id, "connection": connection_id, "revocation": revocation_id, "now": NOW, "id": new_id(), "state": str(connection_id),
            "current": credentials.sealed(sealer, connection_id, grant), "before": credentials.sealed(sealer, connection_id, grant, "previous"),
            "verifier": sealer.seal(linking.verifier_place(connection_id, PLATFORM), b"v"), "grant": sealer.seal(revoking._place(revocation_id), b"{}"),
            "dispute": (said := new_id()), "statement": sealer.seal(Place("dispute", "statement", str(said)), b"not mine"),
            "note": sealer.seal(Place("dispute", "note", str(said)), b"it is"),
        }  # fmt: skip
        for statement in (
            "INSERT INTO credential (customer_id, connection_id, sealed, previous, state, refreshed_at) VALUES (:customer, :connection, :current, :before, 'valid', :now)",
            "INSERT INTO revocation (customer_id, revocation_id, connection_id, connector, reason, state, sealed, due_at, asked_at)"
            " VALUES (:customer, :revocation, :connection, 'c', 'REQUESTED', 'DUE', :grant, :now, :now)",
            "INSERT INTO authorisation_attempt (customer_id, state_hash, link_id, connection_id, verifier, expires_at)"
            " VALUES (:customer, :state, :id, :connection, :verifier, :now)",
            "INSERT INTO dispute (customer_id, dispute_id, kind, about, state, statement, note, raised_at, raised_by, due_on)"
            " VALUES (:customer, :dispute, 'Evaluation', :id, 'KEPT', :statement, :note, :now, 'app', CAST(:now AS date))",
        ):
            await tx.execute(text(statement), row)


async def found(world: World, customers: Sequence[CustomerId]) -> list[Sealed]:
    """Every sealed value there is, each with the place at which it opens: its table, its column, and one of the row's ids."""
    values = []
    for customer_id in customers:
        async with world.database.work() as tx:
            sealer = await world.equipment.vault.sealer(tx, customer_id)
            for table, column in sorted(catalogue()):
                for row in (
                    await tx.execute(text(f"SELECT * FROM {table} WHERE customer_id = :one AND {column} IS NOT NULL"), {"one": customer_id})
                ).mappings():
                    ids = [value for name, value in row.items() if isinstance(value, UUID) and name != "customer_id"]
                    places = [Place(table, column, str(one)) for one in ids] + [linking.verifier_place(one, PLATFORM) for one in ids]
                    (place,) = [place for place in places if opens(sealer, place, bytes(row[column]))]
                    values.append(Sealed(place, sealer, bytes(row[column])))
    return values


def opens(sealer: Sealer, place: Place, value: bytes) -> bool:
    try:
        sealer.open(place, value)
    except SecretMissing:
        return False
    return True


def swapped(values: Sequence[Sealed]) -> tuple[int, int]:
    """Puts each value in the place of each other one: how many swaps, and how many of them open."""
    pairs = [(here, there) for here, there in itertools.permutations(values, 2) if (here.place, here.sealer) != (there.place, there.sealer)]
    return len(pairs), sum(opens(there.sealer, there.place, here.value) for here, there in pairs)


@pytest.fixture
async def values(world: World) -> list[Sealed]:
    world.platform.rows[TODAY] = [refund("r-1"), refund("r-2"), {"no": "refund"}, refund("r-3"), {"none": "either"}]
    await world.sync()
    other = await new_customer(world.equipment, "110101199003078515")
    for customer_id in (world.customer_id, world.customer_id, other):
        await fill(world, customer_id)
    return await found(world, [world.customer_id, other])


async def test_no_swap_opens_in_any_column(values: list[Sealed]) -> None:
    assert {(one.place.table, one.place.column) for one in values} == catalogue(), "every sealed column has a value to try"
    tried, opened = swapped(values)
    print(f"{len(catalogue())} sealed columns, {len(values)} values, {tried} swaps, {opened} opened")
    assert tried > 300 and opened == 0


async def test_without_the_place_in_it_swaps_would_open(values: list[Sealed], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: sealed with nothing beside it."""
    monkeypatch.setattr(Sealer, "_binding", lambda self, place: b"")
    bare = [Sealed(one.place, one.sealer, one.sealer.seal(one.place, b"plain")) for one in values]
    assert swapped(bare)[1] > 0


async def test_a_wrapped_key_opens_for_its_customer_only(world: World) -> None:
    other = await new_customer(world.equipment, "110101199003078515")
    keys, rows = world.equipment.vault.keys, await world.rows("SELECT * FROM data_key")
    assert {row["customer_id"] for row in rows} == {world.customer_id, other}
    for here, there in itertools.product(rows, rows):
        binding = wrap_binding(there["customer_id"], there["key_id"])
        if here == there:
            assert len(keys.unwrap(here["wrapped"], here["kek_id"], binding)) == 32
            continue
        with pytest.raises(SecretMissing):
            keys.unwrap(here["wrapped"], here["kek_id"], binding)
