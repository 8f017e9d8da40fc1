"""What an operator writes down is checked before anything starts: connectors, the lender's data, the key file."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.assessments import read_assessments, require_assessed, simulated
from hub.cli.options import settings
from hub.cli.root import app
from hub.cli.runtime import open_runtime, read_configs
from hub.credit import policies
from hub.credit.dossier import Crop
from hub.domain.assessments import Assessment
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import FixConfiguration, PolicyInvalid, SecretMissing, UnknownConnector
from hub.settings import Settings
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.embedded import Urls
from hub.store.evaluations import keep_reference, load_reference
from hub.store.evaluations.policies import documents_of_the_package, effective_policy, publish_policies
from tests.hub.app.conftest import NOW, SHOP


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON of the form"),
        ("[]", "is not JSON of the form"),
        ('{"taobao": {}}', "taobao lacks base_url, app_key, app_secret"),
        ('{"cn_tax": {"base_url": "ftp://x", "client_id": "a", "client_secret": "b"}}', "base_url of cn_tax is no address to call"),
        (
            '{"cn_tax": {"base_url": "http://tax.example", "client_id": "a", "client_secret": "b"}}',
            "base_url of cn_tax is no address to call",
        ),
    ],
)
def test_connectors_that_cannot_be_used(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "connectors.json").write_text(content)
    with pytest.raises(FixConfiguration, match=said):
        read_configs(Settings(home=tmp_path))


def test_a_setting_may_be_an_object(tmp_path: Path) -> None:
    (tmp_path / "connectors.json").write_text(
        '{"cn_social": {"base_url": "https://social.example", "client_key": {"kty": "EC"}, "pagesize": 20, "maps": {}}}'
    )
    found = read_configs(Settings(home=tmp_path))["cn_social"]
    assert (json.loads(found["client_key"]), found["pagesize"], found["maps"]) == ({"kty": "EC"}, "20", "{}")


def test_a_connector_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "connectors.json").write_text('{"nobody": {}}')
    with pytest.raises(UnknownConnector):
        read_configs(Settings(home=tmp_path))
    assert read_configs(Settings(home=tmp_path / "empty")) == {}


@pytest.mark.parametrize(
    "document",
    [
        {"lendre": "x"},
        {"margin_bands": {"F52": ["0.2"]}},
        {"margin_bands": []},
        {"social_insurance_base": {"floor": "1"}},
        {"crops": {"茶": {"price": "1"}}},
    ],
)
async def test_lender_data_that_cannot_be_read_change_nothing(urls: Urls, tmp_path: Path, document: Any) -> None:
    async with open_runtime(Settings(home=tmp_path), urls, configs={}) as runtime:
        with pytest.raises(FixConfiguration, match="reference data"):
            async with runtime.database.work() as tx:
                await keep_reference(tx, "lender", document, NOW)


async def test_the_crop_table_is_the_lenders(urls: Urls, tmp_path: Path) -> None:
    table = {"茶": {"yield_norm": "80", "price": "60.5", "input_cost": "900"}}
    async with open_runtime(Settings(home=tmp_path), urls, configs={}) as runtime:
        async with runtime.database.work() as tx:
            await keep_reference(tx, "lender", {"lender": "样例银行", "crops": table}, NOW)
            found = (await load_reference(tx, CustomerId(new_id()), None, NOW.date(), NOW)).reference
    assert found.crops == {"茶": Crop(Decimal(80), Decimal("60.5"), Decimal(900))}


async def test_a_policy_that_cannot_be_followed_is_not_published(urls: Urls, tmp_path: Path) -> None:
    """The second of two is wrong: neither is there afterwards, and the evaluation of a day in its time follows the one before."""
    good = {**policies.document("S04"), "version": "2026-02-01", "effective_from": "2026-02-01"}
    wrong = {**policies.document("S02"), "version": "2026-02-01", "effective_from": "2026-02-01", "factor": "ss_cv >= 1"}
    async with open_runtime(Settings(home=tmp_path), urls, configs={}) as runtime:
        async with runtime.database.work() as tx:
            await publish_policies(tx, documents_of_the_package(), NOW)
        with pytest.raises(PolicyInvalid, match=r"S02, factor: 'ss_cv >= 1' is no amount"):
            async with runtime.database.work() as tx:
                await publish_policies(tx, [good, wrong], NOW)
        async with runtime.database.work() as tx:
            found = [(await effective_policy(tx, name, date(2026, 3, 1))).version for name in ("S02", "S04")]
    assert found == ["2026-01-01", "2026-01-01"]


async def test_the_key_file_must_be_the_one_the_database_was_filled_under(urls: Urls, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    async with open_runtime(settings, urls, configs={}) as runtime:
        assert SHOP.person is not None
        new = NewCustomer(SHOP.kind, SHOP.name, SHOP.uscc, NewPerson(SHOP.person.name, SHOP.person.resident_id))
        async with runtime.database.work() as tx:
            await create_customer(tx, runtime.vault, runtime.blind, new, ["app"], NOW)
    path = settings.keys_dir / "keys.json"
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(SecretMissing, match="is missing"):
        async with open_runtime(settings, urls, configs={}):
            pass
    assert not path.exists()
    other = json.loads(kept)
    path.write_text(json.dumps({**other, "keys": {other["current"]: other["blind"]}}))
    with pytest.raises(SecretMissing, match="does not open"):
        async with open_runtime(settings, urls, configs={}):
            pass
    path.write_bytes(kept)
    async with open_runtime(settings, urls, configs={}):
        pass


def test_an_address_may_be_said_to_be_the_first_one(tmp_path: Path) -> None:
    config = {"base_url": "https://gw.example", "app_key": "k", "app_secret": "s", "oauth_url": "base_url"}
    (tmp_path / "connectors.json").write_text(json.dumps({"taobao": config}))
    assert read_configs(Settings(home=tmp_path))["taobao"]["oauth_url"] == "base_url"


ADDRESS = {"base_url": "https://social.example"}


def test_an_assessment_is_no_setting_of_its_connector(tmp_path: Path) -> None:
    stated = {"cn_social": {**ADDRESS, "assessment": {"id": " PIPIA-7 ", "on": "2026-01-05"}}}
    (tmp_path / "connectors.json").write_text(json.dumps(stated))
    assert read_configs(Settings(home=tmp_path)) == {"cn_social": ADDRESS}
    assert read_assessments(Settings(home=tmp_path)) == {"cn_social": Assessment("PIPIA-7", date(2026, 1, 5))}
    assert read_assessments(Settings(home=tmp_path / "empty")) == {}


@pytest.mark.parametrize(
    "value",
    [
        "PIPIA-7",
        None,
        {},
        {"id": "", "on": "2026-01-05"},
        {"id": "x" * 129, "on": "2026-01-05"},
        {"id": "x", "on": "soon"},
        {"id": 7, "on": "2026-01-05"},
    ],
)
def test_an_assessment_that_is_none(tmp_path: Path, value: Any) -> None:
    (tmp_path / "connectors.json").write_text(json.dumps({"cn_social": {**ADDRESS, "assessment": value}}))
    with pytest.raises(FixConfiguration, match="assessment of cn_social"):
        read_assessments(Settings(home=tmp_path))


def test_a_command_names_what_lacks_an_assessment(tmp_path: Path) -> None:
    def told(**assessments: Any) -> tuple[int, Any]:
        parts = {"cn_social": {**ADDRESS, **assessments}}
        (tmp_path / "connectors.json").write_text(json.dumps(parts))
        made = CliRunner().invoke(app, ["connectors", "assessments", "--home", str(tmp_path), "--json"])
        return made.exit_code, json.loads(made.stdout)

    assert told() == (1, [{"connector": "cn_social", "assessment": None, "assessed_on": None}])
    assert told(assessment={"id": "A", "on": "2026-01-05"}) == (
        0,
        [{"connector": "cn_social", "assessment": "A", "assessed_on": "2026-01-05"}],
    )


async def test_a_process_does_not_start_with_what_was_not_assessed(tmp_path: Path, urls: Urls) -> None:
    configs = {"cn_social": ADDRESS}
    async with open_runtime(Settings(home=tmp_path, grantee="银行"), urls, configs=configs) as runtime:
        with pytest.raises(FixConfiguration, match="cn_social"):
            await require_assessed(runtime, {})
        assert await require_assessed(runtime, simulated(configs)) == ()


def test_a_variable_that_cannot_be_read_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PRIVATE_NETWORKS", "10.0.0.0/8")
    with pytest.raises(FixConfiguration, match="private_networks") as refused:
        settings(None)
    assert "JSON" in refused.value.remedy
