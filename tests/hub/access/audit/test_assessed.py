"""No connector is enabled without an impact assessment; what had been enabled before that was asked goes on, and is named (PIPL 55-56)."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from hub.access.audit import assessed
from hub.access.audit.assessed import ACTION, BEFORE, note_assessed
from hub.domain.assessments import Assessment
from hub.errors import FixConfiguration
from hub.store.database import Database
from hub.vault import FileKeys

TAX, SHOP = ("https://tax.example/",), ("https://b.example/", "https://a.example/")
ONE, OTHER = Assessment("PIPIA-1", date(2026, 1, 5)), Assessment("PIPIA-2", date(2026, 2, 5))


async def events(database: Database) -> list[Any]:
    async with database.work() as tx:
        rows = await tx.execute(
            text("SELECT subject, before, after FROM audit_event WHERE action = :action ORDER BY sequence"), {"action": ACTION}
        )
        return [(row.subject, row.before and row.before["assessment"], row.after["assessment"]) for row in rows]


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "keys.json")


@pytest.mark.law("PIPL 55: assessed")
async def test_nothing_new_is_enabled_without_one(database: Database, keys: FileKeys) -> None:
    assert await note_assessed(database, keys, {}, {}) == ()
    with pytest.raises(FixConfiguration, match=r"cn_tax.*without an impact assessment \(PIPL 55, 56\)") as said:
        await note_assessed(database, keys, {"taobao": SHOP, "cn_tax": TAX}, {"taobao": ONE})
    assert "taobao" not in said.value.message and '"assessment"' in said.value.remedy
    assert await events(database) == [], "nothing of it was recorded"


@pytest.mark.law("PIPL 55: assessed")
async def test_each_change_is_recorded_and_audited_once(database: Database, keys: FileKeys) -> None:
    told = [note_assessed(database, keys, {"cn_tax": TAX}, {"cn_tax": ONE}) for _ in range(4)]
    assert await asyncio.gather(*told) == [()] * 4
    await note_assessed(database, keys, {"cn_tax": TAX}, {"cn_tax": OTHER})
    await note_assessed(database, keys, {"cn_tax": SHOP}, {"cn_tax": OTHER})
    await note_assessed(database, keys, {"cn_tax": tuple(reversed(SHOP))}, {"cn_tax": OTHER})
    for addresses in (SHOP, TAX):
        with pytest.raises(FixConfiguration):
            await note_assessed(database, keys, {"cn_tax": addresses}, {})
    subject = "connector:cn_tax"
    assert await events(database) == [(subject, None, "PIPIA-1"), (subject, "PIPIA-1", "PIPIA-2"), (subject, "PIPIA-2", "PIPIA-2")]
    async with database.work() as tx:
        rows = (await tx.execute(text("SELECT assessment_id, assessed_on, addresses FROM connector_assessment ORDER BY noted_at"))).all()
    assert [tuple(row) for row in rows][::2] == [("PIPIA-1", ONE.on, list(TAX)), ("PIPIA-2", OTHER.on, sorted(SHOP))]


async def test_a_database_that_is_older_than_the_question_goes_on_and_says_what_is_missing(database: Database, keys: FileKeys) -> None:
    async with database.work() as tx:
        await tx.execute(text("INSERT INTO connector_assessment (connector) VALUES (:mark)"), {"mark": BEFORE})
    listed = {"cn_tax": TAX, "taobao": SHOP}
    for _ in range(2):
        assert await note_assessed(database, keys, listed, {"taobao": ONE}) == ("cn_tax",)
    assert await events(database) == [("connector:cn_tax", None, None), ("connector:taobao", None, "PIPIA-1")]
    with pytest.raises(FixConfiguration, match="alipay"):
        await note_assessed(database, keys, {**listed, "alipay": TAX}, {"taobao": ONE})
    with pytest.raises(FixConfiguration, match="cn_tax"):
        await note_assessed(database, keys, {**listed, "cn_tax": SHOP}, {"taobao": ONE})
    with pytest.raises(FixConfiguration, match="taobao"):
        await note_assessed(database, keys, listed, {})
    assert await note_assessed(database, keys, listed, {"taobao": ONE, "cn_tax": OTHER}) == ()
    with pytest.raises(FixConfiguration, match="cn_tax"):
        await note_assessed(database, keys, listed, {"taobao": ONE})


async def test_control_without_the_check_it_would_be_enabled(database: Database, keys: FileKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessed, "_may_go_on", lambda *_: True)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        with pytest.raises(FixConfiguration):
            await note_assessed(database, keys, {"cn_tax": TAX}, {})


@pytest.mark.law("PIPL 55: assessed")
async def test_the_record_is_never_changed_and_no_client_writes_it(database: Database, keys: FileKeys) -> None:
    await note_assessed(database, keys, {"cn_tax": TAX}, {"cn_tax": ONE})
    for statement in ("UPDATE connector_assessment SET assessment_id = 'x'", "DELETE FROM connector_assessment"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.work() as tx:
                await tx.execute(text(statement))
