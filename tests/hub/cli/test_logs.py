"""Logs say what happened and to whom by id; whatever else is handed to them is dropped, and so is what libraries put into their texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from hub.cli.logs import configure
from hub.store.database import Database
from hub.store.tables import signing_key

CANARY = "339998198709170425"


@pytest.fixture
def logs() -> Iterator[None]:
    before = structlog.get_config(), logging.root.handlers[:], logging.root.level
    configure()
    yield
    structlog.configure(**before[0])
    logging.root.handlers, logging.root.level = before[1], before[2]


def lines(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def test_only_listed_fields_are_written(capsys: pytest.CaptureFixture[str], logs: None) -> None:
    structlog.get_logger("hub.test").info("synced", connection="c-1", resident_id=CANARY, query=CANARY)
    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["connection"], line["level"]) == ("synced", "c-1", "info")
    assert CANARY not in json.dumps(line)


def test_an_error_is_its_class_and_its_places(capsys: pytest.CaptureFixture[str], logs: None) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        structlog.get_logger("hub.test").error("failed", exc_info=True)
        logging.getLogger("procrastinate.worker").exception("Job of %s failed", CANARY)
    said = capsys.readouterr().err
    ours, theirs = lines(said)
    assert ours["type"] == theirs["type"] == "ValueError"
    assert theirs["kind"] == "procrastinate.worker"
    assert "test_an_error_is_its_class_and_its_places" in str(theirs["trace"])
    assert CANARY not in said


async def test_an_error_of_the_database_holds_no_values(database: Database) -> None:
    row = {"kid": CANARY, "public_jwk": {}, "sealed": b"", "created_at": None}
    with pytest.raises(IntegrityError) as refused:
        async with database.work() as tx:
            await tx.execute(insert(signing_key), row)
    assert CANARY not in str(refused.value).partition("DETAIL")[0]
    assert "parameters hidden" in str(refused.value)
