"""Whose consent the evidence of a fact tells of: nobody is told what another purpose's says."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import insert, select, update

from hub.store.database import Database
from hub.store.tables import consent
from tests.hub.view.test_reading import WALK, ask
from tests.hub.view.world import build


async def test_what_another_purpose_fetched_is_told_by_the_consent_it_is_read_by(database: Database) -> None:
    """The connection serves both purposes; what the other one's consent says is for nobody else."""
    world = await build(database)
    async with database.work() as tx:
        row = dict((await tx.execute(select(consent).where(consent.c.source == "SHOP"))).mappings().one())
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(purpose="POST_LOAN"))
        await tx.execute(insert(consent), {**row, "consent_id": uuid4(), "text_hash": "ff" * 32})
    part = (await ask(database, WALK, id=world.id))["customer"]["evaluation"]["limitParts"][0]
    sample = part["features"][0]["evidence"][0]["sample"]
    assert [one["evidence"]["consent"] for one in sample] == [{"textHash": "ff" * 32, "purpose": "CREDIT_APPROVAL"}] * 2
