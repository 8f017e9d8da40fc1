"""``hub reference``, ``hub relations`` and ``hub evaluate`` of what is stored, as an operator types them, on a store that is there. Small forms: tests/hub/store/test_reproducing.py, tests/hub/app/test_reference.py."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.credit.evaluate import Request
from hub.domain.facts import Order
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.evaluations import Asked, evaluate_customer, publish_policies
from hub.store.evaluations.policies import documents_of_the_package
from tests.e2e.case import small_seller
from tests.e2e.forked import Hub
from tests.hub.credit.facts_of import facts_of
from tests.hub.credit.shop_of import order_facts
from tests.hub.credit.variants import uscc
from tests.hub.store.seed import GRANTEE, PURPOSE, seed_persona

FAULTY = """{
  "source": "board",
  "effective_from": "2026-01-01",
  "documents": {
    "margin_bands": {
      "F52": ["0.40", "0.10"],
      "52": ["0.1", "0.2"]
    },
    "crops": {"rice": {"yield_norm": "450", "price": 2.8, "input_cost": "600"}}
  }
}
"""


def owner(urls: Urls, statement: str) -> Any:
    with psycopg.connect(urls.owner.replace("+psycopg", "")) as connection:
        for table in ("evaluation", "consent"):
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        # What nobody else may: a consent that was given becomes wider.
        connection.execute("ALTER TABLE consent DISABLE TRIGGER consent_only_narrows")
        found = connection.execute(statement)
        rows = found.fetchall() if found.description else found.rowcount
        for table in ("evaluation", "consent"):
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE consent ENABLE TRIGGER consent_only_narrows")
    return rows


def at(urls: Urls) -> dict[str, str]:
    return {
        "HUB_DATABASE_URL": urls.owner,
        "HUB_APP_DATABASE_URL": urls.app,
        "HUB_WORKER_DATABASE_URL": urls.worker,
        "HUB_GRANTEE": GRANTEE,
    }


async def _seeded(urls: Urls) -> tuple[str, str]:
    persona, database = small_seller(), Database(urls)
    async with database.work() as tx:
        await publish_policies(tx, documents_of_the_package(), datetime.now(UTC))
        seed = await seed_persona(tx, persona, [*facts_of(persona), *(one for one in order_facts(persona) if isinstance(one, Order))])
        asked = Asked(seed.customer_id, "S03", Request("OPERATING", Decimal(1)), persona.as_of, persona.known_at, GRANTEE, PURPOSE)
        kept = await evaluate_customer(tx, asked)
    await database.close()
    return str(seed.customer_id), str(kept.evaluation_id)


@pytest.mark.load
def test_an_evaluation_is_reproduced_and_what_was_tampered_with_is_named(hub: Hub, urls: Urls, tmp_path: Path) -> None:
    customer, evaluation = asyncio.run(_seeded(urls))
    owner(urls, "UPDATE consent SET expires_at = '2030-01-01'")
    home, environment = ("--home", str(tmp_path)), at(urls)
    equal = hub("evaluate", "--evaluation", evaluation, *home, environment=environment)
    assert (equal.returncode, equal.stderr[:6]) == (0, "EQUAL:"), equal.stderr
    then = ("--as-of", "2026-01-20", "--known-at", "2026-01-20T10:00:00+08:00", "--amount", "1")
    made = hub("evaluate", "--customer", customer, "--scenario", "S03", *then, *home, "--json", environment=environment)
    assert made.returncode == 0, made.stderr
    computed = json.loads(made.stdout)
    ((stored,),) = owner(urls, f"SELECT document FROM evaluation WHERE evaluation_id = '{evaluation}'")
    assert computed == {**stored, "evaluation": computed["evaluation"], "whatIf": True, "forbidden": []}
    owner(urls, f"UPDATE evaluation SET grade = 'A+' WHERE evaluation_id = '{evaluation}'")
    other = hub("evaluate", "--evaluation", f"Evaluation:{customer}:{evaluation}", *home, "--json", environment=environment)
    told = json.loads(other.stdout)
    assert (other.returncode, told["verdict"], told["difference"]["where"], told["difference"]["kept"]) == (
        3,
        "DIFFERENT",
        "evaluation.grade",
        "A+",
    )
    owner(urls, "UPDATE consent SET status = 'REVOKED', changed_at = '2026-02-01' WHERE source = 'SHOP'")
    ended = hub("evaluate", "--evaluation", evaluation, *home, environment=environment)
    assert (ended.returncode, "may not be read again" in ended.stderr) == (4, True)
    left = hub("evaluate", "--customer", customer, "--scenario", "S03", *then, *home, environment=environment)
    assert (left.returncode, "The consent to SHOP was withdrawn" in left.stderr) == (4, True), left.stderr
    logged = owner(urls, "SELECT operation FROM access_log ORDER BY at")
    assert [row[0] for row in logged] == [
        f"hub evaluate --{one}" for one in ("evaluation", "customer", "evaluation", "evaluation", "customer")
    ]
    assert hub.refusal("evaluate", "--evaluation", customer, *home, environment=environment).startswith("hub: There is no such evaluation.")


@pytest.mark.load
def test_a_reference_file_is_checked_loaded_and_listed(hub: Hub, urls: Urls, tmp_path: Path) -> None:
    home, environment, file = ("--home", str(tmp_path)), at(urls), tmp_path / "reference.json"
    file.write_text(FAULTY, "utf-8")
    checked = hub("reference", "check", str(file), "--json")
    assert checked.returncode == 1
    assert [(one["line"], one["path"], one["remedy"]) for one in json.loads(checked.stdout)] == [
        (6, "documents.margin_bands.F52", "Put the lower one first."),
        (7, "documents.margin_bands.52", 'Write a section letter and up to four digits, like "F52".'),
        (9, "documents.crops.rice.price", 'Write a decimal text that is not negative, like "4250.00".'),
    ]
    refused = hub("reference", "load", str(file), *home, environment=environment)
    assert refused.returncode == 1 and "Nothing was loaded." in refused.stderr
    assert json.loads(hub("reference", "list", *home, "--json", environment=environment).stdout) == []
    sound = FAULTY.replace('["0.40", "0.10"]', '["0.10", "0.40"]').replace('"52"', '"C13"').replace("2.8", '"2.8"')
    file.write_text(sound, "utf-8")
    for expected in (["crops", "margin_bands"], []):
        loaded = hub("reference", "load", str(file), *home, "--json", environment=environment)
        assert sorted(one["name"] for one in json.loads(loaded.stdout)) == expected, "what is there already stays as it is"
    file.write_text(sound.replace("0.40", "0.45").replace("2026-01-01", "2026-06-01"), "utf-8")
    hub("reference", "load", str(file), *home, environment=environment)
    listed = json.loads(hub("reference", "list", "margin_bands", *home, "--json", environment=environment).stdout)
    assert [(one["version"], one["from"], one["document"]["F52"][1]) for one in listed] == [
        (2, "2026-06-01", "0.45"),
        (1, "2026-01-01", "0.40"),
    ]
    for day, high in (("2026-03-01", "0.40"), ("2026-06-01", "0.45")):
        shown = json.loads(hub("reference", "show", "--as-of", day, *home, environment=environment).stdout)
        assert shown["margin_bands"]["document"]["F52"][1] == high
    before = hub("reference", "show", "--known-at", "2020-01-01T00:00:00Z", *home, environment=environment)
    assert json.loads(before.stdout) == {}, "nothing was known then"
    events = owner(
        urls,
        "SELECT before ->> 'version', after -> 'document' -> 'F52' ->> 1 FROM audit_event WHERE subject = 'reference:margin_bands' ORDER BY sequence",
    )
    assert events == [(None, "0.40"), ("1", "0.45")]


@pytest.mark.load
def test_ten_thousand_edges_are_loaded_whole_or_not_at_all(hub: Hub, urls: Urls, tmp_path: Path) -> None:
    codes = [uscc(f"91330203MA{number:06}X") for number in range(10_001)]
    rows = [f"{one},{other},SUPPLIES" for one, other in itertools.pairwise(codes)]
    home, environment, file = ("--home", str(tmp_path), "--source", "register"), at(urls), tmp_path / "edges.csv"
    file.write_text("\n".join(["from,to,type", *rows[:-1], f"{codes[0]},{codes[0]},SUPPLIES", ""]), "utf-8")
    refused = hub("relations", "load", str(file), *home, environment=environment)
    assert refused.returncode == 1
    assert "edges.csv:10001: to: it is the same business. Name the other one." in refused.stderr
    assert owner(urls, "SELECT count(*) FROM relation") == [(0,)]
    file.write_text("\n".join(["from,to,type", *rows, ""]), "utf-8")
    loaded = hub("relations", "load", str(file), *home, "--json", environment=environment)
    assert json.loads(loaded.stdout) == {"added": 10_000, "changed": 0, "unchanged": 0, "retracted": 0}, loaded.stderr
    assert owner(urls, "SELECT count(*) FROM relation") == [(10_000,)]
    shown = hub("relations", "show", codes[5], "--home", str(tmp_path), "--json", environment=environment)
    assert {(one["from_uscc"], one["to_uscc"]) for one in json.loads(shown.stdout)} == {(codes[4], codes[5]), (codes[5], codes[6])}
