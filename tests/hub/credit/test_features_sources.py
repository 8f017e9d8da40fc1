"""Which sources may be used and what they cover: consent, connection, windows, staleness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.connect.message import Interval
from hub.consent.gate import GivenConsent
from hub.credit.dossier import SourceState
from hub.credit.parameters import parameters
from hub.credit.sources import (
    HeldConnection,
    HeldConsent,
    HeldWindow,
    Holdings,
    Use,
    clipped,
    intersection,
    is_stale,
    tax_is_stale,
    union,
)
from hub.domain.enums import ConnectionStatus, ConsentStatus, MissingReason, SourceKind
from hub.domain.facts import TaxpayerProfile
from tests.hub.credit.made import AS_OF, KNOWN_AT, covering, fact, made, state
from tests.hub.credit.test_features_sales import returned

N, K = MissingReason, SourceKind
ONE, TWO = UUID(int=1), UUID(int=2)
USE = Use("lender", "CREDIT_APPROVAL", "S03", AS_OF, KNOWN_AT)
EVENING = Interval(date(2025, 1, 1), date(2026, 1, 19))


def consent(kind: SourceKind = K.PAYMENT, *, status: ConsentStatus = ConsentStatus.ACTIVE, changed: int = 0, **more: Any) -> HeldConsent:
    base = GivenConsent(
        source=kind,
        grantee="lender",
        purpose="CREDIT_APPROVAL",
        scenarios=frozenset({"S03"}),
        status=status,
        data_from=date(2015, 1, 1),
        data_to=date(2027, 1, 1),
        expires_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    return HeldConsent(replace(base, **more), KNOWN_AT - timedelta(days=10 - changed))


def linked(*kinds: SourceKind, id: UUID = ONE, status: ConnectionStatus = ConnectionStatus.ACTIVE) -> HeldConnection:
    return HeldConnection(id, frozenset(kinds), status)


def window(kind: SourceKind, name: str, *covered: Interval, id: UUID = ONE, served: bool = True) -> HeldWindow:
    return HeldWindow(id, kind, frozenset({name}), covered, served)


def days(first: str, last: str) -> Interval:
    return Interval(date.fromisoformat(first), date.fromisoformat(last))


PAID = window(K.PAYMENT, "PaymentTransaction", EVENING)


def payment(*consents: HeldConsent, windows: tuple[HeldWindow, ...] = (PAID,), **link: Any) -> SourceState:
    return Holdings(consents, [linked(K.PAYMENT, **link)], windows).states(USE)[K.PAYMENT]


def test_a_source_that_was_asked_for_given_and_fetched_is_readable() -> None:
    assert payment(consent()) == SourceState(K.PAYMENT, None, (EVENING,), date(2026, 1, 19))


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ((), N.NOT_CONNECTED),
        ((consent(status=ConsentStatus.PENDING),), N.CONSENT_MISSING),
        ((consent(status=ConsentStatus.PAUSED),), N.CONSENT_PAUSED),
        ((consent(status=ConsentStatus.REVOKED),), N.CONSENT_REVOKED),
        ((consent(status=ConsentStatus.EXPIRED),), N.CONSENT_EXPIRED),
        ((consent(expires_at=KNOWN_AT),), N.CONSENT_EXPIRED),
        ((consent(scenarios=frozenset({"S01"})),), N.CONSENT_PURPOSE),
        ((consent(purpose="POST_LOAN"),), N.CONSENT_PURPOSE),
        ((consent(grantee="another bank"),), N.CONSENT_MISSING),
        ((consent(K.TAX),), N.NOT_CONNECTED),
        ((consent(status=ConsentStatus.REVOKED), consent(changed=1)), None),
        ((consent(), consent(status=ConsentStatus.REVOKED, purpose="POST_LOAN", changed=1)), None),
        ((consent(status=ConsentStatus.REVOKED), consent(status=ConsentStatus.PENDING, changed=1)), N.CONSENT_MISSING),
    ],
)
def test_consent_decides_first(held: tuple[HeldConsent, ...], reason: MissingReason | None) -> None:
    found = payment(*held)
    assert found.reason is reason
    assert bool(found.intervals) == (reason is None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ConnectionStatus.ACTIVE, None),
        (ConnectionStatus.REAUTHORISE, None),
        (ConnectionStatus.LINKING, N.NOT_CONNECTED),
        (ConnectionStatus.DISCONNECTED, N.NOT_CONNECTED),
    ],
)
def test_what_was_fetched_stays_until_it_is_stale(status: ConnectionStatus, reason: MissingReason | None) -> None:
    assert payment(consent(), status=status).reason is reason


def test_a_connection_that_covers_nothing_is_an_upstream_error() -> None:
    failed = window(K.PAYMENT, "PaymentTransaction")
    assert payment(consent(), windows=(failed,)).reason is N.UPSTREAM_ERROR
    assert payment(consent(), windows=()).reason is N.UPSTREAM_ERROR


def test_the_data_end_decides_staleness() -> None:
    """Transactions: five days. Of a stale source nothing is covered, its data end stays known."""
    fresh, stale = (window(K.PAYMENT, "PaymentTransaction", days("2025-01-01", end)) for end in ("2026-01-15", "2026-01-14"))
    assert payment(consent(), windows=(fresh,)).reason is None
    assert payment(consent(), windows=(stale,)) == SourceState(K.PAYMENT, N.STALE, (), date(2026, 1, 14))


@pytest.mark.parametrize("kind", sorted(parameters().staleness))
def test_every_limit_is_exact(kind: SourceKind) -> None:
    limit = parameters().staleness[kind]
    at_limit = SourceState(kind, None, (), AS_OF - timedelta(days=limit))
    assert not is_stale(at_limit, AS_OF)
    assert is_stale(replace(at_limit, data_end=AS_OF - timedelta(days=limit + 1)), AS_OF)


def test_every_source_but_tax_has_a_limit() -> None:
    assert set(parameters().staleness) == set(SourceKind) - {K.TAX}


def test_days_outside_the_consented_range_are_not_covered() -> None:
    found = payment(consent(data_from=date(2025, 6, 1)))
    assert found.intervals == (days("2025-06-01", "2026-01-19"),)


# What a source covers


def test_adjacent_windows_are_one_interval_and_a_hole_stays() -> None:
    windows = tuple(
        window(K.PAYMENT, "PaymentTransaction", days(*pair))
        for pair in [("2025-02-01", "2025-02-28"), ("2025-01-01", "2025-01-31"), ("2025-04-01", "2026-01-19")]
    )
    assert payment(consent(), windows=windows).intervals == (days("2025-01-01", "2025-02-28"), days("2025-04-01", "2026-01-19"))


def covered(kind: SourceKind, *windows: HeldWindow, connections: tuple[HeldConnection, ...] = ()) -> tuple[Interval, ...]:
    return Holdings((), connections or (linked(kind),), windows).covered(kind)


def test_all_recording_kinds_must_be_complete() -> None:
    long, short = days("2024-01-01", "2026-01-19"), days("2025-01-01", "2025-12-31")
    returns, payments = window(K.TAX, "TaxReturn", long), window(K.TAX, "TaxPayment", short)
    assert covered(K.TAX, returns, payments) == (short,)
    assert covered(K.TAX, returns) == (long,)
    assert covered(K.TAX, returns, window(K.TAX, "PersonalIncome", short)) == (long,)
    assert covered(K.TAX, returns, window(K.TAX, "TaxPayment")) == ()
    assert covered(K.TAX, returns, window(K.TAX, "TaxPayment", served=False)) == (long,)


def test_a_source_without_recording_kinds_goes_by_what_it_has() -> None:
    assert covered(K.HOUSING_FUND, window(K.HOUSING_FUND, "HousingFundAccount", EVENING)) == (EVENING,)


def test_a_shop_is_covered_by_orders_with_refunds_or_by_summaries() -> None:
    orders, refunds = window(K.SHOP, "Order", days("2025-10-01", "2026-01-19")), window(K.SHOP, "Refund", days("2025-11-01", "2026-01-19"))
    summary = window(K.SHOP, "ShopMonthlySummary", days("2024-01-01", "2025-10-31"))
    assert covered(K.SHOP, orders, refunds) == (days("2025-11-01", "2026-01-19"),)
    assert covered(K.SHOP, orders, refunds, summary) == (days("2024-01-01", "2026-01-19"),)
    holdings = Holdings((), (linked(K.SHOP),), (orders, refunds, summary))
    assert holdings.single_orders(ONE) == (days("2025-11-01", "2026-01-19"),)
    assert Holdings((), (linked(K.SHOP),), (summary,)).single_orders(ONE) == ()


def test_with_two_connections_a_day_must_be_covered_by_both() -> None:
    both = (linked(K.PAYMENT), linked(K.PAYMENT, id=TWO))
    other = window(K.PAYMENT, "PaymentTransaction", days("2025-07-01", "2026-01-10"), id=TWO)
    assert covered(K.PAYMENT, PAID, other, connections=both) == (days("2025-07-01", "2026-01-10"),)
    assert covered(K.PAYMENT, PAID, connections=both) == (EVENING,)


def test_interval_arithmetic() -> None:
    a, b = days("2025-01-01", "2025-01-31"), days("2025-01-15", "2025-02-10")
    assert union([[b], [a]]) == (days("2025-01-01", "2025-02-10"),)
    assert intersection([[a], [b]]) == (days("2025-01-15", "2025-01-31"),)
    assert intersection([]) == intersection([[a], []]) == ()
    assert clipped([a], date(2025, 1, 31), date(2025, 12, 31)) == (days("2025-01-31", "2025-01-31"),)


# TAX goes by its periods


def tax(frequency: str, last_filed: str, end: str, months: int = 1) -> bool:
    """Whether TAX is stale with one return, of the period that ends in a month, and data up to a day."""
    known = state(K.TAX, Interval(date(2024, 1, 1), date.fromisoformat(end)))
    return tax_is_stale(made(fact(TaxpayerProfile, vat_frequency=frequency), returned(last_filed, 1, months), states=(known,)))


def test_tax_is_stale_when_a_period_is_neither_filed_nor_known_as_missed() -> None:
    """As of 20 January: October, due on 15 November, is 66 days past due; November only 36."""
    assert not tax("MONTH", "2025-10", "2025-11-14")
    assert tax("MONTH", "2025-09", "2025-11-14")
    assert not tax("MONTH", "2025-09", "2025-11-15")


def test_a_quarter_is_due_after_its_last_month() -> None:
    assert not tax("QUARTER", "2025-09", "2025-10-14", 3)
    assert tax("QUARTER", "2025-06", "2025-10-14", 3)
    assert not tax("QUARTER", "2025-06", "2025-10-15", 3)


def test_tax_is_not_stale_before_its_first_period_or_for_a_person() -> None:
    young = state(K.TAX, *covering("2025-12", date(2025, 12, 2)))
    assert not tax_is_stale(made(fact(TaxpayerProfile, vat_frequency="MONTH"), states=(young,)))
    ended = state(K.TAX, Interval(date(2024, 1, 1), date(2025, 8, 1)))
    assert tax_is_stale(made(fact(TaxpayerProfile, vat_frequency="MONTH"), states=(ended,)))
    assert not tax_is_stale(made(fact(TaxpayerProfile, vat_frequency="MONTH"), states=(ended,), uscc=None))
