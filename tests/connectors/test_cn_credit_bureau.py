"""cn_credit_bureau against the simulated bureau: what the file holds arrives exactly, and one run leaves one look-up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors import cn_credit_bureau
from connectors.cn_credit_bureau import reading, requests
from connectors.cn_credit_bureau.requests import Place
from connectors.cn_credit_bureau.sandbox import BASE, VERIFIER, build
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from hub.connect import (
    ContractBroken,
    Misconfigured,
    Pending,
    Reauthorise,
    RefreshNeeded,
)
from hub.connect.oauth import basic
from hub.domain.facts import CreditAccount, CreditInquiry
from tests.connectors.bureau_case import ACCOUNTS, INQUIRIES, RANGE, REPAYMENTS_STREAM, START, Case
from tests.connectors.money_persona import BUSINESS, OPERATOR, document, noodle_shop
from tests.contract.drive import REDIRECT, Drive


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case(noodle_shop())
    await case.drive.link()
    yield case
    await case.drive.client.aclose()


async def test_accounts_of_the_business_and_of_its_operator(case: Case) -> None:
    pulled = await case.drive.pull(ACCOUNTS)
    shop, mortgage = pulled.facts
    assert shop == CreditAccount(
        account_number="B1",
        borrower=BUSINESS,  # type: ignore[arg-type]
        lender="钱江银行",
        kind="OPERATING",
        repayment="REVOLVING",
        secured=False,
        open=True,
        bank_tax_loan=True,
        opened_on=date(2025, 1, 8),
        matures_on=None,
        credit_limit=Decimal("200000.00"),
        balance=Decimal("80000.50"),
        monthly_due=Decimal("240.00"),
    )
    assert (mortgage.borrower, mortgage.kind, mortgage.open, mortgage.secured) == (OPERATOR, "MORTGAGE", False, True)
    assert (mortgage.matures_on, mortgage.credit_limit) == (date(2036, 5, 1), None)
    assert pulled.fetched == pulled.declared == 2


async def test_one_status_per_account_and_covered_month(case: Case) -> None:
    pulled = await case.drive.pull(REPAYMENTS_STREAM)
    months = {account: [(fact.month, fact.status) for fact in pulled.facts if fact.account_number == account] for account in ("B1", "P1")}
    assert months["P1"] == [("2024-01", "N"), ("2024-02", "C")]
    assert months["B1"] == [
        ("2025-01", "*"),
        ("2025-02", "N"),
        ("2025-04", "N"),
        ("2025-05", "2"),
        ("2025-06", "M"),
        *((f"2025-{month:02d}", "N") for month in range(7, 12)),
    ]
    assert pulled.fetched == pulled.declared == len(pulled.facts) == 12


async def test_inquiries_of_the_covered_days_as_often_as_they_happened(case: Case) -> None:
    pulled = await case.drive.pull(INQUIRIES)
    loan = CreditInquiry(inquired_on=date(2025, 2, 3), reason="LOAN_APPROVAL", organisation="钱江银行")
    review = CreditInquiry(inquired_on=date(2025, 12, 15), reason="GUARANTEE_REVIEW", organisation="西湖银行")
    assert pulled.facts == [loan, loan, review]


async def test_every_section_says_which_days_it_is_complete_for(case: Case) -> None:
    for stream in cn_credit_bureau.connector.streams:
        assert (await case.drive.pull(stream)).covered == [
            (date(2024, 1, 1), date(2025, 2, 28)),
            (date(2025, 4, 1), date(2025, 12, 15)),
        ]


async def test_a_thin_file_is_covered_and_empty() -> None:
    thin = document()
    thin["bureau"] = {"accounts": [], "inquiries": []}
    thin["sources"]["BUREAU"] = {"from": "2021-01"}
    case = Case(Persona.model_validate(thin))
    await case.drive.link()
    for stream in cn_credit_bureau.connector.streams:
        pulled = await case.drive.pull(stream)
        assert (pulled.facts, pulled.not_served, pulled.covered) == ([], [], [(START, date(2026, 1, 19))])


async def test_no_file_is_unknown_and_not_empty() -> None:
    missing = document()
    del missing["sources"]["BUREAU"]
    case = Case(Persona.model_validate(missing))
    await case.drive.link()
    for stream in cn_credit_bureau.connector.streams:
        pulled = await case.drive.pull(stream)
        assert (pulled.facts, pulled.covered, len(pulled.not_served)) == ([], [], 1)


async def test_a_run_leaves_one_look_up(case: Case) -> None:
    before = len(case.bureau.reports)
    await case.drive.everything()
    await case.drive.everything()
    assert len(case.bureau.reports) == before + 1
    case.drive.context = replace(case.drive.context, today=date(2026, 1, 21))
    await case.drive.everything()
    assert len(case.bureau.reports) == before + 2


async def test_the_kept_key_holds_no_identifier(case: Case) -> None:
    """It is stored as evidence: another person under the same authorisation number must give the same key."""
    keys = set()
    for resident_id in (OPERATOR, "somebody else"):
        context = replace(case.drive.context, subject=replace(case.drive.context.subject, resident_id=resident_id))
        keys.add(dict(requests.order(context, RANGE, 0).headers)["Idempotency-Key"])
    assert len(keys) == 1


async def test_pages_of_a_section(case: Case) -> None:
    case.drive.config["page_size"] = "5"
    pulled = await case.drive.pull(REPAYMENTS_STREAM)
    assert (pulled.requests, pulled.fetched, pulled.declared) == (5, 12, 12)
    assert len({(fact.account_number, fact.month) for fact in pulled.facts}) == 12


async def test_fen_and_yuan_give_the_same_facts(case: Case) -> None:
    in_yuan = (await case.drive.pull(ACCOUNTS)).facts
    case.world.switches["cn_credit_bureau"] = {"fen"}
    assert (await case.drive.pull(ACCOUNTS)).facts == in_yuan


async def test_one_malformed_record_is_put_aside(case: Case) -> None:
    case.world.switches["cn_credit_bureau"] = {"malformed"}
    pulled = await case.drive.pull(ACCOUNTS)
    assert [(fault.path, fault.reason) for fault in pulled.unreadable] == [("balance", "is not an amount in the unit of the page")]
    assert [fact.account_number for fact in pulled.facts] == ["P1"]


async def test_a_report_in_the_making_is_pending() -> None:
    clock = [100.0]
    case = Case(noodle_shop(), clock=lambda: clock[0])
    case.bureau.delay = 2.5
    await case.drive.link()
    ordered = await case.page(Place())
    assert ordered.wait == 2.5
    at = Place.of(ordered.next)
    with pytest.raises(Pending) as pending:
        await case.page(at)
    assert pending.value.seconds == 2.5
    with pytest.raises(Pending):
        await case.page(replace(at, page=1))
    clock[0] += 2.5
    assert Place.of((await case.page(at)).next).page == 1


async def test_a_report_that_is_gone_is_ordered_again() -> None:
    clock = [100.0]
    case = Case(noodle_shop(), clock=lambda: clock[0])
    await case.drive.link()
    at = Place.of((await case.page(Place())).next)
    clock[0] += 86_401
    again = Place.of((await case.page(replace(at, page=2, seen=1))).next)
    assert again == Place(attempt=1, seen=1, base=1)
    number = Place.of((await case.page(again)).next).report
    assert number != at.report
    last = await case.page(replace(again, report=number, page=1))
    assert (last.next, last.total) == (None, 3)


def test_failing_reports_come_to_an_end() -> None:
    failed = {"status": "40", "retry_after": "3.5"}
    page = reading.polled(Place(report="R1"), failed)
    assert (Place.of(page.next), page.wait) == (Place(attempt=1), 3.5)
    with pytest.raises(ContractBroken, match="3 reports"):
        reading.polled(Place(report="R3", attempt=2), failed)


# Authorisation


async def test_a_refusal_is_the_customers_answer() -> None:
    with pytest.raises(Reauthorise, match="refused"):
        await Case(noodle_shop()).drive.link(decision="refuse")


async def test_the_request_names_the_text_that_was_agreed_to(case: Case) -> None:
    begin = cn_credit_bureau.connector.authorisation.begin
    url = await case.drive.talk(begin(case.drive.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32))
    assert "code_challenge_method=S256" in url and f"consent_digest={'ab' * 32}&purpose=01" in url


async def test_refresh_rotates_and_revocation_ends(case: Case) -> None:
    authorisation, old = cn_credit_bureau.connector.authorisation, case.drive.context
    grant = await case.drive.talk(authorisation.refresh(old))
    case.drive.context = replace(old, grant=grant)
    assert (await case.drive.pull(ACCOUNTS)).fetched == 2
    await case.drive.talk(authorisation.revoke(case.drive.context))
    with pytest.raises(RefreshNeeded):
        await case.drive.pull(ACCOUNTS)
    with pytest.raises(Reauthorise):
        await case.drive.talk(authorisation.refresh(case.drive.context))


async def test_a_used_refresh_token_ends_the_family(case: Case) -> None:
    authorisation, old = cn_credit_bureau.connector.authorisation, case.drive.context
    grant = await case.drive.talk(authorisation.refresh(old))
    with pytest.raises(Reauthorise):
        await case.drive.talk(authorisation.refresh(old))
    case.drive.context = replace(old, grant=grant)
    with pytest.raises(RefreshNeeded):
        await case.drive.pull(ACCOUNTS)


async def test_a_wrong_secret_is_for_the_operator_to_fix() -> None:
    case = Case(noodle_shop())
    case.drive.config["client_secret"] = "wrong"
    with pytest.raises(Misconfigured):
        await case.drive.link()


async def test_an_outside_client_can_exchange_its_code_and_post_its_order(case: Case) -> None:
    outsider, client = case.platform.outsider, case.drive.client
    form = {
        "grant_type": "authorization_code",
        "code": outsider["code"],
        "redirect_uri": outsider["redirect_uri"],
        "code_verifier": VERIFIER,
    }
    headers = {"Authorization": basic(case.drive.context.config)}
    assert (await client.post(f"{BASE}/oauth2/token", data=form, headers=headers)).status_code == 200
    assert (await client.post(f"{BASE}/oauth2/token", data=form, headers=headers)).json() == {"error": "invalid_grant"}
    bearer = {"Authorization": f"Bearer {outsider['access_token']}", "Idempotency-Key": "mine"}
    taken = await client.post(f"{BASE}/reports", json=outsider["order"], headers=bearer)
    section = await client.get(f"{BASE}/reports/{taken.json()['data']['report_no']}/sections/repayments", headers=bearer)
    assert section.json()["data"]["total"] == 12


@pytest.mark.parametrize(
    ("name", "figures"), [("online-seller", (1, 21, 2)), ("small-manufacturer", (2, 39, 3)), ("conflicting-data", (0, 0, 5))]
)
async def test_the_golden_files_arrive(shared: Path, name: str, figures: tuple[int, ...]) -> None:
    persona = load(shared / "golden" / f"{name}.json")
    drive = Drive(cn_credit_bureau.connector, build(World((persona,))), persona)
    await drive.link()
    pulled = [await drive.pull(stream) for stream in cn_credit_bureau.connector.streams]
    assert tuple(one.fetched for one in pulled) == tuple(one.declared for one in pulled) == figures
    assert persona.bureau
    assert [fact.balance for fact in pulled[0].facts] == [account.balance for account in persona.bureau.accounts]
