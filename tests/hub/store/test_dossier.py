"""The dossier out of the store is the one the persona says: sources, facts, sums, counts, and so every feature."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from connectors.sandbox.persona import Persona, load
from hub.credit.dossier import Dossier, Reference
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.features import SeriesProfile, compute_features
from hub.credit.features.invoices import net_by_party
from hub.credit.policy import load_policy
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import HouseholdRegistration, Invoice, Order, RepaymentMonth, Shop, ShopScore, TaxReturn, all_specs, spec_of
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.periods import window
from hub.errors import NotFound
from hub.store.database import Database, Write
from hub.store.dossier import load_dossier
from hub.store.dossier.moment import ASKED, Moment, asking, of_life
from hub.store.facts import PageScope, write_facts
from hub.vault import IDENTIFIER, Blind
from tests.hub.credit.dossiers import dossier_of, reference_of
from tests.hub.credit.facts_of import facts_of
from tests.hub.credit.made import fact
from tests.hub.credit.shop_of import order_facts
from tests.hub.store.seed import GRANTEE, PURPOSE, SCENARIO, Seed, persona_windows, seed_persona
from tests.personas import document_of
from tests.personas.arithmetic import wrong
from tests.personas.families import FAMILIES
from tests.personas.people import DERIVED

DEMO = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"
PROFILE = SeriesProfile("TRADE", names_shop=True)
BLIND = Blind(b"k" * 32)


def small(orders_from: str | None = None) -> Persona:
    """The demo's persona with a fiftieth of its orders, which is enough to see every measure."""
    persona = load(DEMO)
    assert persona.shop
    rows = [row.model_copy(update={"orders": row.orders // 50, "refunds": row.refunds // 50}) for row in persona.shop.months]
    buyers = persona.shop.buyers.model_copy(update={"distinct": 250, "repeat": 85}) if persona.shop.buyers else None
    shop = persona.shop.model_copy(update={"months": tuple(rows), "buyers": buyers, "top_address_orders": 7})
    source = persona.sources[SourceKind.SHOP].model_copy(update={"orders_from": orders_from})
    return persona.model_copy(update={"shop": shop, "sources": {**persona.sources, SourceKind.SHOP: source}})


async def loaded(tx: Write, persona: Persona, customer_id: CustomerId, **more: Any) -> Dossier:
    use: dict[str, Any] = {"scenario": SCENARIO, "grantee": GRANTEE, "purpose": PURPOSE, "reference": Reference(GRANTEE)}
    use |= {"as_of": persona.as_of, "known_at": persona.known_at}
    return await load_dossier(tx, customer_id, **(use | more))


def amounts(dossier: Dossier) -> dict[str, dict[Any, Any]]:
    """Sums of W24 that are not zero."""
    months = window(dossier.as_of, 24)
    return {
        name: {month: series[month] for month in months if series.get(month)}
        for name, series in dossier.amounts.items()
        if any(series.get(month) for month in months)
    }


def facts(dossier: Dossier) -> dict[str, set[Any]]:
    return {cls.__name__: set(rows) for cls, rows in dossier.facts.items()}


@pytest.mark.parametrize("orders_from", [None, "2025-05"])
async def test_the_store_gives_what_the_persona_says(database: Database, orders_from: str | None) -> None:
    persona = small(orders_from)
    wanted = dossier_of(persona)
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [*facts_of(persona), *order_facts(persona)])
        got = await loaded(tx, persona, seed.customer_id)
    assert got.sources == wanted.sources
    assert got.subject == wanted.subject
    assert amounts(got) == amounts(wanted)
    assert got.orders == wanted.orders
    assert facts(got) == facts(wanted)
    before, after = compute_features(wanted, PROFILE), compute_features(got, PROFILE)
    assert {name: (one.value, one.missing) for name, one in after.items()} == {
        name: (one.value, one.missing) for name, one in before.items()
    }


@pytest.mark.parametrize("name", ["furniture-maker", "incense-shop"])
async def test_the_order_of_pages_and_of_syncs_changes_nothing(database: Database, name: str) -> None:
    """The same records, read in whatever order, on whatever pages, by syncs of whatever hour: the same evaluation, which is the one that was derived."""
    persona, found = Persona.model_validate(document_of(name)), []
    records = [*facts_of(persona), *(order_facts(persona) if persona.shop else ())]
    for number in (1, 2):
        async with database.work() as tx:
            seed = await seed_persona(tx, persona, [])
            await in_disorder(seed, records, Random(number))
            dossier = await loaded(tx, persona, seed.customer_id, reference=reference_of(persona))
            found.append(to_expected(evaluate(dossier, load_policy(persona.scenario), Request()), name))
            await tx.rollback()
    assert found[0] == found[1]
    assert wrong(found[0], DERIVED[name]()) == []


async def test_a_seller_with_two_shops_is_judged_by_both(database: Database) -> None:
    """The incense shop's orders, every other one sold in a second shop at another platform: sums, buyers, addresses and score are those of both together."""
    persona = Persona.model_validate(document_of("incense-shop"))
    records = [*facts_of(persona), *order_facts(persona)]
    moved = {one.order_number for one in [one for one in records if isinstance(one, Order)][::2]}
    own = [one for one in records if isinstance(one, Shop | ShopScore)]
    there = [replace(one, platform="elsewhere") for one in (*records, *own) if getattr(one, "order_number", None) in moved or one in own]
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [one for one in records if getattr(one, "order_number", None) not in moved])
        await seed.connect(SourceKind.SHOP, connector="elsewhere")
        await persona_windows(seed, persona, SourceKind.SHOP)
        await seed.facts(*dict.fromkeys(there))
        dossier = await loaded(tx, persona, seed.customer_id, reference=reference_of(persona))
    assert len(dossier.of(Shop)) == 2 and len(moved) == 400
    found = to_expected(evaluate(dossier, load_policy("S03"), Request()), persona.id)
    assert wrong(found, DERIVED[persona.id]()) == []
    _, derived = FAMILIES["cb"]()
    assert wrong(found, {f"features.{feature}": value for feature, value in derived.items()}) == []


async def in_disorder(seed: Seed, records: list[Any], by: Random) -> None:
    by.shuffle(records)
    for start in range(0, len(records), 200):
        await seed.facts(*records[start : start + 200], known_from=seed.synced_at + timedelta(minutes=by.randrange(50)))


@pytest.mark.law("decision record: point in time")
async def test_a_version_counts_while_it_is_known(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [])
        old, new = (fact(TaxReturn, tax_kind="VAT", period_end=date(2025, 3, 31), declared_revenue=amount) for amount in (1, 2))
        changed = persona.known_at - timedelta(minutes=10)
        await seed.facts(old, known_to=changed)
        await seed.facts(new, known_from=changed, version=2)
        later = await loaded(tx, persona, seed.customer_id)
        before = await loaded(tx, persona, seed.customer_id, known_at=changed - timedelta(seconds=1))
        too_early = await loaded(tx, persona, seed.customer_id, known_at=seed.synced_at - timedelta(seconds=1))
    assert [one.declared_revenue for one in later.of(TaxReturn)] == [2]
    assert [one.declared_revenue for one in before.of(TaxReturn)] == [1]
    assert too_early.of(TaxReturn) == ()
    assert too_early.source(SourceKind.TAX).reason is MissingReason.UPSTREAM_ERROR


@pytest.mark.law("decision record: point in time")
async def test_a_record_dated_after_as_of_does_not_count(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [])
        await seed.facts(fact(TaxReturn, period_end=date(2026, 1, 20)), fact(TaxReturn, period_end=date(2026, 1, 21)))
        got = await loaded(tx, persona, seed.customer_id)
    assert [one.period_end for one in got.of(TaxReturn)] == [date(2026, 1, 20)]


async def test_private_buyers_are_distinct_and_businesses_are_called_by_their_code(database: Database) -> None:
    """As they come from a platform; whoever is grouped by is the code, or the keyed hash."""
    persona = small()
    firm, listed, private, other, trader = (
        "92330203MA2DEMKX0M",
        "123301004700000070",
        "339998198709170425",
        "339997198403181029",
        "33999819870917042501",
    )
    sold = [(firm, "100"), (listed, "50"), (private, "30"), (f"{private[:6]} {private[6:]}", "-10"), (other, "5"), (trader, "4"), ("", "3")]
    invoices = [
        fact(Invoice, number=str(n), direction="OUTPUT", seller=firm, buyer=buyer, net=Decimal(net), issued_on=date(2025, 12, 1))
        for n, (buyer, net) in enumerate(sold)
    ]
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [])
        await seed.connect(SourceKind.INVOICE)
        await seed.allow(SourceKind.INVOICE)
        await seed.window(SourceKind.INVOICE, ("Invoice",), [(date(2024, 1, 1), date(2026, 1, 19))])
        scope = PageScope(
            seed.customer_id,
            seed.connections[SourceKind.INVOICE],
            new_id(),
            await seed._page(seed.connections[SourceKind.INVOICE]),
            seed.synced_at,
        )
        assert await write_facts(tx, scope, enumerate(invoices), BLIND) == (7, 0)
        got = await loaded(tx, persona, seed.customer_id)
        assert await write_facts(tx, scope, enumerate(invoices), BLIND) == (0, 7), "read again it is the same"
        rows = (
            await tx.execute(text("SELECT count(*) FROM fact_invoice WHERE strpos(fact_invoice::text, '198709170425') > 0"))
        ).scalar_one()
    hashes = {one: BLIND.hash(IDENTIFIER, one) for one in (private, other, trader)}
    wanted = {firm: "100", listed: "50", hashes[private]: "20", hashes[other]: "5", hashes[trader]: "4", "": "3"}
    assert net_by_party(got.of(Invoice)) == {party: Decimal(net) for party, net in wanted.items()}
    assert {one.seller for one in got.of(Invoice)} == {firm} and rows == 0


async def test_facts_of_an_unreadable_source_are_not_loaded(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, facts_of(persona))
        await tx.execute(text("update consent set status = 'REVOKED' where source in ('TAX', 'SHOP', 'IDENTITY')"))
        got = await loaded(tx, persona, seed.customer_id)
    assert got.source(SourceKind.TAX).reason is MissingReason.CONSENT_REVOKED
    assert got.of(TaxReturn) == got.of(HouseholdRegistration) == ()
    assert got.orders is None
    assert "GMV" not in got.amounts
    assert {one.source for one in got.evidence}.isdisjoint({SourceKind.TAX, SourceKind.SHOP, SourceKind.IDENTITY})
    assert got.subject.residence_city is None


async def test_stale_tax_shows_in_the_returns(database: Database) -> None:
    """The data end in August and the third quarter, due on 15 October, was never seen."""
    persona = small()
    ended = persona.sources[SourceKind.TAX].model_copy(update={"until": date(2025, 8, 31)})
    persona = persona.model_copy(update={"sources": {**persona.sources, SourceKind.TAX: ended}})
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, facts_of(persona))
        got = await loaded(tx, persona, seed.customer_id)
    assert got.source(SourceKind.TAX).reason is MissingReason.STALE
    assert got.of(TaxReturn) == ()
    assert got.source(SourceKind.TAX) == dossier_of(persona).source(SourceKind.TAX)


async def test_there_is_no_such_customer(database: Database) -> None:
    async with database.work() as tx:
        with pytest.raises(NotFound):
            await loaded(tx, small(), CustomerId(new_id()))


def test_a_fact_is_made_of_its_columns_by_their_place() -> None:
    """A statement names them in the order of the declaration; a struct takes an array in its own."""
    for spec in all_specs():
        assert [field.name for field in structs.fields(spec.cls)] == [field.name for field in spec.fields], spec.name


# Evidence


async def test_evidence_is_found_again_by_its_days(database: Database) -> None:
    """The walk of an evaluation selects kind and days as known then: the same ids, the same digest."""
    persona = small()
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [*facts_of(persona), *order_facts(persona)])
        got = await loaded(tx, persona, seed.customer_id)
        assert {one.kind for one in got.evidence} >= {"Order", "Refund", "TaxReturn", "CreditAccount", "PaymentTransaction"}
        for one in got.evidence:
            walk = text(
                "select fact_id from fact where customer_id = :customer and kind = :kind and (:first is null or occurred_on >= :first) "
                "and (:last is null or occurred_on <= :last) order by fact_id"
            )
            walk = text(walk.text.replace(":first is", "cast(:first as date) is").replace(":last is", "cast(:last as date) is"))
            found = await tx.execute(walk, {"customer": seed.customer_id, "kind": one.kind, "first": one.first, "last": one.last})
            ids = [str(row.fact_id) for row in found]
            assert (len(ids), hashlib.sha256("\n".join(ids).encode()).hexdigest()) == (one.facts, one.digest), one


async def test_a_feature_names_what_it_read(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [*facts_of(persona), *order_facts(persona)])
        features = compute_features(await loaded(tx, persona, seed.customer_id), PROFILE)
    year = {one.kind: one for one in features["ss_net_sales"].evidence}
    assert set(year) == {"Order", "Refund"}
    assert (year["Order"].first, year["Order"].last) == (date(2025, 1, 1), date(2025, 12, 31))
    assert year["Order"].facts == sum(row.orders for row in persona.shop.months if row.month >= "2025") if persona.shop else False
    assert {one.window for one in features["ss_growth_yoy"].evidence} == {"W12", "W12-12"}
    assert {one.kind for one in features["rr_dscr"].evidence} == {"PaymentTransaction", "CreditAccount"}
    assert features["ps_ar_days"].evidence == ()


async def test_a_refund_asked_for_before_the_window_is_in_its_evidence(database: Database) -> None:
    from hub.domain.facts import Refund
    from hub.domain.facts.refund import RefundStatus

    persona = small()
    asked, paid = (datetime.fromisoformat(f"{day}T12:00:00+08:00") for day in ("2024-12-30", "2025-01-02"))
    late = fact(Refund, refund_number="late", requested_at=asked, succeeded_at=paid, amount=5, status=RefundStatus.SUCCEEDED)
    async with database.work() as tx:
        seed = await seed_persona(tx, persona, [late])
        got = await loaded(tx, persona, seed.customer_id)
    (refunds,) = (one for one in got.evidence if one.kind == "Refund" and one.window == "W12")
    assert (refunds.first, refunds.facts) == (date(2024, 12, 30), 1)
    assert amounts(got)["REF"] == {"2025-01": 5}


async def test_a_customer_sees_only_his_own(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        await seed_persona(tx, persona, facts_of(persona))
        other = Seed(tx, persona.known_at - timedelta(hours=1))
        await other.subject(None, "339999198805120029")
        got = await loaded(tx, persona, other.customer_id)
    assert got.facts == {}
    assert got.evidence == ()
    assert {state.reason for state in got.sources.values()} == {MissingReason.NOT_CONNECTED}


async def test_windows_that_name_no_kind_of_fact_still_cover(database: Database) -> None:
    persona = small()
    async with database.work() as tx:
        seed = Seed(tx, persona.known_at - timedelta(hours=1))
        await seed.subject(None, "339999198805120029")
        await seed.connect(SourceKind.DEVICE)
        await seed.allow(SourceKind.DEVICE)
        await seed.window(SourceKind.DEVICE, [], [(date(2025, 10, 1), date(2026, 1, 19))])
        got = await loaded(tx, persona, seed.customer_id)
    assert got.source(SourceKind.DEVICE).reason is None
    assert got.source(SourceKind.DEVICE).data_end == date(2026, 1, 19)


async def test_facts_are_looked_up_and_never_searched_for_among_everybodys(database: Database) -> None:
    """Control: what is due, written as an ordinary anti-join, is found out of the whole table for each batch."""
    nobody = Moment(CustomerId(new_id()), date(2026, 1, 20), datetime(2026, 1, 20, tzinfo=UTC))
    _, values = asking([nobody])
    looked_up = f"WITH {ASKED} SELECT f.fact_id FROM {of_life(spec_of(RepaymentMonth))}"
    plans = []
    async with database.work() as tx:
        for statement in (looked_up, looked_up.replace("OFFSET 0", "")):
            plans.append("\n".join((await tx.execute(text(f"EXPLAIN {statement}"), values)).scalars()))
    assert "Anti Join" not in plans[0]
    assert "Anti Join" in plans[1]
