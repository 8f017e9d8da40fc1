"""After a loan: what a later evaluation does to it, which products go with it, and what several loans are together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hub.credit.crosscheck.verdict import Tier
from hub.credit.policy import load_policy
from hub.credit.scenario.after import Hint, actions, companions
from hub.domain.enums import SourceKind
from hub.domain.models import HintKind
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.test_scenarios_rules import changed, fund, order, plot, without
from tests.hub.credit.variants import Document, evaluated


def step(code: str, why: str, share: Decimal | None = None) -> Hint:
    """An action, with the condition, tier or source that asks for it."""
    return Hint(HintKind.ACTION, code, str(why), str(why), share=share)


def unpaid(document: Document) -> None:
    document["social_insurance"]["employer"]["unpaid"] = ["2025-12"]


def withdrawn(document: Document) -> None:
    document["sources"]["TAX"] |= {"consent": "REVOKED", "consent_changed_on": "2026-01-15"}


def test_nothing_has_changed() -> None:
    """Every customer as he is: no condition of a downgrade holds, no tier fell."""
    for scenario in ("S02", "S04", "S05", "S06", "S07", "S09", "S10", "S12"):
        assert actions(Tier.HIGH, evaluated(customer(scenario))) == ()


def test_a_step_of_the_policy_is_taken_when_its_condition_holds() -> None:
    """A month of insurance unpaid freezes what is not drawn, although a new loan would be declined for it; a sealed account likewise."""
    assert actions(Tier.HIGH, evaluated(changed("S06", unpaid))) == (step("FREEZE_UNDRAWN", "unpaid_insurance_months >= 1"),)
    assert actions(Tier.HIGH, evaluated(changed("S05", fund(status="SEALED")))) == (
        step("FREEZE_UNDRAWN", "fund_account_status != 'NORMAL'"),
    )
    late = evaluated(changed("S09", order(1, deliver_by="2026-01-04")))
    assert actions(Tier.HIGH, late) == (step("STOP_DRAWS", "latest_late_days > 15"),)


def test_receipts_that_fall_cut_what_is_not_drawn() -> None:
    """December 20,000: mean6 (36,000·3 + 44,000·2 + 20,000)/6 = 36,000; 20,000/36,000 = .56, below .60."""
    document = customer("S04")
    document["ledger"]["flows"][0]["amounts"][11] = "20000.00"
    assert step("REDUCE_UNDRAWN", "latest_receipts_share < 0.60", Decimal("0.30")) in actions(Tier.HIGH, evaluated(document))


def test_each_rung_of_the_ladder_down() -> None:
    """A tier that fell asks for its own action, one that stayed or rose for none."""
    medium = evaluated(changed("S02", without("SOCIAL_INSURANCE", "IDENTITY")))  # K = .475 + 0 + .3·.4/.75 = .635
    assert actions(Tier.HIGH, medium) == (step("RECOMPUTE_AT_REVIEW", "MEDIUM"),)
    assert actions(Tier.MEDIUM, medium) == actions(Tier.LOW, medium) == ()
    conflict = evaluated(changed("S07", plot(0, register_mu="200")))
    assert actions(Tier.HIGH, conflict) == (step("FREEZE_UNDRAWN", "CONFLICT"),)
    alone = evaluated(changed("S05", without("TAX")))
    assert actions(Tier.HIGH, alone) == (step("CANCEL_UNDRAWN_ENHANCEMENT", "UNVERIFIED"),)


def test_a_consent_that_ended_stops_new_draws() -> None:
    """The gate of S06 is closed without TAX; the contract runs on, nothing new is drawn."""
    found = evaluated(changed("S06", withdrawn))
    assert (found.findings, actions(Tier.HIGH, found)) == (None, (step("STOP_DRAWS", SourceKind.TAX),))


def test_companions_follow_the_class_and_say_why() -> None:
    """A maker without statements is TRADITIONAL; he paid no tax that the data show, and is rated B. A farmer is offered insurance. Nobody is offered what he has."""
    firm = {one.code: one.features for one in companions(evaluated(customer("S02")))}
    assert firm == {"S01": ("ss_tax_paid", "ss_tax_rating"), "PAYROLL": ("cs_headcount_avg",), "DEPOSITS": ("rr_net_operating_cash",)}
    other = replace(evaluated(customer("S02")), policy=load_policy("S06"))
    assert {one.code: one.features for one in companions(other)} == {**firm, "S02": ("sc_customer_count",)}
    assert [one.code for one in companions(evaluated(customer("S07")))] == ["CROP_INSURANCE"]
    assert [one.code for one in companions(evaluated(customer("S11")))] == ["S09", "IP_SERVICES"]
    assert companions(evaluated(changed("S05", without("BUREAU")))) == ()
