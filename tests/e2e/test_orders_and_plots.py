"""Confirmed orders and verified plots over the whole path: the customer authorises a procurement platform or a plot verification feed in a browser, the worker
reads it, and the evaluation gives what was derived on paper.

The personas are the project's own (connectors/sandbox/personas). The oracle reads the persona without platforms, sync and store.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from connectors.sandbox.persona import Persona
from hub.cli.journey import Journey
from hub.cli.stage import Stage
from hub.consent import grants
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import load_policy
from hub.domain.identifiers import mask
from hub.store.embedded import Urls
from tests.connectors.cn_persona import resident, uscc
from tests.connectors.own_persona import FARMER, SUPPLIER, document_of
from tests.e2e.case import on_stage
from tests.e2e.replayed import nothing_changes
from tests.hub.credit.derived import checks, cross_check, limit, offer, outcome, points
from tests.hub.credit.dossiers import dossier_of

Document = dict[str, Any]


def source_of(document: Document, kind: str, **values: Any) -> Persona:
    """The persona with another source state."""
    changed = copy.deepcopy(document)
    changed["sources"][kind] |= values
    return Persona.model_validate(changed)


def twin(document: Document, name: str, digits: str, kind: str, **values: Any) -> Persona:
    """Somebody else with the same records, and another state of one source."""
    other = copy.deepcopy(document) | {"id": name}
    (person,) = other["people"].values()
    person["resident_id"] = resident(digits)
    if "business" in other:
        other["business"]["uscc"] = uscc(other["business"]["uscc"][:16] + "Y")
    return source_of(other, kind, **values)


def straight(persona: Persona) -> Document:
    asked = persona.request
    request = Request(asked.purpose, asked.amount) if asked else Request()
    return to_expected(evaluate(dossier_of(persona), load_policy(persona.scenario), request), persona.id)


async def walked(stage: Stage, *personas: Persona) -> list[tuple[Journey, Document]]:
    """All of them are linked before the worker begins."""
    journeys = [Journey(stage, persona) for persona in personas]
    for journey in journeys:
        await journey.register()
        assert await journey.consent() == []
    for journey in journeys:
        ended = await journey.sync(quiet=True)
        assert {state.verdict for state in ended} <= {"COMPLETE", "EMPTY_EXPECTED"}, ended
        await journey.evaluate()
    return [(journey, await stage.document_of(journey.customer_id, journey.persona.id)) for journey in journeys]


async def withdrawn(stage: Stage, journey: Journey, kind: str) -> Document:
    """The same customer after the consent to one source was withdrawn."""
    async with stage.database.work() as tx:
        (row,) = [row for row in await grants.consents_of(tx, journey.customer_id) if row["source"] == kind]
        await grants.withdraw(tx, journey.customer_id, row["consent_id"], stage.clock.now())
    await journey.evaluate()
    return await stage.document_of(journey.customer_id, journey.persona.id)


async def test_a_supplier_with_confirmed_orders(urls: Urls, tmp_path: Path) -> None:
    """The education bureau ordered 480,000, stands by all of it and was invoiced 96,000: 384,000 open. The group ordered 260,000, stands by 255,000, was invoiced 55,000: 200,000
    open. O1: dev(740,000, 735,000) = 5,000/740,000 = .0068. Ten past orders, one of them unpaid: O2 = 1 - 9/10 = .10, just PASS; nine in time: .9, just earned.

    TAX 12·201,000 = 2,412,000; TRADE 12·200,000 = 2,400,000; CASH 12·220,000/1.13 = 2,336,283.19. R1 = 12,000/2,412,000 = .0050; R2 = 63,716.81/2,400,000 = .0265; R3 =
    75,716.81/2,412,000 = .0314. VR = the median. R5: margin 1 - 12·158,200/(2,400,000·1.13) = 1 - 1,898,400/2,712,000 = .30, in the band of C21. P1 0; P2 1,200/30,000 = .04. L1 0;
    L2 .02° of latitude = 2.22 km. R = P = L = 1; K = .5 + .2·.70 + .3·.60/.75 = .88: HIGH.

    Base 384,000·.70 + 200,000·.50 = 368,800. In time .10, locked for this lender .10, R2 PASS .05: the bureau .70·1.25 = .875, at most .85: 326,400; the group .625: 125,000.
    451,400. DEBT .5·2,400,000 - 200,000. NOC 2,640,000 - 1,898,400 - 360,000 = 381,600; interest cover (381,600/1.2 - 11·700)/rate = 310,300/rate.
    Score: 81 months 30; growth 2,400/2,160 25; 25; 20; N/A 8; rated B 22; 200,000/2,400,000 30; 30; 35; 20; 24 months of insurance 20; 30: 295. 15 June + 60 days = 14 August: 7 months.
    Asked are 400,000, so that the open orders cover 584,000/400,000 = 1.46 of it.

    At a platform that lost five months no day of the order JT-2024-031 is served: nine past orders are left, eight paid and eight in time. 8/9 is not .9. O2 = 1/9 = .1111, WARN:
    s = 1 - .5·.0111/.20 = .9722, R = .6 + .4·.9722 = .9889, C = .5·.9889 + .5 = .9944. The bureau .70·1.15 = .805 of 384,000: 309,120; the group .575 of 200,000: 115,000; 424,120.
    """
    document = document_of(SUPPLIER)
    persona = Persona.model_validate(document)
    patchy = twin(document, "patchy-supplier", "33999719840318103", "PROCUREMENT", gaps=[f"2024-0{month}" for month in range(3, 8)])
    async with on_stage(tmp_path, urls, persona, patchy) as stage:
        (journey, found), (_, less) = await walked(stage, persona, patchy)
        assert (found, less) == (straight(persona), straight(patchy))
        assert checks(found) == {
            "R1": "PASS 0.0050", "R2": "PASS 0.0265", "R3": "PASS 0.0314", "R5": "PASS 0.0000", "P1": "PASS 0.0000", "P2": "PASS 0.0400",
            "L1": "PASS 0.0000", "L2": "PASS 2.22", "O1": "PASS 0.0068", "O2": "PASS 0.1000",
        }  # fmt: skip
        assert cross_check(found) == ("1.0000", "1.0000", "1.0000", "1.0000", "0.8800", "HIGH", "1.0", "2400000.00")
        assert points(found) == ([30, 25, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 695, "A")
        assert limit(found) == {
            "legs": {"ORDERS": "368800.00"}, "base": "368800.00", "uplifts": ["0.10", "0.10", "0.05"], "uplift": "0.25",
            "effective_uplift": "0.2500", "before_caps": "451400.00",
            "base_caps": {"PRODUCT": "3000000.00", "DEBT": "1000000.00", "CAPACITY": "7757500.00"},
            "caps": {"PRODUCT": "3000000.00", "DEBT": "1000000.00", "CAPACITY": "8386486.49"},
            "binding": [], "base_limit": "368000.00", "final_limit": "451000.00", "enhancement": "83000.00",
        }  # fmt: skip
        assert (offer(found), outcome(found)) == (
            ("0.0400", "0.0370", 7, 7, "BULLET", "RECEIVABLE_ASSIGNMENT"),
            ("ENHANCED", ["C06"], [], "HOUSING_FUND"),
        )
        assert found["features"]["sc_open_order_cover"]["value"] == "1.4600"
        await _orders_are_paged_by_what_is_asked(journey)
        assert (checks(less)["O2"], cross_check(less)[:5]) == ("WARN 0.1111", ("0.9889", "1.0000", "1.0000", "0.9944", "0.8800"))
        assert (limit(less)["uplifts"], limit(less)["before_caps"], limit(less)["final_limit"]) == (
            ["0", "0.10", "0.05"],
            "424120.00",
            "424000.00",
        )
        assert outcome(less) == ("ENHANCED", ["C06"], ["XO2"], "HOUSING_FUND")
        assert (await nothing_changes(stage, document, connections=12)).kinds["PurchaseOrder"].before == 23
        ended = await withdrawn(stage, journey, "PROCUREMENT")
        assert ended == straight(source_of(document, "PROCUREMENT", consent="REVOKED"))
        assert (ended["outcome"], ended["limit"]) == ("INSUFFICIENT_DATA", None)
        gone = (await journey.ask("OrdersAndPlots"))["customer"]
        assert (gone["purchaseOrders"]["nodes"], gone["receivableAccounts"]["nodes"]) == ([], [])
        assert gone["purchaseOrders"]["access"]["denial"] == "CONSENT_REVOKED"


async def _orders_are_paged_by_what_is_asked(journey: Journey) -> None:
    """Open orders only, one at a time, with sums over all of them; the account's number is masked."""
    said = (await journey.ask("OrdersAndPlots", first=1))["customer"]
    orders = said["purchaseOrders"]
    assert (orders["totalCount"], orders["totals"]) == (2, {"amount": "740000.00", "confirmed": "735000.00", "invoiced": "151000.00"})
    assert (orders["access"]["status"], orders["access"]["dataEnd"]) == ("AVAILABLE", "2026-01-19")
    more = (await journey.ask("OrdersAndPlots", first=1, after=orders["pageInfo"]["endCursor"]))["customer"]["purchaseOrders"]
    both = {one["orderNumber"]: one for one in (*orders["nodes"], *more["nodes"])}
    assert {number: (one["government"], one["verifiedBy"]) for number, one in both.items()} == {
        "ZC-2025-0931": (True, "PLATFORM"),
        "JT-2025-118": (False, "BUYER"),
    }
    assert not more["pageInfo"]["hasNextPage"]
    (account,) = said["receivableAccounts"]["nodes"]
    assert (account["locked"], account["lockedFor"]) == (True, journey.persona.reference["lender"])
    assert "*" in account["accountNumberMasked"]
    assert said["farmPlots"]["access"]["denial"] == "NOT_CONNECTED"


async def test_a_farmer_with_verified_plots(urls: Urls, tmp_path: Path) -> None:
    """120 mu are seen. F1: the register has 61.5 + 40, the insurer 20.5 for the plot the register does not know: 2/122 = .0164. F2: claimed 60·580 + 40·540 + 20·160 = 59,600, norm 100·560 +
    20·150 = 59,000: 600/59,600 = .0101. Register and policy name him. L2: home at 33.40 N, centre (60·33.41 + 40·33.43 + 20·33.40)/120 = 33.415 N: .015° = 1.67 km.

    HARVEST .40·(60·560·2.8 + 40·540·2.8 + 20·150·6.0) = .40·172,560 = 69,024; INPUTS .80·(100·650 + 20·420) = 58,720. Three seasons .10, insured .10, contract .10, no credit village:
    58,720·1.30 = 76,336. 15 October + 60 days = 14 December: ten full months and a started one. Score as of any farmer without a file: 589, D: 3.00 + 5.00 - 0.30 %.

    A feed with a gap and fifteen days old says the same; one day older it is stale.
    """
    document = document_of(FARMER)
    persona = Persona.model_validate(document)
    patchy = twin(document, "patchy-farmer", "32999619800102301", "FARM", until="2026-01-05", gaps=["2025-11"])
    stale = twin(document, "stale-farmer", "32999619800102302", "FARM", until="2026-01-04")
    async with on_stage(tmp_path, urls, persona, patchy, stale) as stage:
        (journey, found), (_, same), (_, old) = await walked(stage, persona, patchy, stale)
        assert (found, same, old) == (straight(persona), straight(patchy), straight(stale))
        assert checks(found) == {"L1": "PASS 0.0000", "L2": "PASS 1.67", "F1": "PASS 0.0164", "F2": "PASS 0.0101"}
        assert cross_check(found) == ("1.0000", None, "1.0000", "1.0000", "0.9250", "HIGH", "1.0", None)
        assert points(found) == ([15, 13, 13, 10, 8, 15, 15, 30, 15, 20, 5, 30], 589, "D")
        assert limit(found) == {
            "legs": {"HARVEST": "69024.00", "INPUTS": "58720.00"}, "base": "58720.00", "uplifts": ["0.10", "0.10", "0.10", "0"],
            "uplift": "0.30", "effective_uplift": "0.3000", "before_caps": "76336.00",
            "base_caps": {"PRODUCT": "300000.00"}, "caps": {"PRODUCT": "300000.00"},
            "binding": [], "base_limit": "58000.00", "final_limit": "76000.00", "enhancement": "18000.00",
        }  # fmt: skip
        assert offer(found) == ("0.0800", "0.0770", 11, 11, "BULLET", "INSURANCE_ASSIGNMENT")
        assert (outcome(found), found["segments"]["customer_type"]) == (("ENHANCED", ["C09", "C11"], [], "DEVICE"), "FARMER")
        said = (await journey.ask("OrdersAndPlots"))["customer"]
        assert {(one["crop"], one["verifiedArea"], one["registerArea"]) for one in said["farmPlots"]["nodes"]} == {
            ("水稻", "60", "61.5"),
            ("水稻", "40", "40"),
            ("油菜", "20", None),
        }
        assert [one["policyHolderMasked"] for one in said["farmHoldings"]["nodes"]] == [mask(persona.responsible.resident_id)]
        assert (same["limit"], old["outcome"], old["limit"]) == (found["limit"], "INSUFFICIENT_DATA", None)
        assert (await nothing_changes(stage, document, connections=9, silent=frozenset({"cn_credit_bureau"}))).kinds["FarmPlot"].before == 9
        ended = await withdrawn(stage, journey, "FARM")
        assert ended == straight(source_of(document, "FARM", consent="REVOKED"))
        assert (ended["outcome"], (await journey.ask("OrdersAndPlots"))["customer"]["farmPlots"]["nodes"]) == ("INSUFFICIENT_DATA", [])
