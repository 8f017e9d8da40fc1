"""One pure function decides, for fetching and for reading: a table of decisions, and hundreds of random lives of a consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.consent import gate
from hub.consent.gate import Ask, Fetches, GivenConsent, Use, decide
from hub.domain.enums import ConsentMode, ConsentStatus, FetchType, MissingReason, SourceKind

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
FIRST, LAST = date(2024, 1, 1), date(2026, 6, 30)
GIVEN = GivenConsent(
    source=SourceKind.TAX,
    grantee="bank",
    purpose="CREDIT_APPROVAL",
    scenarios=frozenset({"S03"}),
    status=ConsentStatus.ACTIVE,
    data_from=FIRST,
    data_to=LAST,
    expires_at=NOW + timedelta(days=1),
)
ASK = Ask(SourceKind.TAX, "bank", "CREDIT_APPROVAL", "S03", FIRST, LAST)
DAY = timedelta(days=1)

TABLE: list[tuple[dict[str, Any], dict[str, Any], MissingReason | None]] = [
    ({}, {}, None),
    ({}, {"scenario": None, "first": None, "last": None}, None),
    ({"expires_at": None}, {}, None),
    ({"scenarios": frozenset({"S01", "S03"})}, {}, None),
    ({}, {"first": LAST, "last": LAST}, None),
    ({"status": ConsentStatus.PENDING}, {}, MissingReason.CONSENT_MISSING),
    ({"status": ConsentStatus.PAUSED}, {}, MissingReason.CONSENT_PAUSED),
    ({"status": ConsentStatus.SUPERSEDED}, {}, MissingReason.CONSENT_MISSING),
    ({"status": ConsentStatus.REVOKED}, {}, MissingReason.CONSENT_REVOKED),
    ({"status": ConsentStatus.EXPIRED}, {}, MissingReason.CONSENT_EXPIRED),
    ({"status": ConsentStatus.REVOKED, "expires_at": NOW - DAY}, {}, MissingReason.CONSENT_REVOKED),
    ({"expires_at": NOW}, {}, MissingReason.CONSENT_EXPIRED),
    ({"expires_at": NOW - timedelta(microseconds=1)}, {}, MissingReason.CONSENT_EXPIRED),
    ({"expires_at": NOW + timedelta(microseconds=1)}, {}, None),
    ({}, {"source": SourceKind.INVOICE}, MissingReason.CONSENT_MISSING),
    ({}, {"grantee": "another bank"}, MissingReason.CONSENT_MISSING),
    ({}, {"purpose": "POST_LOAN"}, MissingReason.CONSENT_PURPOSE),
    ({}, {"scenario": "S01"}, MissingReason.CONSENT_PURPOSE),
    ({"scenarios": frozenset()}, {}, MissingReason.CONSENT_PURPOSE),
    ({}, {"first": FIRST - DAY}, MissingReason.CONSENT_RANGE),
    ({}, {"last": LAST + DAY}, MissingReason.CONSENT_RANGE),
    ({}, {"first": LAST + DAY, "last": None}, MissingReason.CONSENT_RANGE),
    ({}, {"first": None, "last": FIRST - DAY}, MissingReason.CONSENT_RANGE),
    ({"mode": ConsentMode.VIEW}, {}, None),
    ({"mode": ConsentMode.VIEW}, {"use": Use.FETCH}, MissingReason.CONSENT_PURPOSE),
    ({"mode": ConsentMode.STREAM}, {"use": Use.FETCH}, None),
    ({"mode": ConsentMode.QUERY}, {}, MissingReason.CONSENT_PURPOSE),
    ({"mode": ConsentMode.QUERY}, {"use": Use.FETCH}, MissingReason.CONSENT_PURPOSE),
    ({"kinds": frozenset({"TaxReturn"})}, {}, None),
    ({"kinds": frozenset({"TaxReturn"})}, {"kinds": frozenset({"TaxReturn"})}, None),
    ({"kinds": frozenset({"TaxReturn"})}, {"kinds": frozenset({"TaxReturn", "TaxPayment"})}, MissingReason.CONSENT_KIND),
    ({"kinds": frozenset()}, {"kinds": frozenset({"TaxReturn"})}, MissingReason.CONSENT_KIND),
    ({"life": DAY}, {"learned": NOW - DAY}, MissingReason.CONSENT_RANGE),
    ({"life": DAY}, {"learned": NOW - DAY + timedelta(microseconds=1)}, None),
    ({"life": None}, {"learned": NOW - 9999 * DAY}, None),
    ({"fetch": FetchType.ONETIME}, {"before": Fetches(0, 0)}, None),
    ({"fetch": FetchType.ONETIME}, {"before": Fetches(0, 1)}, MissingReason.CONSENT_FREQUENCY),
    ({"fetch": FetchType.ONETIME}, {}, None),
    ({"per_day": 2}, {"before": Fetches(1, 9)}, None),
    ({"per_day": 2}, {"before": Fetches(2, 2)}, MissingReason.CONSENT_FREQUENCY),
    ({"per_day": None}, {"before": Fetches(999, 999)}, None),
    ({"status": ConsentStatus.REVOKED}, {"first": FIRST - DAY, "purpose": "POST_LOAN"}, MissingReason.CONSENT_REVOKED),
]


@pytest.mark.parametrize(("given", "ask", "denial"), TABLE)
@pytest.mark.law("征信业管理条例 10: one lender", "征信业管理条例 18: agreed use")
def test_the_table_of_decisions(given: dict[str, Any], ask: dict[str, Any], denial: MissingReason | None) -> None:
    decision = decide(replace(GIVEN, **given), replace(ASK, **ask), NOW)
    assert (decision.denial, decision.allowed) == (denial, denial is None)


@pytest.mark.law("征信业管理条例 13: consent")
def test_no_consent_is_a_denial_with_a_reason() -> None:
    assert decide(None, ASK, NOW).denial is MissingReason.NOT_CONNECTED


def test_every_status_is_decided() -> None:
    allowed = [status for status in ConsentStatus if decide(replace(GIVEN, status=status), ASK, NOW).allowed]
    assert allowed == [ConsentStatus.ACTIVE]


def test_the_table_notices_a_range_that_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a gate that lets every range pass decides otherwise in this table."""
    monkeypatch.setattr(gate, "_is_within", lambda consent, ask: True)
    wrong = [row for row in TABLE if decide(replace(GIVEN, **row[0]), replace(ASK, **row[1]), NOW).denial is not row[2]]
    assert len(wrong) == 4


class LifeOfAConsent(RuleBasedStateMachine):
    """A consent lives, the clock runs on, somebody asks: what is allowed is exactly what a plain reading of the rules allows."""

    def __init__(self) -> None:
        super().__init__()
        self.consent, self.now, self.ended = replace(GIVEN, status=ConsentStatus.PENDING), NOW, False

    @rule()
    def give(self) -> None:
        if self.consent.status is ConsentStatus.PENDING:
            self.consent = replace(self.consent, status=ConsentStatus.ACTIVE)

    @rule(status=st.sampled_from([ConsentStatus.REVOKED, ConsentStatus.EXPIRED]))
    def end(self, status: ConsentStatus) -> None:
        if self.consent.status in (ConsentStatus.PENDING, ConsentStatus.ACTIVE):
            self.consent, self.ended = replace(self.consent, status=status), True

    @rule()
    def pause_or_resume(self) -> None:
        turned = {ConsentStatus.ACTIVE: ConsentStatus.PAUSED, ConsentStatus.PAUSED: ConsentStatus.ACTIVE}
        self.consent = replace(self.consent, status=turned.get(self.consent.status, self.consent.status))

    @rule(hours=st.integers(0, 12))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(
        source=st.sampled_from([SourceKind.TAX, SourceKind.TAX, SourceKind.SHOP]),
        purpose=st.sampled_from(["CREDIT_APPROVAL", "CREDIT_APPROVAL", "POST_LOAN"]),
        first=st.none() | st.dates(FIRST - 3 * DAY, LAST + 3 * DAY),
        length=st.none() | st.integers(0, 900),
    )
    def ask(self, source: SourceKind, purpose: str, first: date | None, length: int | None) -> None:
        last = None if first is None or length is None else first + timedelta(days=length)
        allowed = decide(self.consent, Ask(source, "bank", purpose, "S03", first, last), self.now).allowed
        inside = all(FIRST <= day <= LAST for day in (first, last) if day)
        in_force = self.consent.status is ConsentStatus.ACTIVE and not self.ended and self.now < NOW + DAY
        assert allowed is (in_force and inside and source is SourceKind.TAX and purpose == "CREDIT_APPROVAL")

    @invariant()
    def what_has_ended_allows_nothing(self) -> None:
        if self.ended or self.now >= NOW + DAY:
            assert not decide(self.consent, ASK, self.now).allowed


LifeOfAConsent.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLifeOfAConsent = LifeOfAConsent.TestCase
