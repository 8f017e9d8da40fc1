"""Nothing personal leaks: one made person goes the whole way, much goes wrong, and everything that is left is looked through. ``make canary`` is the same at full size.

The search itself is shown to find what is planted, in each encoding and each place.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest
import structlog
from sqlalchemy import text

from bench.canary.noting import Notes
from bench.canary.personas import made
from bench.canary.run import dump, searched
from bench.canary.search import Hit, columns, files_below, search
from bench.canary.walk import walked
from hub.cli.logs import configure
from hub.connect import ContractBroken
from hub.domain.facts import Invoice
from hub.store import rows
from hub.store.database import Database, Write
from hub.store.embedded import Embedded, Urls
from hub.store.facts import PageScope, write_facts
from hub.vault import Blind

NAME, NUMBER = "袁膣额镶", "339998198709170425"
DATA = "data directory, WAL and the server's log"


@pytest.fixture
def logs() -> Iterator[None]:
    before = structlog.get_config(), logging.root.handlers[:], logging.root.level
    configure(logging.DEBUG)
    yield
    structlog.configure(**before[0])
    logging.root.handlers, logging.root.level = before[1], before[2]


def name_of(urls: Urls) -> str:
    return urls.owner.partition("@/")[2].partition("?")[0]


def left_behind(cluster: Embedded, urls: Urls, home: Path, notes: Notes, said: str) -> dict[str, list[Path]]:
    """By place, as in the command. A checkpoint writes what is in the server's memory."""
    dump(cluster, name_of(urls), home / "dump")
    (home / "log").write_text(said, "utf-8")
    (home / "answers").write_bytes(b"\n".join(notes.answers))
    return {
        "dump": [home / "dump"],
        DATA: [one for one in files_below(Path(cluster.socket_dir)) if one.parent.name == "pg_wal" or one.name == "log"],
        "logs": [home / "log"],
        "answers with errors": [home / "answers"],
        "home, but for keys": files_below(home / "hub", but=[home / "hub" / "keys", home / "hub" / "clients"]),
    }


_NUMBERS = text(
    "SELECT buyer_masked FROM fact_invoice WHERE buyer_masked IS NOT NULL UNION SELECT seller_masked FROM fact_invoice WHERE seller_masked IS NOT NULL"
)
_PLACE = text("SELECT customer_id, connection_id, consent_id, page_id, known_from FROM fact_invoice LIMIT 1")


async def _invoiced(tx: Write, buyer: str, seller: str) -> None:
    """One invoice more."""
    said = {
        "direction": "OUTPUT",
        "kind_code": "32",
        "issued_on": date(2025, 12, 1),
        "net": Decimal(1),
        "tax": Decimal(0),
        "gross": Decimal(1),
    }
    more = Invoice(code="", number="1", seller=seller, buyer=buyer, status="NORMAL", original_number=None, red_reason=None, **said)  # type: ignore[arg-type]
    assert await write_facts(tx, PageScope(*(await tx.execute(_PLACE)).one()), [(0, more)], Blind(b"k" * 32)) == (1, 0)


async def test_of_one_person_nothing_is_left_in_plain_text(
    cluster: Embedded,
    urls: Urls,
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    logs: None,
) -> None:
    notes = Notes()
    # Ten days of the shop are as good as a year of it.
    provoked = await walked(tmp_path / "hub", [made(7)], notes, urls=urls, first=date(2025, 12, 20))
    kinds = set(notes.canaries.values())
    assert {"secret", "personal", "code", "business", "shop"} <= kinds
    assert len(notes.canaries) > 120 and provoked > 60 and len(notes.answers) > 30
    places = left_behind(cluster, urls, tmp_path, notes, capsys.readouterr().err)
    assert (tmp_path / "log").stat().st_size > 1000
    assert searched(notes.canaries, places) == []

    private, trader = (made(7).invoices.parties[name].uscc for name in ("private", "trader"))  # type: ignore[union-attr]
    assert notes.canaries[private] == notes.canaries[trader] == "personal" and len(private) == 18 and len(trader) == 20
    async with database.work() as tx:
        shown = (await tx.execute(_NUMBERS)).scalars().all()
        assert {f"{one[:6]}{'*' * (len(one) - 10)}{one[-4:]}" for one in (private, trader)} == set(shown), "they did come, and are masked"
        with mock.patch.object(rows, "persons_number", return_value=None):
            await _invoiced(tx, private, trader)

    # Controls: persons' numbers that nothing tells from a business's, a column in plain text, and a line of the log that says too much, in every place they come to.
    person = made(7).responsible
    async with database.work() as tx:
        await tx.execute(text("UPDATE party SET name_masked = :plain WHERE role <> 'SUBJECT'"), {"plain": person.resident_id})
    structlog.get_logger("hub.debug").debug(f"fetched for {person.name}")
    notes.answers.append(json.dumps({"errors": [{"message": person.name}]}).encode())
    (tmp_path / "hub" / "note").write_text(person.name, "gb18030")
    found = {
        (one.canary, one.encoding, one.where)
        for one in searched(notes.canaries, left_behind(cluster, urls, tmp_path, notes, capsys.readouterr().err))
    }
    assert (person.resident_id, "utf-8", "party.name_masked") in found
    assert {(private, "utf-8", "fact_invoice.buyer"), (trader, "utf-8", "fact_invoice.seller")} <= found
    assert any(canary == person.resident_id and where.startswith(DATA) for canary, _, where in found)
    assert {one for one in found if one[0] == person.name} == {
        (person.name, "utf-8", "logs: log"), (person.name, "json", "answers with errors: answers"), (person.name, "gbk", "home, but for keys: note"),
    }  # fmt: skip


ENCODED = {
    "utf-8": NAME.encode(),
    "gbk": NAME.encode("gb18030"),
    "hex": NAME.encode().hex().encode(),
    "HEX": NAME.encode().hex().upper().encode(),
    "json": json.dumps(NAME).encode(),
    "JSON": json.dumps(NAME).upper().replace("\\U", "\\u").encode(),
    "url": quote(NAME).encode(),
    "url lower": quote(NAME).lower().encode(),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_each_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes(b"\0\xff before " + ENCODED[encoding] + b" after\n")
    assert list(search([NAME], [tmp_path / "file"])) == [Hit(NAME, encoding, str(tmp_path / "file"))]
    (tmp_path / "file").write_bytes(b"nothing of it")
    assert list(search([NAME], [tmp_path / "file"])) == []


@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("canary", [NAME, NUMBER, NUMBER[:-1], NUMBER[:-2]])
def test_base64_is_found_wherever_it_begins(tmp_path: Path, shift: int, canary: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for after in range(3):
            (tmp_path / "file").write_bytes(encode(b"x" * (3 + shift) + canary.encode() + b"?" * after))
            assert [one.canary for one in search([canary], [tmp_path / "file"])] == [canary], (encode, after)


def test_a_dump_is_told_by_its_columns(tmp_path: Path) -> None:
    rows = f"COPY public.party (customer_id, note, id_masked) FROM stdin;\n1\t\\N\t{NUMBER}\n\\.\n-- {NUMBER}\n"
    (tmp_path / "dump").write_text(rows)
    assert [one.where for one in columns(tmp_path / "dump", [NUMBER])] == ["party.id_masked", "dump"]


@pytest.mark.parametrize("code", ["isv.invalid-parameter", "40004 ACQ.TRADE_NOT_EXIST", "invalid_grant", "E0001"])
def test_a_platforms_code_is_kept(code: str) -> None:
    assert ContractBroken("the platform refuses", code=code).code == code


@pytest.mark.parametrize("code", [NAME, NUMBER, f"no file of {NUMBER}", "19912345678", "1991-234-5678", "x" * 61, "a\nb", "<b>"])
def test_what_is_no_code_is_not_kept(code: str) -> None:
    assert ContractBroken("the platform refuses", code=code).code == ""
