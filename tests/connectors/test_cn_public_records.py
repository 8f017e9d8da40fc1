"""cn_public_records against its simulated gateway: consent, every stream, coverage, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.cn_public_records import connector
from connectors.cn_public_records.sandbox import BASE_PATH, build
from connectors.sandbox import expand_records
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from hub.connect import (
    ContractBroken,
    Misconfigured,
    NotPermitted,
    Reauthorise,
    RefreshNeeded,
    RetryAt,
)
from hub.domain.enums import SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    EducationRecord,
    HouseholdRegistration,
    IdentityVerification,
    Qualification,
    VerifiedPlace,
)
from tests.connectors.cn_persona import BASE, BUSINESS, OTHER, OWNER, persona, with_source
from tests.contract.drive import REDIRECT, Drive, Pulled

STREAMS = {stream.name: stream for stream in connector.streams}
AUTH = connector.authorisation
GOLDEN = Path(__file__).parents[2].parent / "shared/golden"


def drive(someone: Persona | None = None, switches: dict[str, set[str]] | None = None, data_from: date = date(2021, 1, 1)) -> Drive:
    someone = someone or persona()
    return Drive(connector, build(World((someone,), switches=switches or {})), someone, data_from=data_from)


async def pulled(name: str, someone: Persona | None = None, **kwargs: Any) -> Pulled:
    test = drive(someone, **kwargs)
    await test.link()
    return await test.pull(STREAMS[name])


async def test_the_register_names_the_business_its_places_and_who_is_responsible() -> None:
    got = await pulled("registration")
    assert got.facts == [
        BusinessRegistration(
            uscc=BUSINESS,
            name="苏州青禾茶舍",
            status="ACTIVE",
            industry_code="F5226",
            established_on=date(2021, 3, 9),
            registered_capital=Decimal("120000.00"),
            responsible=OWNER,  # type: ignore[arg-type]
            responsible_since=date(2023, 2, 1),
            city="苏州市",
            latitude=31.299,
            longitude=120.585,
            operating_city="苏州市",
            operating_latitude=31.31,
            operating_longitude=120.6,
        )
    ]
    assert got.covered == [(date(2021, 3, 1), date(2026, 1, 19))]


async def test_the_register_may_name_somebody_else() -> None:
    got = await pulled("registration", persona(business=BASE["business"] | {"registered_to": "other"}))
    assert got.facts[0].responsible == OTHER


async def test_identity_household_education_place_and_qualifications() -> None:
    test = drive()
    await test.link()
    assert (await test.pull(STREAMS["qualifications"])).facts == [
        Qualification(kind="TECH_SME", number="TECH_SME", valid_from=None, valid_to=None)
    ]
    checks = (await test.pull(STREAMS["identity_checks"])).facts
    assert [(fact.method, fact.result, fact.checked_on) for fact in checks] == [
        ("TWO_FACTOR", "UNAVAILABLE", date(2025, 8, 2)),
        ("FACE_LIVENESS", "MATCH", date(2026, 1, 17)),
    ]
    assert {fact.person for fact in checks} == {OWNER}
    assert (await test.pull(STREAMS["household"])).facts == [
        HouseholdRegistration(
            person=OWNER,  # type: ignore[arg-type]
            name="顾青禾",  # type: ignore[arg-type]
            hukou_city="安庆市",
            hukou_since=date(1985, 6, 17),
            residence_city="苏州市",
            home_latitude=31.3012,
            home_longitude=120.5981,
        )
    ]
    assert (await test.pull(STREAMS["education"])).facts == [
        EducationRecord(person=OWNER, level="BACHELOR", verified=True, graduated_on=date(2007, 7, 1))  # type: ignore[arg-type]
    ]
    assert (await test.pull(STREAMS["verified_places"])).facts == [
        VerifiedPlace(city="苏州市", latitude=31.3111, longitude=120.6021, verified_on=date(2025, 11, 5))
    ]


async def test_public_records_have_stable_numbers() -> None:
    got = await pulled("public_records")
    assert [(fact.kind, fact.role, fact.status, fact.filed_on, fact.closed_on, fact.amount) for fact in got.facts] == [
        ("ADMIN_PENALTY", "DEFENDANT", "CLOSED", date(2022, 4, 1), date(2022, 6, 30), None),
        ("LITIGATION", "PLAINTIFF", "OPEN", date(2025, 9, 2), None, Decimal("86000.00")),
    ]
    fewer = await pulled("public_records", persona(public_records=BASE["public_records"][:1]))
    assert fewer.facts == [got.facts[1]]


def test_two_alike_cases_have_two_numbers_and_an_unfinished_end_is_open() -> None:
    row = BASE["public_records"][1] | {"closed_on": "2026-03-01"}
    found = expand_records.cases(persona(public_records=[row, row]))
    assert len({one.number for one in found}) == 2
    assert {(one.status, one.closed_on) for one in found} == {("OPEN", None)}


async def test_no_case_is_covered_and_empty() -> None:
    got = await pulled("public_records", persona(public_records=[]))
    assert (got.facts, got.not_served, got.declared) == ([], [], 0)
    assert (got.covered[0][0], got.covered[-1][1]) == (date(2021, 1, 1), date(2026, 1, 19))


async def test_without_a_business_the_register_has_no_entry() -> None:
    someone = persona(business=None, subject_person="owner")
    for name in ("registration", "qualifications"):
        got = await pulled(name, someone, data_from=date(2022, 1, 1))
        assert (got.facts, got.not_served) == ([], [])
        assert got.covered == [(date(2022, 1, 1), date(2026, 1, 19))]
    assert len((await pulled("household", someone)).facts) == 1


async def test_the_data_end_reaches_the_hub() -> None:
    got = await pulled("registration", with_source("REGISTRATION", until="2025-03-31"))
    assert (len(got.facts), got.covered[-1][1]) == (1, date(2025, 3, 31))
    checks = await pulled("identity_checks", with_source("IDENTITY", until="2025-12-31", gaps=["2025-09"]))
    assert [fact.result for fact in checks.facts] == ["UNAVAILABLE"]
    assert checks.covered == [(date(2025, 1, 1), date(2025, 8, 31)), (date(2025, 10, 1), date(2025, 12, 31))]


async def test_days_before_the_reach_are_unknown_not_empty() -> None:
    test = drive()
    await test.link()
    got = await test.pull(STREAMS["identity_checks"], date(2023, 1, 1), date(2024, 12, 31))
    assert (got.facts, got.covered, len(got.not_served)) == ([], [], 1)


async def test_a_place_without_a_day_counts_as_of_the_data_end() -> None:
    identity = BASE["identity"] | {"place": {"city": "苏州市", "lat": 31.3, "lon": 120.6}}
    got = await pulled("verified_places", persona(identity=identity))
    assert got.facts[0].verified_on == date(2026, 1, 19)


async def test_only_consented_sources_are_asked_for() -> None:
    test = drive()
    test.context = replace(test.context, sources=frozenset({SourceKind.PUBLIC_RECORD, SourceKind.IDENTITY}))
    url = await test.talk(AUTH.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash=""))
    assert parse_qs(urlsplit(url).query)["scope"] == ["records.read identity.read"]
    grant = await test.link()
    assert set(grant.scopes) == {"PUBLIC_RECORD", "IDENTITY"}
    with pytest.raises(NotPermitted):
        await test.pull(STREAMS["registration"])


async def test_refused_consent_wrong_secret_used_code() -> None:
    with pytest.raises(Reauthorise):
        await drive().link(decision="refuse")
    test = drive()
    test.config["client_secret"] = "wrong"
    with pytest.raises(Misconfigured):
        await test.link()
    test = drive()
    url = await test.talk(AUTH.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash=""))
    callback = await test.submit_consent(url)
    grant = await test.talk(AUTH.complete(test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=callback))
    with pytest.raises(Reauthorise):
        await test.talk(AUTH.complete(test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=callback))
    test.context = replace(test.context, grant=grant)
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["registration"])
    with pytest.raises(ContractBroken):
        await test.talk(AUTH.complete(test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback={"state": "s"}))


async def test_a_revoked_grant_needs_the_customer() -> None:
    test = drive()
    await test.link()
    test.context = replace(test.context, grant=await test.talk(AUTH.refresh(test.context)))
    await test.talk(AUTH.revoke(test.context))
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["registration"])
    with pytest.raises(Reauthorise):
        await test.talk(AUTH.refresh(test.context))


async def test_a_malformed_record_is_unreadable_and_harms_no_other() -> None:
    test = drive(switches={"cn_public_records": {"malformed"}})
    await test.link()
    got = await test.pull(STREAMS["registration"])
    assert [fault.path for fault in got.unreadable] == ["zczb"]
    assert len(await test.everything()) == 8


async def test_pages_and_a_new_snapshot_between_them() -> None:
    test = drive(switches={"cn_public_records": {"new_snapshot"}})
    test.config["page_size"] = "1"
    await test.link()
    got = await test.pull(STREAMS["public_records"])
    assert got.fetched == got.declared == 3
    assert len({fact.case_number for fact in got.facts}) == 2


async def test_the_rate_is_limited() -> None:
    someone = persona()
    test = Drive(connector, build(World((someone,)), per_second=0.5, burst=1), someone)
    await test.link()
    await test.pull(STREAMS["household"])
    stream = STREAMS["education"]
    (window,) = stream.windows(test.context, date(2025, 1, 1), date(2026, 1, 20))
    response = await test.send(connector.sign(test.context, stream.request(test.context, window, None)))
    with pytest.raises(RetryAt) as caught:
        stream.read(test.context, window, None, response)
    assert (response.status, caught.value.seconds) == (429, 2.0)


@pytest.mark.parametrize(
    ("service", "body", "status", "code"),
    [
        ("cases", {}, 400, "P0100"),
        ("cases", {"qsrq": "2010-01-01", "zzrq": "2026-01-01"}, 400, "P0101"),
        ("cases", {"qsrq": "2026-01-01", "zzrq": "2025-01-01"}, 400, "P0101"),
        ("household", {"page_size": 201}, 400, "P0100"),
        ("household", {"page": 0}, 400, "P0100"),
        ("household", [], 400, "P0100"),
        ("nothing", {}, 404, "P0201"),
    ],
)
async def test_wrong_questions_are_refused(service: str, body: Any, status: int, code: str) -> None:
    test = drive()
    grant = await test.link()
    heads = {"Authorization": f"Bearer {grant.access_token}"}
    answer = await test.client.post(f"http://platform.test{BASE_PATH}/services/{service}", headers=heads, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_outsider_gets_data_with_what_the_sandbox_prints() -> None:
    platform = build(World((persona(),)))
    given = platform.outsider
    form = {"grant_type": "authorization_code"} | {name: given[name] for name in ("code", "redirect_uri", "code_verifier")}
    base = f"http://platform.test{platform.base_path}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app)) as client:
        token = (await client.post(f"{base}/oauth2/token", data=form, auth=(given["client_id"], given["client_secret"]))).json()
        for bearer in (token["access_token"], given["access_token"]):
            body = {"qsrq": given["period"]["from"], "zzrq": given["period"]["to"]}
            answer = await client.post(f"{base}/services/cases", headers={"Authorization": f"Bearer {bearer}"}, json=body)
            assert answer.json()["data"]["total"] == 1
        assert (await client.post(f"{base}/services/cases", json=body)).headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert json.dumps(given)


@pytest.mark.parametrize("name", ["online-seller", "small-manufacturer", "conflicting-data"])
async def test_the_golden_personas(name: str) -> None:
    if not (GOLDEN / f"{name}.json").exists():
        pytest.skip("the golden personas do not lie beside this project")
    someone = load(GOLDEN / f"{name}.json")
    test = drive(someone)
    await test.link()
    facts = await test.everything()
    (entry,) = [fact for fact in facts if isinstance(fact, BusinessRegistration)]
    checks = [fact for fact in facts if isinstance(fact, IdentityVerification)]
    assert someone.business is not None
    assert someone.identity is not None
    assert (entry.uscc, entry.responsible) == (someone.business.uscc, someone.responsible.resident_id)
    assert [(fact.method, fact.checked_on) for fact in checks] == [(row.method, row.on) for row in someone.identity.checks]
