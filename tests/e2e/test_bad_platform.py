"""A platform that sends a record nobody can read, and one that refuses the hub's own secret: said, kept, and nothing half written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from hub.cli.stage import Stage
from hub.store.embedded import Urls
from hub.store.tables import connection, consent, credential, quarantine, sync_run
from hub.vault import Place
from tests.e2e.case import ShortJourney, on_stage, small_seller


async def _rows(stage: Stage, table: Any) -> list[Any]:
    async with stage.database.work() as tx:
        return list((await tx.execute(select(table).where(table.c.customer_id.is_not(None)))).all())


async def test_a_malformed_record_is_put_aside_and_the_rest_goes_on(urls: Urls, tmp_path: Path) -> None:
    persona = small_seller()
    async with on_stage(tmp_path, urls, persona) as stage:
        stage.world.switches["alipay"] = {"malformed"}
        # Nothing here is computed: a few days of the shop are as good as a year.
        journey = ShortJourney(stage, persona, date(2026, 1, 1))
        ended = {state.connector: state for state in await journey.walk(quiet=True)}
        aside = await _rows(stage, quarantine)
        assert len(aside) == ended["alipay"].quarantined > 0
        async with stage.database.work() as tx:
            sealer = await stage.runtime.vault.sealer(tx, journey.customer_id)
        for one in aside:
            assert one.reason
            assert one.path
            assert orjson.loads(sealer.open(Place("quarantine", "body", str(one.record_id)), one.body))
        assert ended["alipay"].fetched == ended["alipay"].stored + ended["alipay"].quarantined
        assert all(state.quarantined == 0 for name, state in ended.items() if name != "alipay")
        said = (await journey.ask("SourceStatus"))["customer"]["sources"]
        runs = next(one for one in said if one["source"] == "PAYMENT")["connection"]["runs"]
        assert runs[0]["quarantined"] == len(aside)


async def test_a_secret_that_the_platform_refuses(urls: Urls, tmp_path: Path) -> None:
    """The customer is told on the page, the operator on the connection; no grant is kept and nothing is fetched from there."""
    persona = small_seller()
    async with on_stage(tmp_path, urls, persona) as stage:
        configs: Any = stage.runtime.equipment.configs
        configs["cn_credit_bureau"] = {**configs["cn_credit_bureau"], "client_secret": "not-the-secret"}
        journey = ShortJourney(stage, persona)
        await journey.register()
        assert await journey.consent() == ["cn_credit_bureau"]
        await journey.send_sessions()
        await journey.sync(quiet=True)
        await journey.evaluate()
        links = {one.connector: one for one in await _rows(stage, connection)}
        assert links["cn_credit_bureau"].status == "LINKING"
        assert "client" in links["cn_credit_bureau"].last_fault_detail
        held = {one.connection_id for one in await _rows(stage, credential)}
        assert links["cn_credit_bureau"].connection_id not in held
        assert links["cn_credit_bureau"].connection_id not in {one.connection_id for one in await _rows(stage, sync_run)}
        assert {one.status for one in await _rows(stage, consent) if one.source == "BUREAU"} == {"ACTIVE"}
        document = await stage.document_of(journey.customer_id, persona.id)
        assert (document["outcome"], document["reasons"]) == ("INSUFFICIENT_DATA", ["G03"])
