"""alipay against its simulated platform: what is served arrives exactly, and what is not served stays unknown."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors import alipay
from connectors.alipay.sandbox import Alipay, build, platform
from connectors.sandbox.expand_ledger import WORDING, ledger_accounts
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from hub.connect import (
    Window,
)
from hub.domain.enums import SourceKind
from hub.domain.facts import PaymentAccount
from hub.domain.periods import CHINA
from tests.connectors.alipay_case import ACCOUNTS, LOG, START, ask, linked
from tests.connectors.money_persona import BUSINESS, OPERATOR, document, noodle_shop
from tests.contract.drive import Drive


@pytest.fixture(scope="module")
def world() -> World:
    return World((noodle_shop(),))


@pytest.fixture(scope="module")
def simulated(world: World) -> Alipay:
    return Alipay(world)


@pytest.fixture
async def drive(simulated: Alipay, world: World) -> Drive:
    return await linked(platform(simulated, world), world.personas[0])


async def test_the_accounts_arrive_as_they_are(drive: Drive) -> None:
    pulled = await drive.pull(ACCOUNTS)
    till, own = pulled.facts
    assert replace(till, account_number="") == PaymentAccount(
        account_number="",  # type: ignore[arg-type]
        type="ALIPAY",
        institution="支付宝",
        holder=BUSINESS,  # type: ignore[arg-type]
        role="SETTLEMENT",
        scope="PARTIAL",
        opened_on=date(2021, 4, 1),
        opening_balance=Decimal("2000.00"),
    )
    assert (own.type, own.holder, own.role, own.opened_on) == ("BANK_PERSONAL", OPERATOR, "GENERAL", None)
    assert pulled.declared == pulled.fetched == 2
    assert pulled.covered == [(date(2025, 9, 1), date(2025, 10, 31)), (date(2025, 12, 1), date(2026, 1, 10))]


async def test_every_movement_arrives_once_and_exactly(drive: Drive) -> None:
    pulled = await drive.pull(LOG)
    till = [fact for fact in pulled.facts if fact.account_number == drive.context.grant.account]  # type: ignore[union-attr]
    own = [fact for fact in pulled.facts if fact not in till]
    assert (len(till), len(own), pulled.fetched, pulled.declared) == (17, 20, 37, 37)
    december = [(f.at.astimezone(CHINA).strftime("%m-%d %H"), f.category, f.amount, f.balance_after) for f in till[8:15]]
    assert december == [
        ("12-04 10", "SALES_RECEIPT", Decimal("250.00"), Decimal("5250.00")),
        ("12-05 10", "PLATFORM_PAYOUT", Decimal("150.00"), Decimal("5400.00")),
        ("12-05 15", "OWN_TRANSFER", Decimal("50.00"), Decimal("5350.00")),
        ("12-12 10", "SALES_RECEIPT", Decimal("250.00"), Decimal("5600.00")),
        ("12-20 10", "SALES_RECEIPT", Decimal("250.00"), Decimal("5850.00")),
        ("12-28 10", "SALES_RECEIPT", Decimal("250.00"), Decimal("6100.00")),
        ("12-31 10", "PLATFORM_PAYOUT", Decimal("150.00"), Decimal("6250.00")),
    ]
    assert till[8].at == datetime(2025, 12, 4, 2, 0, tzinfo=UTC)
    assert [(f.category, f.balance_after) for f in own[-2:]] == [
        ("OWN_TRANSFER", Decimal("-10.00")),
        ("LOAN_DISBURSEMENT", Decimal("790.00")),
    ]
    assert len({(f.account_number, f.transaction_number) for f in pulled.facts}) == 37
    assert own[-2].counterparty == "乔南枝"


async def test_the_hub_finds_every_category_itself(drive: Drive) -> None:
    """The platform sends no category; the fact's equals the persona's for each of the 22."""
    got = Counter((fact.category, fact.direction.value) for fact in (await drive.pull(LOG)).facts)
    reach = drive.persona.sources[SourceKind.PAYMENT]
    served = [
        movement
        for account in ledger_accounts(drive.persona)
        for movement in account.movements
        if date(2025, 9, 1) <= movement.at.date() <= reach.until and movement.at.month != 11  # type: ignore[operator]
    ]
    assert got == Counter((movement.category, movement.direction) for movement in served)
    assert set(WORDING) == {category for category, _ in got}


async def test_what_has_no_bill_is_unknown_and_not_zero(drive: Drive) -> None:
    pulled = await drive.pull(LOG)
    assert [window.first for window in pulled.not_served] == [date(2025, 7, 20), date(2025, 8, 1), date(2025, 11, 1)]
    assert pulled.covered[-1] == (date(2026, 1, 1), date(2026, 1, 10))
    assert max(fact.at for fact in pulled.facts) < datetime(2026, 1, 10, 16, tzinfo=UTC)


async def test_today_is_never_asked_for(drive: Drive) -> None:
    windows = LOG.windows(drive.context, START, drive.context.today)
    assert windows[-1] == Window("account_log", date(2026, 1, 1), date(2026, 1, 19))
    assert all((window.last - window.first).days < 31 for window in windows)
    assert not LOG.windows(drive.context, drive.context.today, drive.context.today)


async def test_pages_of_a_busy_month() -> None:
    changed = document()
    changed["sources"]["PAYMENT"] = {"from": "2025-12"}
    changed["ledger"]["flows"] = [
        {"account": "own", "category": "SALES_RECEIPT", "direction": "IN", "first": "2025-12", "amounts": ["2600.00"], "per_month": 2600}
    ]
    world = World((Persona.model_validate(changed),))
    drive = await linked(build(world), world.personas[0])
    drive.config["page_size"] = "1000"
    pulled = await drive.pull(LOG, date(2025, 12, 1), date(2025, 12, 31))
    assert (pulled.requests, pulled.fetched, pulled.declared) == (4, 2600, 2600)
    assert [fact.balance_after for fact in pulled.facts] == [Decimal(number) for number in range(1, 2601)]


async def test_a_changed_number_of_accounts_starts_the_window_again(drive: Drive) -> None:
    window = Window("account_log", date(2025, 12, 1), date(2025, 12, 31))
    page = LOG.read(drive.context, window, None, await ask(drive, LOG.request(drive.context, window, None)))
    assert (page.next["account"], page.next["declared"], len(page.records)) == (1, 7, 7)  # type: ignore[index]
    assert drive.context.grant
    one = json.dumps(json.loads(drive.context.grant.extra["accounts"])[:1])
    drive.context = replace(drive.context, grant=replace(drive.context.grant, extra={"accounts": one}))
    again = LOG.read(drive.context, window, page.next, await ask(drive, LOG.request(drive.context, window, page.next)))
    assert (again.next, again.total) == (None, 14)


async def test_a_cursor_names_no_account(drive: Drive) -> None:
    window = Window("account_log", date(2025, 12, 1), date(2025, 12, 31))
    page = LOG.read(drive.context, window, None, await ask(drive, LOG.request(drive.context, window, None)))
    assert drive.context.grant and drive.context.grant.account not in json.dumps(page.next)


async def test_one_malformed_record_is_put_aside(world: World, simulated: Alipay) -> None:
    drive = await linked(platform(simulated, world), world.personas[0])
    world.switches["alipay"] = {"malformed"}
    try:
        pulled = await drive.pull(LOG)
    finally:
        world.switches.clear()
    assert [(fault.path, fault.reason) for fault in pulled.unreadable] == [("trans_amount", "is not an amount in yuan")]
    assert (len(pulled.facts), pulled.fetched, pulled.declared) == (36, 37, 37)


def test_the_outsider_has_what_he_needs(simulated: Alipay, world: World) -> None:
    outsider = platform(simulated, world).outsider
    assert outsider["period"] == {"from": "2025-12-01 00:00:00", "to": "2026-01-01 00:00:00"}
    assert len(outsider["bill_user_ids"]) == 2
    assert simulated.desk.redeem(outsider["app_auth_code"])
    assert simulated.desk.holder(outsider["app_auth_token"]) is world.personas[0]
    assert "BEGIN RSA PRIVATE KEY" in outsider["app_private_key_pkcs1"] and "BEGIN PRIVATE KEY" in outsider["app_private_key_pkcs8"]


def test_a_sandbox_of_nobody_can_be_built() -> None:
    assert "app_auth_code" not in build(World(())).outsider


def _imports(folder: Path) -> set[str]:
    files = [path for path in folder.glob("*.py") if not path.name.startswith("sandbox")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("name", ["alipay", "cn_credit_bureau"])
def test_no_module_but_the_simulation_does_io(name: str, tmp_path: Path) -> None:
    folder = Path(alipay.__file__ or "").parents[1] / name
    forbidden = {"socket", "httpx", "http", "urllib.request", "os", "random", "secrets", "time", "starlette"}
    roots = {module.split(".")[0] for module in _imports(folder)} | _imports(folder)
    assert roots & forbidden == set()
    (tmp_path / "control.py").write_text("import socket")
    assert _imports(tmp_path) & forbidden == {"socket"}


@pytest.mark.parametrize("name", ["online-seller", "small-manufacturer", "conflicting-data"])
async def test_the_golden_ledgers_arrive(shared: Path, name: str) -> None:
    persona = load(shared / "golden" / f"{name}.json")
    drive = await linked(build(World((persona,))), persona)
    drive.context = replace(drive.context, data_from=date(2025, 1, 1))
    got = Counter[tuple[str, str]]()
    for fact in (await drive.pull(LOG)).facts:
        got[fact.category, fact.direction.value] += fact.amount
    assert persona.ledger
    declared = Counter[tuple[str, str]]()
    for flow in persona.ledger.flows:
        declared[flow.category, flow.direction] += sum(flow.amounts) if flow.amounts else flow.total  # type: ignore[assignment]
    assert got == declared
