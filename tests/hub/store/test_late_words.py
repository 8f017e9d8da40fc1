"""What is written after an evaluation, and says that it was known before, changes nothing of it: an evaluation goes by what it saw, whatever any clock says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from hub.credit import policies
from hub.credit.reference import Edge, ReferenceFile
from hub.domain.enums import Outcome, RelationType, SourceKind
from hub.domain.facts import Order, PaymentTransaction
from hub.domain.identifiers import new_id
from hub.domain.models import LoanState
from hub.store import dossier
from hub.store.dossier.facts import load_facts
from hub.store.evaluations import Asked, evaluate_customer, publish_policies
from hub.store.evaluations.reference import load_versions
from hub.store.evaluations.reproduce import DIFFERENT, EQUAL
from hub.store.evaluations.today import forbidden_today
from hub.store.fact_tables import FACT_TABLES
from hub.store.loans import LoanWord, record
from hub.store.merging import merge_customers, split_customer
from hub.store.relations import load_edges, related_to
from hub.store.tables import connection, dispute, evaluation_inputs, fact_mark, party, sync_run, sync_window
from tests.e2e.case import small_seller
from tests.hub.credit.facts_of import facts_of
from tests.hub.credit.shop_of import order_facts
from tests.hub.store.seed import Seed
from tests.hub.store.test_batches import bare, lent
from tests.hub.store.test_reproducing import DAY, PARTNER_CODE, PENALTY, Scene, after, object_to, scene, seeded

__all__ = ["scene", "seeded"]
"""Fixtures."""


async def is_equal(scene: Scene) -> None:
    found = await scene.again()
    assert found.verdict == EQUAL, found.sentence


async def kept_of(scene: Scene, evaluation_id: Any) -> dict[str, Any]:
    wanted = select(evaluation_inputs.c.document).where(evaluation_inputs.c.evaluation_id == evaluation_id)
    return dict((await scene.tx.execute(wanted)).scalar_one())


async def without(scene: Scene, *names: str) -> None:
    """As an evaluation of before was kept, which told them by its instant alone."""
    for name in names:
        await scene.tamper("evaluation_inputs", f"document = document #- '{{{name}}}'")


@pytest.mark.law("征信业管理条例 25: suspended")
async def test_an_objection_whose_clock_was_behind(scene: Scene) -> None:
    await object_to(scene, "Evaluation", scene.kept.evaluation_id, None, -1)
    table = FACT_TABLES["Order"]
    sold = (await scene.tx.execute(select(table).where(table.c.paid_at.is_not(None)).limit(1))).one()
    await object_to(scene, "Order", sold.fact_id, sold.source_key, -1)
    await is_equal(scene)
    assert (await after(scene, 0)).reasons[:2] == ["D02", "D01"], "control: the next one knows of them"


async def test_an_answer_whose_clock_was_behind(scene: Scene) -> None:
    await object_to(scene, "Evaluation", scene.kept.evaluation_id, None, -2)
    scene.kept = await evaluate_customer(scene.tx, scene.asked)
    await scene.tx.execute(update(dispute).values(state="KEPT", resolved_at=scene.at - DAY))
    await is_equal(scene)
    assert (scene.kept.outcome, (await after(scene, 0)).outcome) == (Outcome.REFER_MANUAL, Outcome.ENHANCED)


async def test_a_party_and_an_end_of_one_whose_clock_was_behind(scene: Scene) -> None:
    await scene.tamper("party", f"valid_to = '2026-01-02', ended_at = '{(scene.at - DAY).isoformat()}' WHERE role = 'OPERATOR'")
    row = {"role": "OPERATOR", "name_masked": "*", "id_hash": "another", "id_masked": "*", "identity": b"", "added_at": scene.at - DAY}
    await scene.tx.execute(
        insert(party), {"customer_id": scene.asked.customer_id, "party_id": new_id(), "valid_from": date(2026, 1, 2), **row}
    )
    await is_equal(scene)
    before, now = await scene.both(scene.at)
    assert before.inputs_digest != now.inputs_digest, "control: another person answers for it"
    await without(scene, "parties")
    found = await scene.again()
    assert found.verdict == DIFFERENT and "who answers for it" in found.sentence


async def test_an_edge_whose_clock_was_behind(scene: Scene) -> None:
    own = str((await scene.tx.execute(text("SELECT uscc FROM customer"))).scalar_one())
    edges = [Edge(own, PARTNER_CODE, RelationType.LEGAL_REP), Edge(own, PARTNER_CODE, RelationType.SHAREHOLDING, retract=True)]
    await load_edges(scene.tx, edges, "register", "admin", scene.at - DAY)
    await is_equal(scene)
    found = (await related_to(scene.tx, scene.asked.customer_id, own, scene.asked.as_of, scene.at)).related
    assert found and [one.type for one in found] == ["LEGAL_REP"], "control: it is what is known then"
    await without(scene, "edges")
    assert "edges of the relationship graph" in (await scene.again()).sentence


async def test_policies_and_documents_whose_clock_was_behind(scene: Scene) -> None:
    early = scene.at - DAY
    changed = {**policies.document("S03"), "version": "2026-01-02", "effective_from": "2026-01-02", "uplift_ceiling": "0.01"}
    await publish_policies(scene.tx, [changed], early)
    await load_versions(scene.tx, ReferenceFile("board", date(2025, 1, 1), None, {"prohibited_industries": ["F"]}), "admin", early)
    await is_equal(scene)
    before, now = await scene.both(scene.at)
    assert (before.outcome, now.outcome, now.policy_version) == ("ENHANCED", "INELIGIBLE", "2026-01-02"), "control"


async def test_windows_and_connections_whose_clock_was_behind(scene: Scene) -> None:
    await scene.tx.execute(update(sync_window).values(covered=text("covered - '{[2025-03-01,2025-06-01)}'::datemultirange")))
    await scene.tx.execute(text("DELETE FROM window_before"))
    await scene.tx.execute(update(connection).where(connection.c.connector == "platform_tax").values(status="DISCONNECTED"))
    await is_equal(scene)
    before, now = await scene.both(scene.at)
    assert before.inputs_digest != now.inputs_digest, "control"


def word(asked: Asked, days_past_due: int, status_on: date) -> LoanWord:
    """Of the loan of :func:`lent`."""
    granted_on = asked.as_of - timedelta(days=60)
    amounts = Decimal(90_000), Decimal(70_000), Decimal(1_000)
    return LoanWord("L1", "S03", LoanState.ACTIVE, status_on, granted_on, None, *amounts, days_past_due)


@pytest.mark.parametrize("days", [0, 20])
async def test_words_on_a_loan_whose_clock_was_behind(scene: Scene, days: int) -> None:
    """On the day of which it was told last, and on one before, on which it was not known to be overdue."""
    asked = await lent(scene)
    await record(scene.tx, asked.customer_id, word(asked, 0, asked.as_of), "app", scene.at)
    scene.kept = await evaluate_customer(scene.tx, asked)
    await record(scene.tx, asked.customer_id, word(asked, 40, asked.as_of - timedelta(days=days)), "app", scene.at - DAY)
    await is_equal(scene)
    other = await evaluate_customer(scene.tx, asked)
    kept, now = [(await kept_of(scene, one.evaluation_id))["watch"]["loans"] for one in (scene.kept, other)]
    assert kept != now, "control: the next one knows of it"
    await without(scene, "watch,words")
    assert "loans is not what is read now" in (await scene.again()).sentence


async def test_what_stood_when_a_loan_was_granted_is_of_what_had_been_decided(scene: Scene) -> None:
    """Not of what was decided later for that day, nor is a connection counted that came later, or not counted because it ended later."""
    asked = await lent(scene)
    first = (await kept_of(scene, (await evaluate_customer(scene.tx, asked)).evaluation_id))["watch"]
    later = replace(scene.asked, as_of=asked.as_of - timedelta(days=60), known_at=scene.at + DAY)
    second = await evaluate_customer(scene.tx, later)
    seed = scene.later()
    ended = await seed.connect(next(iter(scene.connections)), connector="another")
    mine = connection.c.connection_id != ended
    await scene.tx.execute(update(connection).where(mine).values(status="DISCONNECTED", ended_at=scene.at + 2 * DAY))
    then = replace(asked, what_if=True)
    assert (await kept_of(scene, (await evaluate_customer(scene.tx, then)).evaluation_id))["watch"] == first
    now = replace(asked, known_at=scene.at + 3 * DAY, what_if=True)
    told = (await kept_of(scene, (await evaluate_customer(scene.tx, now)).evaluation_id))["watch"]
    assert (told["origin"][0], told["connections"]) == (str(second.evaluation_id), 1), "control: later on it is so"
    assert (first["origin"][0], first["connections"]) != (told["origin"][0], 1)


async def merged(scene: Scene) -> Seed:
    """Another customer who turns out to be this one, a day later."""
    other = await bare(scene)
    await scene.tx.execute(text("UPDATE customer SET kind = 'ORG' WHERE subject_hash = 'bare'"))
    await merge_customers(scene.tx, other.customer_id, scene.asked.customer_id, "one and the same", scene.at + DAY, "admin")
    return other


async def object_as(scene: Scene, other: Seed, kind: str, about: Any, source_key: str | None) -> None:
    await object_to(scene, kind, about, source_key, 0)
    await scene.tx.execute(update(dispute).where(dispute.c.about == about).values(customer_id=other.customer_id))


@pytest.mark.law("PIPL 24: a person decides")
async def test_who_asked_for_a_person_before_he_was_merged_has_asked(scene: Scene) -> None:
    other = await merged(scene)
    decided = await evaluate_customer(scene.tx, replace(scene.asked, customer_id=other.customer_id))
    await object_as(scene, other, "Evaluation", decided.evaluation_id, None)
    assert (await after(scene, 0)).outcome == "ENHANCED", "as known then they were two"
    found = await after(scene, 2)
    assert (found.outcome, found.reasons[0]) == ("REFER_MANUAL", "D02")
    await split_customer(scene.tx, other.customer_id, "they are two after all", scene.at + 3 * DAY, "admin")
    scene.kept = replace(scene.kept, evaluation_id=found.evaluation_id)
    await is_equal(scene)
    assert (await after(scene, 4)).outcome == "ENHANCED", "control: each for himself"


@pytest.mark.law("征信业管理条例 25: suspended")
async def test_what_he_objected_to_before_he_was_merged_is_in_dispute(scene: Scene) -> None:
    """The same penalty was fetched for both; he objected to the one of the other."""
    await scene.later().facts(PENALTY, known_from=scene.at + DAY)
    other = await merged(scene)
    table = FACT_TABLES["ShopPenalty"]
    mine = (await scene.tx.execute(select(table).where(table.c.penalty_number == "7"))).one()
    assert (await after(scene, 2)).outcome == "INELIGIBLE"
    await object_as(scene, other, "ShopPenalty", new_id(), mine.source_key)
    found = await after(scene, 2)
    assert (found.outcome, found.reasons[0]) == ("REFER_MANUAL", "D01")
    assert (await kept_of(scene, found.evaluation_id))["objections"]["facts"] == [str(mine.fact_id)], "its own is named, not the other's"


async def late(scene: Scene) -> None:
    """A payment of a page, an order that a page closes, and one that it replaces: all said to have been known before the evaluation."""
    paid = next(one for one in facts_of(small_seller()) if isinstance(one, PaymentTransaction))
    sold = [one for one in order_facts(small_seller()) if isinstance(one, Order) and one.paid_at][:1]
    seed, early = scene.later(), scene.at - DAY / 48
    await seed.facts(replace(paid, transaction_number="late", amount=Decimal(900_000)), known_from=early)
    live = "known_to IS NULL AND order_number = :number"
    await scene.tx.execute(text(f"UPDATE fact_order SET known_to = :at WHERE {live}"), {"at": early, "number": sold[0].order_number})
    await seed.facts(replace(sold[0], paid_amount=Decimal(500_000)), known_from=early, version=2)
    await scene.tx.execute(
        text(
            "UPDATE fact_order n SET supersedes = b.fact_id FROM fact_order b WHERE n.version = 2 AND b.version = 1 AND b.source_key = n.source_key"
        )
    )


async def test_pages_whose_clock_was_behind(scene: Scene) -> None:
    """Or whose transactions took their instant before the evaluation and committed after it."""
    await late(scene)
    await is_equal(scene)
    before, now = await scene.both(scene.at)
    assert before.document != now.document, "control: they are known by that instant"
    scene.kept = replace(scene.kept, evaluation_id=now.evaluation_id)
    await is_equal(scene)
    scene.kept = replace(scene.kept, evaluation_id=before.evaluation_id)
    await without(scene, "pages")
    found = await scene.again()
    assert found.verdict == DIFFERENT and "Facts of Order" in found.sentence


async def test_a_pass_that_proves_deletions_with_its_clock_behind(scene: Scene) -> None:
    """And a replay, which writes by pages of before: both are runs of a later epoch."""
    early, run = scene.at - DAY / 48, new_id()
    (shop,) = [one for kind, one in scene.connections.items() if kind == "SHOP"]
    row = {"run_id": run, "connection_id": shop, "epoch": 1, "started_at": scene.at}
    await scene.tx.execute(insert(sync_run), {"customer_id": scene.asked.customer_id, **row})
    table = FACT_TABLES["Order"]
    gone, replayed = (await scene.tx.execute(select(table.c.fact_id).where(table.c.paid_at.is_not(None)).limit(2))).scalars()
    await scene.tx.execute(update(table).where(table.c.fact_id.in_([gone, replayed])).values(known_to=early))
    copied = dict((await scene.tx.execute(select(table).where(table.c.fact_id == replayed))).one()._mapping)
    new = {"fact_id": new_id(), "version": 2, "supersedes": replayed, "known_from": early, "known_to": None, "paid_amount": Decimal(1)}
    await scene.tx.execute(insert(table), copied | new)
    mark = {"customer_id": scene.asked.customer_id, "kind": "Order", "run_id": run, "at": early}
    await scene.tx.execute(
        insert(fact_mark), [{**mark, "fact_id": gone, "mark": "GONE"}, {**mark, "fact_id": new["fact_id"], "mark": "REPLAYED"}]
    )
    await is_equal(scene)
    await without(scene, "pages")
    assert (await scene.again()).verdict == DIFFERENT, "control"


@pytest.mark.parametrize(("tries", "verdict"), [(3, EQUAL), (0, DIFFERENT)], ids=["as it is", "control"])
async def test_a_page_that_comes_while_facts_are_read(scene: Scene, monkeypatch: pytest.MonkeyPatch, tries: int, verdict: str) -> None:
    """It is committed between two statements of one evaluation, of which the first read payments and the second orders: it is read whole, or not at all."""

    async def interrupted(tx: Any, moments: Any) -> Any:
        found = await load_facts(tx, moments)
        monkeypatch.setattr(dossier, "load_facts", load_facts)
        await late(scene)
        return found

    monkeypatch.setattr(dossier, "load_facts", interrupted)
    monkeypatch.setattr(dossier, "TRIES", tries)
    scene.kept = await evaluate_customer(scene.tx, scene.asked)
    assert (await scene.again()).verdict == verdict
    before, now = await scene.both(scene.at)
    assert before.document != now.document, "control: the next one reads it"


@pytest.mark.parametrize(
    ("change", "days", "told"),
    [
        ("status = 'REVOKED', changed_at = :at", 1, ("CONSENT_REVOKED", True, "was withdrawn (2026-01-21): nothing of it was read. It was in force then")),
        ("status = 'REVOKED'", 0, ("CONSENT_REVOKED", False, "was withdrawn (2026-01-20): nothing of it was read. It was not in force then")),
        ("expires_at = :at", 1, ("CONSENT_EXPIRED", True, "ran out (2026-01-21): nothing of it was read. It was in force then")),
        ("expires_at = :at", -1, ("CONSENT_EXPIRED", False, "ran out (2026-01-19): nothing of it was read. It was not in force then")),
        ("data_from = '2025-12-01', narrowed_at = :at", 1, ("NARROWER", True, "became narrower (2026-01-21): what lies outside")),
        ("changed_at = :at", 1, None),
    ],
)  # fmt: skip
async def test_who_looks_back_reads_what_consents_of_today_allow(scene: Scene, change: str, days: int, told: Any) -> None:
    """A withdrawal holds for an auditor, too; which source is left out because of it, and that it was allowed then, is told beside the result."""
    values = {"at": scene.at + days * DAY} if days else {}
    await scene.tx.execute(text(f"UPDATE consent SET {change} WHERE source = 'SHOP'"), values)
    asked = replace(scene.asked, what_if=True, read_at=scene.at + 2 * DAY)
    made = (await evaluate_customer(scene.tx, asked)).found.made.dossier
    reasons = {kind: state.reason for kind, state in made.sources.items()}
    found = [one.document() for one in await forbidden_today(scene.tx, asked, reasons, asked.read_at or scene.at)]
    assert [one["source"] for one in found] == (["SHOP"] if told else [])
    assert made.readable(SourceKind.SHOP) == (told is None or told[0] == "NARROWER")
    if told:
        assert (found[0]["reason"], found[0]["wasAllowed"]) == told[:2] and told[2] in found[0]["sentence"], found


async def test_a_consent_that_has_run_out_since_was_read_once_more(scene: Scene) -> None:
    """Control: by the instant of what is known alone."""
    await scene.tx.execute(text("UPDATE consent SET expires_at = :at"), {"at": scene.at + DAY})
    asked = replace(scene.asked, what_if=True)
    assert (await evaluate_customer(scene.tx, asked)).found.made.dossier.readable(SourceKind.SHOP)
