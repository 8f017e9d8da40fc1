"""An evaluation is made once more byte for byte, whatever came since; what was tampered with is named with its cause. What was in dispute then is in dispute again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select, text, update

from hub.credit import policies
from hub.credit.checking import check
from hub.credit.evaluate import Request
from hub.credit.features import CATALOGUE
from hub.credit.reference import Edge, ReferenceFile
from hub.domain.enums import Outcome, RelationType, SourceKind
from hub.domain.facts import Order, PaymentTransaction, ShopPenalty, TaxReturn
from hub.domain.identifiers import new_id
from hub.store.database import Database, Write
from hub.store.embedded import Urls
from hub.store.evaluations import Asked, Kept, canonical, evaluate_customer, publish_policies
from hub.store.evaluations.policies import documents_of_the_package, end_policy
from hub.store.evaluations.reference import keep_catalogue, load_versions
from hub.store.evaluations.reproduce import DIFFERENT, EQUAL, NOT_REPRODUCIBLE, Reproduction, find_evaluation, reproduce
from hub.store.fact_tables import FACT_TABLES
from hub.store.merging import merge_customers
from hub.store.relations import load_edges, related_to
from hub.store.tables import customer, dispute, policy, sync_window
from tests.databases import Databases
from tests.e2e.case import small_seller
from tests.hub.credit.facts_of import facts_of
from tests.hub.credit.shop_of import order_facts
from tests.hub.store.seed import GRANTEE, PURPOSE, Seed, seed_persona

PARTNER_CODE = "91330203MA2DEMKX15"
DAY = timedelta(days=1)


@dataclass
class Scene:
    """A shop that was evaluated at ``at``, in a transaction that is taken back: of one who may do everything, for some tests do what nobody may."""

    tx: Write
    asked: Asked
    kept: Kept
    connections: dict[SourceKind, Any]

    @property
    def at(self) -> datetime:
        return self.asked.known_at

    def later(self) -> Seed:
        """What comes a day later."""
        return Seed(self.tx, self.at + DAY, self.asked.customer_id, self.connections)

    async def again(self) -> Reproduction:
        return await reproduce(self.tx, await find_evaluation(self.tx, self.kept.evaluation_id), self.at + DAY)

    async def both(self, known_at: datetime) -> tuple[Any, Any]:
        """The evaluation, and another one as known at an instant."""
        other = await evaluate_customer(self.tx, replace(self.asked, known_at=known_at))
        first, second = [await find_evaluation(self.tx, one.evaluation_id) for one in (self.kept, other)]
        return first, second

    async def tamper(self, table: str, change: str) -> None:
        assert (await self.tx.execute(text(f"UPDATE {table} SET {change}"))).rowcount  # type: ignore[attr-defined]


Seeded = tuple[Urls, Asked, Kept, dict[SourceKind, Any]]


@pytest.fixture(scope="module")
def seeded(databases: Databases) -> Iterator[Seeded]:
    with databases.one() as urls:
        yield urls, *asyncio.run(_seeded(urls))


async def _seeded(urls: Urls) -> tuple[Asked, Kept, dict[SourceKind, Any]]:
    persona, database = small_seller(), Database(urls)
    async with database.work() as tx:
        await publish_policies(tx, documents_of_the_package(), persona.known_at)
        seed = await seed_persona(tx, persona, [*facts_of(persona), *order_facts(persona)])
        bands = ReferenceFile("board", date(2025, 1, 1), None, {"lender": GRANTEE, "margin_bands": {"F52": ["0.10", "0.40"]}})
        await load_versions(tx, bands, "admin", persona.known_at)
        assert persona.business
        edge = Edge(persona.business.uscc, PARTNER_CODE, RelationType.SHAREHOLDING, Decimal("0.3"))
        await load_edges(tx, [edge], "register", "admin", persona.known_at)
        request = Request("OPERATING", Decimal(100_000))
        asked = Asked(seed.customer_id, "S03", request, persona.as_of, persona.known_at, GRANTEE, PURPOSE)
        kept = await evaluate_customer(tx, asked)
    await database.close()
    assert kept.outcome is Outcome.ENHANCED
    return asked, kept, seed.connections


class _Over(Exception):
    pass


@pytest.fixture
async def scene(seeded: Seeded) -> AsyncIterator[Scene]:
    urls, *made = seeded
    assert urls.admin
    database = Database(replace(urls, worker=urls.admin))
    with suppress(_Over):
        async with database.work() as tx:
            yield Scene(tx, *made)
            raise _Over
    await database.close()


@pytest.mark.law("decision record: kept whole")
async def test_nothing_came_since(scene: Scene) -> None:
    found = await scene.again()
    assert (found.verdict, found.was_sha256) == (EQUAL, found.now_sha256)
    assert found.size > 10_000


@pytest.mark.law("decision record: made again")
async def test_after_later_syncs(scene: Scene) -> None:
    """Windows are read again and facts come: the windows' rows tell of today only."""
    paid = next(one for one in facts_of(small_seller()) if isinstance(one, PaymentTransaction))
    await scene.later().facts(replace(paid, transaction_number="later", amount=Decimal(900_000)), known_from=scene.at + DAY)
    again = {"state": "OPEN", "covered": None, "completed_at": None}
    await scene.tx.execute(update(sync_window).values(**again))
    assert (await scene.again()).verdict == EQUAL
    first, as_known_then = await scene.both(scene.at)
    assert first.document == as_known_then.document, "as known then, windows had covered what they had"
    await scene.tx.execute(text("DELETE FROM window_before"))
    assert (await scene.both(scene.at))[1].document != first.document, "control: the windows' rows alone do not tell it"
    assert (await scene.again()).verdict == EQUAL


async def test_after_a_late_fact_of_an_old_day(scene: Scene) -> None:
    sold = next(one for one in order_facts(small_seller()) if isinstance(one, Order) and one.paid_at)
    await scene.later().facts(replace(sold, order_number="late", paid_amount=Decimal(500_000)), known_from=scene.at + DAY)
    assert (await scene.again()).verdict == EQUAL
    before, after = await scene.both(scene.at + DAY)
    assert before.document != after.document, "control: it counts from then on"


async def test_after_an_amended_return(scene: Scene) -> None:
    later = scene.at + DAY
    await scene.tamper("fact_tax_return", f"known_to = '{later.isoformat()}'")
    returns = [one for one in facts_of(small_seller()) if isinstance(one, TaxReturn)]
    doubled = [replace(one, declared_revenue=one.declared_revenue and one.declared_revenue * 2, amendment=1) for one in returns]
    await scene.later().facts(*doubled, known_from=later, version=2)
    assert (await scene.again()).verdict == EQUAL
    before, after = await scene.both(later)
    assert before.consistency != after.consistency, "control: the amended returns are another truth"


async def test_after_the_customer_was_merged(scene: Scene) -> None:
    other = Seed(scene.tx, scene.at)
    row = {"kind": "ORG", "name_masked": "*", "uscc": PARTNER_CODE, "subject_hash": "other", "created_at": scene.at}
    await scene.tx.execute(insert(customer), {"customer_id": other.customer_id, **row})
    await merge_customers(scene.tx, scene.asked.customer_id, other.customer_id, "one and the same", scene.at + DAY, "admin")
    assert (await scene.again()).verdict == EQUAL


async def test_after_a_policy_was_published_for_the_same_day(scene: Scene) -> None:
    changed = {**policies.document("S03"), "version": "2026-01-02", "effective_from": "2026-01-02", "uplift_ceiling": "0.01"}
    await publish_policies(scene.tx, [changed], scene.at + DAY)
    assert (await scene.again()).verdict == EQUAL
    before, then = await scene.both(scene.at)
    assert then.document == before.document, "as known then it was not there yet"
    stricter = (await scene.both(scene.at + DAY))[1]
    assert (before.final_limit > stricter.final_limit, stricter.policy_version) == (True, "2026-01-02"), (
        "control: the new one decides otherwise"
    )
    await end_policy(scene.tx, "S03", "2026-01-02", (date(2026, 1, 20),) * 2, actor="admin", reason="too strict", now=scene.at + 3 * DAY)
    assert [(await scene.both(scene.at + days * DAY))[1].policy_version for days in (2, 3)] == ["2026-01-02", before.policy_version]


async def test_by_a_policy_that_would_not_be_published_any_more(scene: Scene) -> None:
    barred = {**policies.document("S03"), "interest": "as agreed"}
    assert check(orjson.dumps(barred).decode())
    await scene.tx.execute(update(policy).where(policy.c.policy_id == "S03").values(document=barred))
    assert (await scene.again()).verdict == DIFFERENT, "its document was changed in place: it is compared, and not refused"


async def test_after_a_reference_document_changed(scene: Scene) -> None:
    later = scene.at + DAY
    changed = ReferenceFile("board", date(2025, 1, 1), None, {"lender": "another name", "prohibited_industries": ["F"]})
    assert len(await load_versions(scene.tx, changed, "admin", later)) == 2
    assert (await scene.again()).verdict == EQUAL
    assert (await scene.both(later))[1].outcome == Outcome.INELIGIBLE, "control: its industry is barred now"
    assert (await scene.both(scene.at))[1].outcome == Outcome.ENHANCED, "and was not, as known then"


async def test_products_are_those_of_the_catalogue_that_was_known(scene: Scene) -> None:
    """A catalogue that came later adds nothing to what was evaluated before; one that changed later changes nothing."""
    kept, later = scene.kept, scene.at + DAY
    assert [one.after.version for one in await keep_catalogue(scene.tx, later)] == [1]
    assert (await scene.again()).verdict == EQUAL
    fitting = text("SELECT products, missing FROM evaluation_profile WHERE evaluation_id = :id")
    assert (await scene.tx.execute(fitting, {"id": kept.evaluation_id})).one().products is None
    scene.kept = await evaluate_customer(scene.tx, replace(scene.asked, known_at=later))
    told = (await scene.tx.execute(fitting, {"id": scene.kept.evaluation_id})).one().products
    assert (len(told), told[0]["code"], told[0]["fit"]) == (18, "S03", "FITS")
    first, second = [await find_evaluation(scene.tx, one.evaluation_id) for one in (kept, scene.kept)]
    assert (first.final_limit, first.rate, first.reasons) == (second.final_limit, second.rate, second.reasons), "it decides nothing"
    peers = ReferenceFile("terms", date(2026, 1, 1), None, {"products": {}, "peer_products": {}})
    assert len(await load_versions(scene.tx, peers, "admin", later + DAY)) == 2
    assert (await reproduce(scene.tx, await find_evaluation(scene.tx, scene.kept.evaluation_id), later + DAY)).verdict == EQUAL
    await scene.tamper("evaluation_profile", "products = jsonb_set(products, '{0,fit}', '\"UNKNOWN\"') WHERE products IS NOT NULL")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert (found.difference.where, found.difference.was) == ("evaluation_profile.products[0].fit", "UNKNOWN")


async def test_after_the_graph_changed(scene: Scene) -> None:
    later = scene.at + DAY
    own = str((await scene.tx.execute(text("SELECT uscc FROM customer"))).scalar_one())
    await load_edges(scene.tx, [Edge(own, PARTNER_CODE, RelationType.SHAREHOLDING, retract=True)], "register", "admin", later)
    assert (await scene.again()).verdict == EQUAL
    then, now = [await related_to(scene.tx, scene.asked.customer_id, own, scene.asked.as_of, at) for at in (scene.at, later)]
    assert (then.edges, now.edges) == (1, 0), "control: it was taken back"


_NAMES = "customer_id customer_type overlays size_class product_class industry_section industry_code region missing"
FIRST_FORM = {*_NAMES.split()}
"""What a profile had before it told clusters."""


async def of_the_first_form(scene: Scene) -> None:
    """The evaluation as the version before had kept it: the columns null, no form among its inputs, and the digest over the bytes it had then."""
    await scene.tamper("evaluation_profile", "clusters = NULL, clusters_undecided = NULL, products = NULL, missing = missing - 'clusters'")
    await scene.tamper("evaluation", "all_in_cost = NULL")
    await scene.tamper("evaluation_inputs", "document = document - 'form'")
    stored = {
        table: [dict(one._mapping) for one in await scene.tx.execute(text(f"SELECT * FROM {table.name}"))] for table in canonical.ORDER
    }
    document = canonical.document_of(stored)
    (profile,) = next(one["rows"] for one in document if one["table"] == "evaluation_profile")
    assert set(profile) == FIRST_FORM
    sha256 = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    await scene.tamper("evaluation_inputs", f"result_sha256 = '{sha256}'")


async def test_what_a_version_before_did_not_tell_is_not_compared(scene: Scene) -> None:
    whole = await scene.again()
    await of_the_first_form(scene)
    found = await scene.again()
    assert (found.verdict, found.was_sha256) == (EQUAL, found.now_sha256)
    assert (found.size < whole.size, found.was_sha256 != whole.was_sha256) == (True, True), "other bytes than those of today"


async def test_a_set_of_clusters_that_was_emptied_is_named(scene: Scene) -> None:
    await scene.tamper("evaluation_profile", "clusters = NULL")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert found.difference.where == "evaluation_profile.clusters"


async def test_a_stored_result_that_was_changed_is_named(scene: Scene) -> None:
    await scene.tamper("evaluation", "final_limit = final_limit + 1000")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert found.difference.where == "evaluation.final_limit"
    assert found.difference.cause == "The stored result was changed after it was written: its digest is not the one that was kept."


async def test_a_fact_that_was_changed_in_place_is_named(scene: Scene) -> None:
    await scene.tamper("fact_order", "paid_amount = paid_amount * 2")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert "the content of a fact was changed in place" in found.difference.cause


async def test_facts_that_are_gone_are_named(scene: Scene) -> None:
    await scene.tamper("fact_tax_return", "known_to = known_from")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert "Facts of TaxReturn" in found.difference.cause and "0 now" in found.difference.cause


async def test_another_version_of_a_formula_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "ss_cv", replace(CATALOGUE["ss_cv"], version="2"))
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert (found.difference.where, found.difference.was, found.difference.now) == ("feature_value ss_cv.formula_version", "1", "2")
    assert found.difference.cause == "The formula of ss_cv was version 1 and is version 2."


async def test_a_reference_document_that_was_rewritten_is_named(scene: Scene) -> None:
    await scene.tamper("reference_version", """document = '["F5292"]', name = 'prohibited_industries' WHERE name = 'margin_bands'""")
    found = await scene.again()
    assert found.verdict == DIFFERENT and found.difference is not None
    assert found.difference.where == "evaluation_inputs.document", "what came of it is the same"
    assert "Version 1 of the reference document margin_bands has another content than it had, or is gone." in found.difference.cause


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status = 'REVOKED'", "The consent to SHOP was withdrawn"),
        ("data_from = '2025-11-01'", "The consent to SHOP has become narrower"),
        ("data_life_days = 1", "What was read of SHOP has outlived its consent"),
    ],
)
async def test_what_may_not_be_read_any_more_is_not_reproduced(scene: Scene, change: str, said: str) -> None:
    await scene.tamper("consent", f"{change} WHERE source = 'SHOP'")
    found = await scene.again()
    assert (found.verdict, found.difference) == (NOT_REPRODUCIBLE, None)
    assert found.sentence.startswith(said)


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("customer", "erased_on = '2026-02-01'", "The subject was erased on 2026-02-01"),
        ("evaluation", "inputs_erased_on = '2026-02-01'", "Its inputs were erased on 2026-02-01"),
    ],
)
async def test_what_is_gone_by_the_law_is_said_in_a_sentence(scene: Scene, table: str, change: str, said: str) -> None:
    await scene.tamper(table, change)
    found = await scene.again()
    assert found.verdict == NOT_REPRODUCIBLE and found.sentence.startswith(said)


PENALTY = ShopPenalty(platform="taobao", penalty_number="7", kind="FAKE_TRADE", severity=None, decided_on=date(2025, 11, 3), points=12)


async def object_to(scene: Scene, kind: str, about: Any, source_key: str | None, days: int) -> None:
    at = scene.at + days * DAY
    row = {"customer_id": scene.asked.customer_id, "dispute_id": new_id(), "kind": kind, "about": about, "source_key": source_key}
    said = {"state": "OPEN", "statement": b"", "raised_at": at, "raised_by": "app", "due_on": at.date() + timedelta(days=20)}
    await scene.tx.execute(insert(dispute), {**row, **said})


async def after(scene: Scene, days: int) -> Any:
    return (await scene.both(scene.at + days * DAY))[1]


@pytest.mark.law("征信业管理条例 25: suspended")
async def test_it_declines_before_and_after_and_a_person_decides_meanwhile(scene: Scene) -> None:
    await scene.later().facts(PENALTY, known_from=scene.at + DAY)
    table = FACT_TABLES["ShopPenalty"]
    row = (await scene.tx.execute(select(table).where(table.c.penalty_number == "7"))).one()
    await object_to(scene, "ShopPenalty", row.fact_id, row.source_key, 2)
    before, meanwhile = await after(scene, 1), await after(scene, 3)
    assert (before.outcome, before.reasons) == ("INELIGIBLE", ["E11"])
    assert (meanwhile.outcome, meanwhile.reasons[0]) == ("REFER_MANUAL", "D01")
    await scene.tx.execute(update(dispute).values(state="KEPT", resolved_at=scene.at + 4 * DAY))
    answered = await after(scene, 5)
    assert (answered.outcome, answered.reasons) == ("INELIGIBLE", ["E11"])
    assert len({meanwhile.inputs_digest, answered.inputs_digest}) == 2, "what is in dispute is an input"
    again = await reproduce(scene.tx, await find_evaluation(scene.tx, meanwhile.evaluation_id), scene.at + 5 * DAY)
    assert again.verdict == EQUAL, again.sentence
    await scene.tamper("evaluation_inputs", "document = document - 'objections'")
    again = await reproduce(scene.tx, await find_evaluation(scene.tx, meanwhile.evaluation_id), scene.at + 5 * DAY)
    assert again.verdict == DIFFERENT, "control: what it kept of them is what it is made from"


@pytest.mark.law("征信业管理条例 25: suspended")
async def test_an_objection_to_a_whole_kind_is_one_to_each_of_its_facts(scene: Scene) -> None:
    await scene.later().facts(PENALTY, known_from=scene.at + DAY)
    await object_to(scene, "ShopPenalty", scene.asked.customer_id, None, 2)
    meanwhile = await after(scene, 3)
    assert (meanwhile.outcome, meanwhile.reasons[0]) == ("REFER_MANUAL", "D01")
    again = await reproduce(scene.tx, await find_evaluation(scene.tx, meanwhile.evaluation_id), scene.at + 5 * DAY)
    assert again.verdict == EQUAL, again.sentence


@pytest.mark.law("PIPL 24: a person decides")
async def test_a_decision_that_is_objected_to_is_a_persons_until_it_is_answered(scene: Scene) -> None:
    await object_to(scene, "Evaluation", scene.kept.evaluation_id, None, 1)
    meanwhile = await after(scene, 2)
    assert (meanwhile.outcome, meanwhile.reasons[0], meanwhile.customer_reasons[0]) == ("REFER_MANUAL", "D02", "D02")
    await scene.tx.execute(update(dispute).values(state="KEPT", resolved_at=scene.at + 3 * DAY))
    assert (await after(scene, 4)).outcome == "ENHANCED"


async def test_of_orders_nobody_can_tell(scene: Scene) -> None:
    """They are summed where they lie. An objection to something that is not read changes nothing."""
    table = FACT_TABLES["Order"]
    row = (await scene.tx.execute(select(table).where(table.c.paid_at.is_not(None)).limit(1))).one()
    await object_to(scene, "Order", row.fact_id, row.source_key, 1)
    assert (await after(scene, 2)).reasons[0] == "D01"
    await scene.tx.execute(update(dispute).values(source_key="nothing of the kind"))
    assert (await after(scene, 2)).outcome == "ENHANCED"


@pytest.mark.law("助贷 2025-9: all-in cost")
async def test_an_offer_says_what_it_costs_with_everything(scene: Scene) -> None:
    """One that was made before that was kept is made again as it was."""
    kept = await find_evaluation(scene.tx, scene.kept.evaluation_id)
    assert kept.rate is not None and kept.all_in_cost == kept.rate, "nothing has to be paid beside it"
    await scene.tamper("evaluation", "all_in_cost = all_in_cost + 0.01")
    assert (await scene.again()).verdict == DIFFERENT
    await of_the_first_form(scene)
    assert (await scene.again()).verdict == EQUAL
