"""What administrators load: whole or not at all, with every fault, audited with old and new values; and an evaluation made again by whoever sees it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from hub.app.reference import ReferenceServices
from hub.credit import policies
from hub.credit.products.catalogue import text_of_the_package
from hub.credit.reference import Edge, edges_of_csv, edges_of_lines
from hub.domain.enums import RelationType
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import InvalidInput, NotFound
from hub.store.evaluations import publish_policies
from hub.store.evaluations.reference import keep_catalogue, load_reference
from hub.store.relations import load_edges, related_to
from schema import services as contract
from tests.hub.app.conftest import NOW, SHOP, Desk
from tests.hub.app.test_disputes import evaluation
from tests.hub.app.test_revealing import rows
from tests.hub.credit.variants import uscc

TODAY = NOW.date()
OTHER, THIRD = uscc("91330203MA1000001"), uscc("91330203MA1000002")
FILE: dict[str, Any] = {
    "source": "board",
    "effective_from": "2026-01-01",
    "effective_to": "2026-12-31",
    "documents": {"lender": "样例银行", "margin_bands": {"F52": ["0.15", "0.35"]}},
}


def services(desk: Desk) -> ReferenceServices:
    return ReferenceServices(desk.runtime.vault.keys, desk.services.calling)


async def loaded(desk: Desk, **changes: Any) -> contract.ReferenceLoaded:
    text = json.dumps({**FILE, **changes}, indent=1)
    return await services(desk).load_reference(desk.call("admin"), contract.LoadReference(text))


async def test_three_faults_are_told_and_nothing_is_loaded(desk: Desk) -> None:
    found = await loaded(desk, effective_to="2025-01-01", documents={"margin_bands": {"F52": ["0.15", 3]}, "croops": {}})
    assert [(one.line, one.where, one.remedy) for one in found.faults] == [
        (4, "effective_to", "Name the last day on which it is in effect, or leave it out."),
        (9, "documents.margin_bands.F52[1]", 'Write a decimal text, like "0.15".'),
        (12, "documents.croops", found.faults[2].remedy),
    ]
    assert found.faults[2].remedy.startswith("Known are lender, margin_bands") and found.versions == ()
    written = "SELECT loaded_by FROM reference_version UNION ALL SELECT actor FROM audit_event WHERE action = 'reference.load'"
    assert {one["loaded_by"] for one in await rows(desk, written)} == {"release", "operator"}, "the catalogue that comes with the hub"


@pytest.mark.parametrize(
    "documents",
    [
        {"lender": ""},
        {"lender": 1},
        {"margin_bands": []},
        {"margin_bands": {"F52": ["0.2"]}},
        {"margin_bands": {"F52": [0.1, 0.2]}},
        {"core_enterprises": "91330203MA2DEMKX15"},
        {"core_enterprises": [OTHER, OTHER]},
        {"approved_buyers": ["x y"]},
        {"approved_buyers": [OTHER[:17] + ("A" if OTHER[17] != "A" else "B")]},
        {"prohibited_industries": ["52"]},
        {"prohibited_industries": ["C", "Z99"]},
        {"prohibited_industries": ["A06"]},
        {"prohibited_industries": ["C", "C"]},
        {"margin_bands": {"F53": ["0.1", "0.2"]}},
        {"service_area": ["宁波"]},
        {"service_area": ["宁波市", "330200"]},
        {"service_area": ["浙江省"]},
        {"crops": {" ": {"yield_norm": "1", "price": "1", "input_cost": "1"}}},
        {"crops": {"7": {"yield_norm": "1", "price": "1", "input_cost": "1"}}},
        {"lender": "\u0000"},
        {"social_insurance_base": {"floor": "1"}},
        {"social_insurance_base": {"floor": "2", "ceiling": "1"}},
        {"crops": {"茶": {"price": "1"}}},
        {"crops": {"茶": {"yield_norm": "-1", "price": "1", "input_cost": "1"}}},
        {"crops": {"茶": {"yield_norm": "NaN", "price": "1", "input_cost": "1"}}},
        {"products": []},
        {"peer_products": {"X": {"kind": "LOAN"}}},
        {},
        [],
    ],
)
async def test_what_cannot_be_meant_is_refused(desk: Desk, documents: Any) -> None:
    found = await loaded(desk, documents=documents)
    assert found.faults and all(one.wrong and one.remedy and one.line > 1 for one in found.faults) and found.versions == ()


async def test_versions_are_known_from_an_instant_and_in_effect_on_days(desk: Desk) -> None:
    assert [(one.name, one.version) for one in (await loaded(desk)).versions] == [("lender", 1), ("margin_bands", 1)]
    assert (await loaded(desk)).versions == (), "what is there already stays as it is"
    changed = {"margin_bands": {"F52": ["0.10", "0.30"]}}
    await loaded(desk, documents=changed, effective_from="2026-03-01", effective_to=None)

    async def low(day: date, known_at: Any = NOW) -> Any:
        async with desk.runtime.database.work() as tx:
            used = await load_reference(tx, CustomerId(new_id()), None, day, known_at)
        band = used.reference.margin_bands.get("F52")
        return band and band[0]

    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1), date(2027, 1, 1)]
    assert [await low(day) for day in days] == [None, *[Decimal("0.15")] * 2, *[Decimal("0.10")] * 2]
    assert await low(date(2026, 2, 1), NOW - timedelta(seconds=1)) is None, "it was not known before it was loaded"
    (event,) = await rows(
        desk, "SELECT actor, before, after FROM audit_event WHERE action = 'reference.load' AND before IS NOT NULL ORDER BY sequence"
    )
    assert (event["actor"], event["before"]["document"], event["after"]["document"]) == (
        "admin",
        FILE["documents"]["margin_bands"],
        changed["margin_bands"],
    )


async def test_products_are_held_against_the_policies_in_force(desk: Desk) -> None:
    """The lender's own loan may promise no more than its policy gives: 500,000 and 12 months; when a policy with a higher cap is published, it may."""
    loan = {**json.loads(text_of_the_package())["documents"]["products"]["S03"], "limit": ["1000", "600000"], "repayment": ["BULLET"]}
    found = await loaded(desk, documents={"products": {"S03": loan}}, effective_to=None)
    assert [(one.where, one.wrong) for one in found.faults] == [
        ("documents.products.S03.limit[1]", "the policy of S03 caps the product at 500000"),
        ("documents.products.S03.repayment[0]", "the policy of S03 does not offer it"),
    ]
    assert found.faults[0].line == 14 and found.versions == ()
    wider = {**policies.document("S03"), "version": "2", "effective_from": "2026-01-10", "repayment": ["EQUAL_PRINCIPAL", "BULLET"]}
    async with desk.runtime.database.work() as tx:
        await publish_policies(tx, [{**wider, "caps": {**wider["caps"], "PRODUCT": "600000"}}], NOW)
    done = await loaded(desk, documents={"products": {"S03": loan}}, effective_to=None)
    assert [(one.name, one.version) for one in done.versions] == [("products", 2)] and done.faults == ()
    first, event = await rows(desk, "SELECT actor, before, after FROM audit_event WHERE subject = 'reference:products' ORDER BY sequence")
    assert (first["before"], event["actor"], event["before"]["version"], event["before"]["sha256"]) == (
        None,
        "admin",
        1,
        first["after"]["sha256"],
    )
    assert event["after"]["document"] == {"S03": loan}
    async with desk.runtime.database.work() as tx:
        assert await keep_catalogue(tx, NOW) == [], "what comes with the hub takes the place of nothing that a lender loaded"


async def test_the_catalogue_of_a_release_is_loaded_once(desk: Desk) -> None:
    async with desk.runtime.database.work() as tx:
        assert await keep_catalogue(tx, NOW) == []
    (version,) = await rows(desk, "SELECT version, loaded_by, document FROM reference_version WHERE name = 'products'")
    assert (version["version"], version["loaded_by"], len(version["document"])) == (1, "release", 18)


def edge(other: str, type_: str = "SHAREHOLDING", **more: Any) -> contract.EdgeInput:
    return contract.EdgeInput(str(SHOP.uscc), other, type_, **more)


async def graph(desk: Desk, *edges: contract.EdgeInput) -> contract.RelationsLoaded:
    return await services(desk).load_relations(desk.call("admin"), contract.LoadRelations("register", edges))


async def related(desk: Desk, made: str, known_at: Any = NOW, day: date = TODAY) -> list[str] | None:
    async with desk.runtime.database.work() as tx:
        found = (await related_to(tx, CustomerId(UUID(made)), SHOP.uscc, day, known_at)).related
    return None if found is None else [one.uscc for one in found]


async def test_one_faulty_row_and_no_edge_is_loaded(desk: Desk) -> None:
    found = await graph(
        desk, edge(OTHER), edge("x"), edge(THIRD, weight=Decimal(2)), edge(THIRD, since=date(2026, 2, 1), until=date(2026, 1, 1))
    )
    assert [(one.line, one.where) for one in found.faults] == [(2, "to"), (3, "weight"), (4, "until")]
    assert await rows(desk, "SELECT 1 FROM relation") == []


async def test_edges_are_bitemporal_and_belong_to_their_customers(desk: Desk) -> None:
    """Loaded before the customer was made known, or after."""
    await graph(desk, edge(OTHER, weight=Decimal("0.3")), edge(THIRD, "SUPPLIES"))
    made = await desk.shop()
    assert await related(desk, made) == [OTHER], "who sells is no related party"
    assert await related(desk, made, NOW - timedelta(seconds=1)) is None, "nothing was known of it then"
    again = await graph(desk, edge(OTHER, weight=Decimal("0.3")), edge(THIRD, "SPOUSE", until=date(2025, 12, 31)))
    assert (again.added, again.unchanged) == (1, 1)
    assert (await related(desk, made), await related(desk, made, day=date(2025, 12, 31))) == ([OTHER], [OTHER, THIRD])
    less = await graph(desk, edge(OTHER, weight=Decimal("0.2")))
    assert (less.changed, await related(desk, made)) == (1, []), "under a quarter nobody is a related party"
    back = await graph(desk, edge(OTHER, retract=True))
    assert back.retracted == 1
    (event,) = await rows(desk, "SELECT before, after FROM audit_event WHERE action = 'relations.load' AND after ->> 'changed' = '1'")
    assert "0.3000" in str(event["before"]) and "0.2" in str(event["after"])
    assert len(await rows(desk, "SELECT 1 FROM customer_relation")) == len(await rows(desk, "SELECT 1 FROM relation")) == 4
    scope = desk.services.calling.scope(desk.call("other-app"))
    async with desk.runtime.database.read(scope) as tx:
        assert (await related_to(tx, CustomerId(UUID(made)), SHOP.uscc, NOW.date(), NOW)).related is None, "another client sees none"
    async with desk.runtime.database.read(desk.services.calling.scope(desk.call())) as tx:
        assert (await related_to(tx, CustomerId(UUID(made)), SHOP.uscc, NOW.date(), NOW)).related is not None, "control"


async def test_nothing_found_is_not_the_same_as_not_looked(desk: Desk) -> None:
    made = await desk.shop()
    assert await related(desk, made) is None
    await graph(desk, contract.EdgeInput(str(SHOP.uscc), None, "NONE"))
    assert await related(desk, made) == []


async def test_an_erased_subject_leaves_the_graph(desk: Desk) -> None:
    made = await desk.shop()
    await graph(desk, edge(OTHER), contract.EdgeInput(OTHER, THIRD, "BUYS"))
    await desk.services.identity.erase_customer(desk.call("admin"), contract.EraseCustomer(made, "asked by letter"))
    assert [row["from_uscc"] for row in await rows(desk, "SELECT from_uscc FROM relation")] == [OTHER], "others' edges stay"
    assert await rows(desk, "SELECT 1 FROM customer_relation") == []


async def test_a_call_is_bounded(desk: Desk) -> None:
    for edges in ([], [edge(OTHER)] * 501):
        with pytest.raises(InvalidInput, match="1 to 500 edges"):
            await graph(desk, *edges)


async def test_ten_thousand_edges_go_in_one_transaction(desk: Desk) -> None:
    codes = [uscc(f"91330203MA{number:06}X") for number in range(10_001)]
    edges = [Edge(one, other, RelationType.SUPPLIES) for one, other in itertools.pairwise(codes)]
    async with desk.runtime.database.work() as tx:
        assert (await load_edges(tx, edges, "register", "admin", NOW)).counts["added"] == 10_000
    with pytest.raises(InvalidInput, match="1 edges to take back are not known"):
        async with desk.runtime.database.work() as tx:
            await load_edges(
                tx, [replace(edges[0], evidence="x"), replace(edges[1], type=RelationType.PAYS, retract=True)], "r", "admin", NOW
            )
    assert await rows(desk, "SELECT count(*), count(evidence) AS told FROM relation") == [{"count": 10_000, "told": 0}]


def test_files_say_the_same_in_both_forms() -> None:
    head = "from,to,type,weight,since,until,evidence,retract"
    table = f"{head}\n{OTHER},{THIRD},SHAREHOLDING,0.3,2024-01-01,,register,\n{THIRD},,NONE,,,,,\n"
    lines = [
        {"from": OTHER, "to": THIRD, "type": "SHAREHOLDING", "weight": 0.3, "since": "2024-01-01", "evidence": "register"},
        {"from": THIRD, "type": "NONE"},
    ]
    first, second = edges_of_csv(table), edges_of_lines("\n".join(map(json.dumps, lines)))
    assert first == second and len(first[0]) == 2 and first[1] == []
    edges, faults = edges_of_lines(f'{json.dumps(lines[0])}\n[]\n{{"from": 1, "type": "x", "what": 1}}\n{json.dumps(lines[0])}')
    assert len(edges) == 2 and [one.row for one in faults] == [2, 3, 3, 3, 3, 4]
    assert edges_of_csv("a,b\n1,2\n")[1][0].field == "the head line"
    crooked = f"from,to,type,since\n{OTHER},{THIRD},BUYS,2026-W01-1\n{OTHER},{THIRD},PAYS,,more\n"
    assert [(one.row, one.field) for one in edges_of_csv(crooked)[1]] == [(2, "since"), (3, "behind the last column")]


async def test_whoever_sees_an_evaluation_makes_it_again(desk: Desk) -> None:
    _, named = await evaluation(desk)
    found = await services(desk).reproduce_evaluation(desk.call("risk-desk"), contract.ReproduceEvaluation(named))
    assert (found.verdict, found.kept_sha256, found.difference) == ("EQUAL", found.made_sha256, None)
    with pytest.raises(NotFound):
        await services(desk).reproduce_evaluation(desk.call("other-app"), contract.ReproduceEvaluation(named))
    for wrong in ("x", named.replace("Evaluation", "Order")):
        with pytest.raises(NotFound):
            await services(desk).reproduce_evaluation(desk.call("risk-desk"), contract.ReproduceEvaluation(wrong))
