"""cn_farm against its simulated feed: consent, both streams, coverage, refusals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.cn_farm import connector
from connectors.cn_farm.sandbox import BASE_PATH, build
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect import Misconfigured, Reauthorise, RefreshNeeded
from hub.domain.facts import FarmHolding, FarmPlot
from hub.domain.identifiers import PersonalId
from tests.connectors.cn_persona import resident
from tests.connectors.own_persona import FARMER, document_of, persona_of
from tests.contract.drive import Drive, Pulled

STREAMS = {stream.name: stream for stream in connector.streams}
WIFE = resident("99999919800101001")
SECTION = document_of(FARMER)["farm"]


def persona(section: dict[str, Any] | None = None, **source: Any) -> Persona:
    changes = {} if section is None else {"farm": SECTION | section}
    return persona_of(FARMER, "FARM", changes=changes, **source)


def drive(someone: Persona | None = None, switches: dict[str, set[str]] | None = None) -> Drive:
    someone = someone or persona()
    return Drive(connector, build(World((someone,), switches=switches or {})), someone)


async def pulled(name: str, someone: Persona | None = None, **kwargs: Any) -> Pulled:
    test = drive(someone, **kwargs)
    await test.link()
    return await test.pull(STREAMS[name])


async def test_a_hundredth_of_a_mu_and_a_hectare_are_mu() -> None:
    got = await pulled("plots")
    assert got.facts[2] == FarmPlot(
        plot_number="3299960300110003",
        season="2026",
        crop="油菜",
        claimed_area=Decimal(21),
        verified_area=Decimal(20),
        register_area=None,
        insured_area=Decimal("20.5"),
        claimed_yield=Decimal(160),
        latitude=33.4,
        longitude=119.8,
    )
    assert [fact.register_area for fact in got.facts] == [Decimal("61.5"), Decimal(40), None]
    assert (got.declared, got.covered) == (3, [(date(2025, 1, 1), date(2026, 1, 19))])


async def test_areas_and_yields_come_back_to_the_last_digit() -> None:
    """Four decimals of a mu, and places to the ninth decimal of a degree, through the feed's own units."""
    plot = SECTION["plots"][0] | {
        "satellite_mu": "12.3456",
        "claimed_mu": "0.0001",
        "claimed_yield": "533.33",
        "lat": -33.123456789,
        "lon": 0.1,
    }
    (fact,) = (await pulled("plots", persona({"plots": [plot]}))).facts
    assert (fact.verified_area, fact.claimed_area, fact.claimed_yield) == (Decimal("12.3456"), Decimal("0.0001"), Decimal("533.33"))
    assert (fact.latitude, fact.longitude) == (-33.123456789, 0.1)


async def test_whom_register_and_policy_name() -> None:
    people = document_of(FARMER)["people"]
    people["wife"] = people["farmer"] | {"name": "陆云霞", "resident_id": WIFE}
    other = persona_of(FARMER, "FARM", changes={"people": people, "farm": SECTION | {"register_holder": "wife", "insured": False}})
    (fact,) = (await pulled("holding", other)).facts
    assert isinstance(fact, FarmHolding)
    assert (fact.register_holder, fact.policy_holder) == (PersonalId(WIFE), people["farmer"]["resident_id"])
    assert (fact.verified_seasons, fact.insured, fact.purchase_contract, fact.credit_village) == (3, False, True, False)
    assert (fact.harvest_on, len(fact.holding_number)) == (date(2026, 10, 15), 18)


async def test_the_data_end_and_a_gap_reach_the_hub() -> None:
    got = await pulled("plots", persona(until="2026-01-05", gaps=["2025-11"]))
    assert got.covered == [(date(2025, 1, 1), date(2025, 10, 31)), (date(2025, 12, 1), date(2026, 1, 5))]
    assert len(got.facts) == 3


async def test_who_has_no_farm_is_covered_and_empty() -> None:
    for name in STREAMS:
        got = await pulled(name, persona_of(FARMER, "FARM", changes={"farm": None}))
        assert (got.facts, got.declared, got.covered) == ([], 0, [(date(2025, 1, 1), date(2026, 1, 19))])


async def test_a_feed_that_serves_nothing_yet_is_unknown_not_empty() -> None:
    got = await pulled("plots", persona(**{"from": "2026-02"}))
    assert (got.facts, got.covered, len(got.not_served)) == ([], [], 1)


async def test_rows_from_a_start_on_and_a_new_period_between_them() -> None:
    """What was read twice is in the total, and every plot is there."""
    test = drive(switches={"cn_farm": {"new_snapshot"}})
    test.config["page_size"] = "2"
    await test.link()
    got = await test.pull(STREAMS["plots"])
    assert got.fetched == got.declared == 5
    assert len({fact.plot_number for fact in got.facts}) == 3


async def test_a_malformed_plot_is_unreadable_and_harms_no_other() -> None:
    got = await pulled("plots", switches={"cn_farm": {"malformed"}})
    assert ([fault.path for fault in got.unreadable], len(got.facts)) == (["ygmj"], 2)


async def test_refused_consent_wrong_secret_revoked_grant() -> None:
    with pytest.raises(Reauthorise):
        await drive().link(decision="refuse")
    test = drive()
    test.config["client_secret"] = "wrong"
    with pytest.raises(Misconfigured):
        await test.link()
    test = drive()
    assert (await test.link()).scopes == ("FARM",)
    await test.talk(connector.authorisation.revoke(test.context))
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["holding"])


@pytest.mark.parametrize(
    ("service", "body", "status", "code"),
    [
        ("parcel", {"start": -1}, 400, 4001),
        ("parcel", {"start": "0"}, 400, 4001),
        ("parcel", {"rows": 201}, 400, 4001),
        ("holding", [], 400, 4001),
        ("nothing", {}, 404, 4042),
    ],
)
async def test_wrong_questions_are_refused(service: str, body: Any, status: int, code: int) -> None:
    test = drive()
    grant = await test.link()
    heads = {"Authorization": f"Bearer {grant.access_token}"}
    answer = await test.client.post(f"http://platform.test{BASE_PATH}/api/{service}/query", headers=heads, json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, code)


async def test_an_outsider_gets_data_with_what_the_sandbox_prints() -> None:
    platform = build(World((persona(),)))
    given, base = platform.outsider, f"http://platform.test{platform.base_path}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app)) as client:
        counts = []
        for service in given["services"]:
            url = base + given["paths"]["service"].format(service=service)
            answer = await client.post(url, json={}, headers={"Authorization": f"Bearer {given['access_token']}"})
            counts.append(answer.json()["body"]["numFound"])
        assert (counts, (await client.post(url, json={})).status_code) == ([3, 1], 401)
