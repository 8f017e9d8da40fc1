"""A whole subject: unreadable at once, gone within one look, and what stays names nobody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from hub.consent import grants
from hub.consent.terms import Offer
from hub.domain.enums import IdentityEventKind, SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import NotFound, SecretMissing
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Scope
from hub.store.erasure import Erased, Erasing, erase_customer, reapply
from hub.store.identity_events import noted
from hub.vault import FileKeys, Place, Vault
from tests.hub.erasure.side import erase, held, on, stones
from tests.hub.erasure.test_inputs import evaluated, inputs
from tests.hub.sync.world import GRANTEE, NOW, World, new_customer

STAYS = {
    "consent": 1,
    "consent_event": 3,
    "customer": 1,
    "data_key": 1,
    "evaluation": 1,
    "evaluation_reason": 1,
    "evidence_kind": 1,
    "feature_evidence": 1,
}


def erasing(world: World) -> Erasing:
    return Erasing(world.database, world.equipment.vault, world.equipment.clock)


async def erased(world: World) -> Erased:
    async with world.database.work() as tx:
        return await erase_customer(tx, world.equipment.vault, world.equipment.clock, world.customer_id, "admin: asked by letter")


async def test_unreadable_at_once_and_gone_with_the_next_look(world: World) -> None:
    await world.sync()
    evaluation = await evaluated(world)
    sealer = await world.sealer()
    place = Place("party", "identity", str((await world.one("party"))["party_id"]))
    sealed = bytes((await world.one("party"))["identity"])
    assert b"11010519491231002X" in sealer.open(place, sealed)
    found = await erased(world)
    assert (found.keys, found.rows["party"], found.rows["customer_client"]) == (1, 1, 1)
    with pytest.raises(SecretMissing):
        await world.sealer()
    async with world.database.read(Scope("test", "CREDIT_APPROVAL")) as tx:
        assert (
            await tx.exec_driver_sql(
                "SELECT * FROM fact UNION ALL SELECT NULL, customer_id, " + ", ".join(["NULL"] * 12) + " FROM customer"
            )
        ).all() == []
    assert await world.sync() is None, "nothing is fetched any more"
    await erasing(world).look()
    left = await held(world)
    assert {name: count for name, count in left.items() if name != "tombstone"} == STAYS
    assert await inputs(world, evaluation) == 0
    (customer,) = await world.rows("SELECT name_masked, uscc, subject_hash, erased_on FROM customer WHERE customer_id = :customer")
    assert customer == {
        "name_masked": "",
        "uscc": None,
        "subject_hash": f"erased:{world.customer_id}",
        "erased_on": world.equipment.clock.today(),
    }
    assert (await world.one("consent"))["evidence"] == {}
    found_stones = await stones(world)
    assert {one["reason"] for one in found_stones} == {"SUBJECT_ERASED", "INPUTS_ENDED"}
    assert found_stones[0]["note"] == "admin: asked by letter"
    gone: dict[str, int] = {}
    for one in found_stones:
        gone |= one["rows"]
    assert (gone["fact_refund"], gone["raw_page"], gone["connection"], gone["sync_run"]) == (5, 3, 1, 1)
    assert await erasing(world).look() == 0


async def told(world: World, reason: str, whose: CustomerId, other: CustomerId | None = None) -> None:
    async with world.database.work() as tx:
        await noted(tx, whose, IdentityEventKind.MERGED, "admin", NOW, other_id=other, reason=reason)


async def test_what_was_written_by_hand_and_whose_account_it_is_go_too(world: World) -> None:
    other = await new_customer(world.equipment, "110101199003078515")
    await world.do("UPDATE connection SET account_hash = 'a', holder_hash = 'h'")
    await told(world, "甲某 asked for it", world.customer_id)
    await told(world, "he is 甲某", other, world.customer_id)
    await told(world, "another story", other)
    await erased(world)
    hashes = "SELECT account_hash, holder_hash FROM connection WHERE customer_id = :customer"
    assert await world.rows(hashes) == [{"account_hash": None, "holder_hash": None}]
    left = await world.rows("SELECT reason FROM identity_event ORDER BY event_id")
    assert [one["reason"] for one in left] == [None, None, "another story"]
    with pytest.raises(ProgrammingError, match="row-level security"):
        await world.do("UPDATE identity_event SET reason = 'x'")


async def test_nobody_s_reason_is_emptied_who_was_not_erased(world: World) -> None:
    await told(world, "why", world.customer_id)
    await world.do("UPDATE identity_event SET reason = NULL")
    assert (await world.one("identity_event"))["reason"] == "why"


async def test_a_subject_whose_consent_is_being_renewed_is_erased_too(world: World) -> None:
    """The renewal ends with the consent it was asked for in place of, whichever of the two was changed last."""
    (given,) = await world.rows("SELECT consent_id, connector, source FROM consent WHERE customer_id = :customer")
    offer = Offer(SourceKind(given["source"]), "t", "t", GRANTEE, "CREDIT_APPROVAL", ("S03",), world.equipment.clock.today())
    async with world.database.work() as tx:
        await grants.ask(tx, world.customer_id, given["connector"], offer, NOW, "partner", renew=True)
        await grants.pause(tx, world.customer_id, given["consent_id"], NOW + timedelta(hours=1))
    assert (await erased(world)).keys == 1
    left = await world.rows("SELECT status FROM consent WHERE customer_id = :customer")
    assert [one["status"] for one in left] == ["REVOKED", "REVOKED"]


async def test_the_holder_goes_with_the_last_page(world: World) -> None:
    await world.sync()
    await world.do("UPDATE connection SET status = 'DISCONNECTED', holder_hash = 'h'")
    await world.withdraw()
    await on(world, 7)
    await erase(world)
    assert (await world.one("connection"))["holder_hash"] is None


async def events(world: World) -> list[Any]:
    return await world.rows("SELECT actor, subject, after FROM audit_event WHERE action = 'customer.erase' ORDER BY sequence")


async def test_whoever_erases_it_is_in_the_audit_chain(world: World) -> None:
    """Once per erasure that was committed, in its transaction."""

    async def cut_short() -> None:
        async with world.database.work() as tx:
            await erase_customer(tx, world.equipment.vault, world.equipment.clock, world.customer_id, "admin: why", "admin")
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await cut_short()
    assert await events(world) == []
    await erased(world)
    told = {"actor": "operator", "subject": f"customer:{world.customer_id}", "after": {"reason": "admin: asked by letter", "keys": 1}}
    assert await events(world) == [told]


async def test_others_stay_as_they_are(world: World) -> None:
    await world.sync()
    other = await new_customer(world.equipment, "110101199003078515")
    before = await world.rows("SELECT * FROM party WHERE customer_id = :other", other=other)
    await erased(world)
    await erasing(world).look()
    assert await world.rows("SELECT * FROM party WHERE customer_id = :other", other=other) == before
    async with world.database.work() as tx:
        sealer = await world.equipment.vault.sealer(tx, other)
    assert sealer.open(Place("party", "identity", str(before[0]["party_id"])), before[0]["identity"])


async def test_the_same_person_may_come_again_as_somebody_new(world: World) -> None:
    await erased(world)
    async with world.database.work() as tx:
        new = NewCustomer("PERSON", "甲某", None, NewPerson("甲某", "11010519491231002X"))
        again = await create_customer(tx, world.equipment.vault, world.equipment.blind, new, ["test"], NOW)
    assert again != world.customer_id


async def test_to_repeat_it_does_no_harm(world: World) -> None:
    first, second = await erased(world), await erased(world)
    assert (first.keys, second.keys) == (1, 0)
    async with world.database.work() as tx:
        with pytest.raises(NotFound):
            await erase_customer(tx, world.equipment.vault, world.equipment.clock, type(world.customer_id)(int=1), "nobody")


async def test_one_that_was_cut_short_is_finished(world: World) -> None:
    """The key was destroyed, and the process died before the database heard of it."""
    (key,) = await world.rows("SELECT key_id FROM data_key WHERE customer_id = :customer")
    world.equipment.vault.keys.destroy(world.customer_id, key["key_id"])
    with pytest.raises(SecretMissing):
        async with world.database.work() as tx:
            await Vault(world.equipment.vault.keys).sealer(tx, world.customer_id)
    assert await reapply(world.database, world.equipment.vault, world.equipment.clock) == 1
    assert (await world.one("customer"))["erased_on"] is not None
    ((stone,), (event,)) = await stones(world), await events(world)
    assert (event["actor"], event["after"]) == ("clock", {"reason": stone["note"], "keys": 1}), (
        "it does not claim to know which of the two it was"
    )
    assert "cut short" in stone["note"] and "restored" in stone["note"]
    assert await reapply(world.database, world.equipment.vault, world.equipment.clock) == 0


async def test_a_restored_row_of_a_destroyed_key_opens_nothing(world: World, tmp_path: Path) -> None:
    """Whoever puts the row back from an old copy. The control: a register that has forgotten opens it."""
    (row,) = await world.rows("SELECT * FROM data_key WHERE customer_id = :customer")
    await erased(world)
    await world.do("UPDATE data_key SET wrapped = :wrapped WHERE customer_id = :customer", wrapped=row["wrapped"])

    async def opens(keys: FileKeys) -> Any:
        async with world.database.work() as tx:
            return await Vault(keys).sealer(tx, world.customer_id)

    with pytest.raises(SecretMissing, match="was destroyed"):
        await opens(FileKeys(tmp_path / "keys.json"))
    (tmp_path / "destroyed.jsonl").unlink()
    assert await opens(FileKeys(tmp_path / "keys.json"))
