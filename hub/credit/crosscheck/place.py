"""Dimension L: identity, place and relations (domain brief, 4.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hub.credit.dossier import Dossier
from hub.credit.maths import hav
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BehaviourSession,
    BusinessRegistration,
    FarmHolding,
    FarmPlot,
    HouseholdRegistration,
    HousingFundAccount,
    PaymentAccount,
    Shop,
    SocialInsuranceContribution,
    TaxpayerProfile,
    VerifiedPlace,
)
from hub.domain.money import ZERO
from hub.domain.periods import china_day

FEWEST_HOLDERS = 2
DEVICE_DAYS = 90


def holders(dossier: Dossier) -> Decimal | None:
    """1 - matched / compared over the readable sources that name a holder; None with fewer than two of them."""
    named = _business_holders(dossier) if dossier.subject.is_business else _person_holders(dossier)
    named += [holder for one in dossier.of(FarmHolding)[:1] for holder in (one.register_holder, one.policy_holder)]
    compared = [holder for holder in named if holder is not None]
    if len(compared) < FEWEST_HOLDERS:
        return None
    matched = sum(1 for holder in compared if dossier.subject.has(holder))
    return 1 - Decimal(matched) / len(compared)


def settlement_held_by_another(dossier: Dossier) -> bool:
    """The account that receives the sales money belongs to another party."""
    return any(holder is not None and not dossier.subject.has(holder) for holder in [_settlement_holder(dossier)])


def _business_holders(dossier: Dossier) -> list[str | None]:
    registered = [one.responsible for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc]
    taxed = [one.holder for one in dossier.of(TaxpayerProfile)]
    shops = [one.owner for one in dossier.of(Shop)]
    return [*registered[:1], *taxed[:1], *shops[:1], _settlement_holder(dossier)]


def _person_holders(dossier: Dossier) -> list[str | None]:
    taxed = [one.holder for one in dossier.of(TaxpayerProfile)]
    insured = [one.person for one in dossier.of(SocialInsuranceContribution)]
    funds = [one.person for one in dossier.of(HousingFundAccount)]
    return [*taxed[:1], _settlement_holder(dossier), *insured[:1], *funds[:1]]


def _settlement_holder(dossier: Dossier) -> str | None:
    found = [one.holder for one in dossier.of(PaymentAccount) if one.role == "SETTLEMENT"]
    return found[0] if found else None


def place(dossier: Dossier) -> Decimal | MissingReason | None:
    """Kilometres from the registered or operating place, the nearer one, to the ship-from place; without a shop to the place verified on the spot."""
    if not dossier.subject.is_business:
        return MissingReason.NOT_APPLICABLE
    starts = [point for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc for point in _registered(one)]
    end = _ship_from(dossier) if dossier.readable(SourceKind.SHOP) else _verified(dossier)
    if not starts or end is None:
        return None
    return min(hav(*start, *end) for start in starts)


def _registered(one: BusinessRegistration) -> list[tuple[float, float]]:
    points = [(one.latitude, one.longitude), (one.operating_latitude, one.operating_longitude)]
    return [(latitude, longitude) for latitude, longitude in points if latitude is not None and longitude is not None]


def _ship_from(dossier: Dossier) -> tuple[float, float] | None:
    points = [(one.ship_from_latitude, one.ship_from_longitude) for one in dossier.of(Shop)]
    return next(((latitude, longitude) for latitude, longitude in points if latitude is not None and longitude is not None), None)


def _verified(dossier: Dossier) -> tuple[float, float] | None:
    places = sorted(dossier.of(VerifiedPlace), key=lambda one: one.verified_on)
    return (places[-1].latitude, places[-1].longitude) if places else None


def plots_from_home(dossier: Dossier) -> Decimal | None:
    """Kilometres from a farmer's home to the centre of his plots, weighted with their verified area."""
    person = dossier.subject.responsible_hash or dossier.subject.own_hash
    homes = [one for one in dossier.of(HouseholdRegistration) if one.person == person]
    plots = dossier.of(FarmPlot)
    area = float(sum((one.verified_area for one in plots), ZERO))
    if not homes or homes[0].home_latitude is None or homes[0].home_longitude is None or area <= 0:
        return None
    latitude = sum(one.latitude * float(one.verified_area) for one in plots) / area
    longitude = sum(one.longitude * float(one.verified_area) for one in plots) / area
    return hav(homes[0].home_latitude, homes[0].home_longitude, latitude, longitude)


def activity(dossier: Dossier) -> Decimal | None:
    """1 - share of the device sessions of the last 90 days that came from the operating city (for a person the city of residence)."""
    city = _operating_city(dossier)
    first = dossier.as_of - timedelta(days=DEVICE_DAYS)
    recent = [one for one in dossier.of(BehaviourSession) if first <= china_day(one.at) < dossier.as_of]
    if city is None or not recent:
        return None
    return 1 - Decimal(sum(1 for one in recent if one.city == city)) / len(recent)


def _operating_city(dossier: Dossier) -> str | None:
    if not dossier.subject.is_business:
        return dossier.subject.residence_city
    own = [one for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc]
    return (own[0].operating_city or own[0].city) if own else None
