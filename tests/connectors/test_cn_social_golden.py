"""cn_social over the golden personas, where they lie beside this project: their figures, through the gateway."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.cn_social import connector
from connectors.cn_social.sandbox import build
from connectors.cn_social.sandbox_desk import Limits
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from hub.domain.facts import EmployerSocialInsuranceMonth, HousingFundEntry, SocialInsuranceContribution
from tests.contract.drive import Drive

GOLDEN = Path(__file__).parents[2].parent / "shared/golden"


def golden(name: str) -> Persona:
    path = GOLDEN / f"{name}.json"
    if not path.exists():
        pytest.skip("the golden personas do not lie beside this project")
    return load(path)


async def facts(someone: Persona) -> list[object]:
    test = Drive(connector, build(World((someone,)), Limits(retry_after=0)), someone)
    await test.link()
    return await test.everything()


async def test_the_online_seller() -> None:
    found = await facts(golden("online-seller"))
    months = [fact for fact in found if isinstance(fact, EmployerSocialInsuranceMonth)]
    paid = [fact for fact in found if isinstance(fact, SocialInsuranceContribution)]
    assert {(fact.headcount, fact.base_sum) for fact in months} == {(2, Decimal("9624.00"))}
    assert len(months) == 12 * 4
    assert {fact.period for fact in paid if fact.insurance == "PENSION"} >= {"2023-06", "2025-12"}
    assert len(paid) == 31 * 4
    assert not any(isinstance(fact, HousingFundEntry) for fact in found)


async def test_the_small_manufacturer() -> None:
    found = await facts(golden("small-manufacturer"))
    entries = [fact for fact in found if isinstance(fact, HousingFundEntry)]
    assert {fact.total for fact in entries} == {Decimal("1560.00")}
    assert entries[-1].balance_after == Decimal("8000.00") + 46 * Decimal("1560.00")
    months = [fact for fact in found if isinstance(fact, EmployerSocialInsuranceMonth) and fact.insurance == "PENSION"]
    assert [fact.headcount for fact in months] == [25] * 6 + [26] * 6
