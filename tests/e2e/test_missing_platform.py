"""A platform that does not answer: the answer says which data is missing and why, and nothing is computed from zeros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.store.embedded import Urls
from tests.e2e.case import ShortJourney, on_stage, small_seller


async def _without(home: Path, urls: Urls, platform: str, *, linked: bool) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Stops a platform before or after it is authorised. Returns (sources by kind, the answer's evaluation, the whole result)."""
    persona = small_seller()
    async with on_stage(home, urls, persona) as stage:
        journey = ShortJourney(stage, persona)
        await journey.register()
        if not linked:
            await stage.sandbox.stop(platform)
        unreachable = await journey.consent()
        assert unreachable == ([] if linked else [platform])
        if linked:
            await stage.sandbox.stop(platform)
        await journey.send_sessions()
        await journey.sync(quiet=True)
        await journey.evaluate()
        said = (await journey.ask("CustomerEnhancement"))["customer"]
        status = (await journey.ask("SourceStatus"))["customer"]["sources"]
        return {one["source"]: one for one in status}, said["evaluation"], await stage.document_of(journey.customer_id, persona.id)


async def test_a_required_source_that_went_silent(urls: Urls, tmp_path: Path) -> None:
    sources, said, document = await _without(tmp_path, urls, "alipay", linked=True)
    assert sources["PAYMENT"]["status"] == "UPSTREAM_ERROR"
    assert sources["PAYMENT"]["connection"]["lastVerdict"] == "FAILED"
    assert "does not answer" in sources["PAYMENT"]["connection"]["lastFaultDetail"]
    assert sources["SHOP"]["status"] == "AVAILABLE"
    assert said["outcome"] == "INSUFFICIENT_DATA"
    assert [reason["code"] for reason in said["reasons"]] == ["G03"]
    assert [said[name] for name in ("finalLimit", "baseLimit", "rate", "score", "consistency", "verifiedRevenue")] == [None] * 6
    assert document["limit"] is None
    assert document["features"] is None


@pytest.mark.parametrize("linked", [True, False], ids=["after it was linked", "before it was linked"])
async def test_an_optional_source_that_went_silent(urls: Urls, tmp_path: Path, linked: bool) -> None:
    """Without TAX declared and sold cannot be compared, and the uplift of 15 % for their agreement is not earned: 20 % are left.

    K = .5 x (.35 + .05 + .10) + .2 x 0 + .3 x 1 = .55, so the tier is MEDIUM and half of the uplift counts: 160,000 x 1.10 = 176,000.
    Two observers are left, the smaller one counts: CASH, 1,371,000 / 0.95 / 1.01.
    """
    sources, said, document = await _without(tmp_path, urls, "cn_tax", linked=linked)
    missing = "UPSTREAM_ERROR" if linked else "NOT_CONNECTED"
    assert sources["TAX"]["status"] == missing
    assert document["observers"]["TAX"] == {"value": None, "missing_reason": missing}
    assert document["checks"]["R1"]["status"] == "UNAVAILABLE"
    assert document["features"]["ss_tax_paid"]["missing_reason"] == missing
    assert document["features"]["ss_tax_paid"]["value"] is None
    assert said["verifiedRevenue"] == "1428869.20"
    assert (said["baseLimit"], said["finalLimit"]) == ("160000.00", "176000.00")
    assert (said["tier"], said["coverage"]) == ("MEDIUM", "0.5500")
    assert document["next_best_source"] == "TAX"
