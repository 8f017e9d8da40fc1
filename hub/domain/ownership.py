"""Whose an account at a platform is: what the platform says of its owner, beside who the customer is.

Hashes are the keyed hashes of the store (:mod:`hub.vault.blind`): one family for every USCC and resident ID, so that they compare across platforms. This is the
one place that says what counts as the customer's own; the store says it again in SQL (:mod:`hub.store.view.ownership`), and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.enums import SourceKind


class OwnerStanding(StrEnum):
    """Whose account a platform says it is.

    MATCHES: the customer's own. IS_A_PARTY: of a person in a role at the customer today (the operator, the spouse ...). DIFFERS: somebody else's. UNKNOWN: the
    platform has said nothing yet, or nothing that may be read.
    """

    MATCHES = "MATCHES"
    IS_A_PARTY = "IS_A_PARTY"
    DIFFERS = "DIFFERS"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class OwnerField:
    """A kind of fact that says whose the account is: in a personal field, in a field with a plain USCC, or in both.

    ``own_code``: the fact lists others' codes as well (a register does); only rows with the customer's own say anything.
    """

    kind: str
    source: SourceKind
    person: str | None
    uscc: str | None = None
    own_code: bool = False


OWNER_FIELDS = (
    OwnerField("Shop", SourceKind.SHOP, "owner"),
    OwnerField("PaymentAccount", SourceKind.PAYMENT, "holder"),
    OwnerField("TaxpayerProfile", SourceKind.TAX, "holder", "uscc"),
    OwnerField("BusinessRegistration", SourceKind.REGISTRATION, "responsible", "uscc", own_code=True),
    OwnerField("SocialInsuranceEnrolment", SourceKind.SOCIAL_INSURANCE, "person"),
    OwnerField("HousingFundAccount", SourceKind.HOUSING_FUND, "person"),
    OwnerField("CreditAccount", SourceKind.BUREAU, "borrower"),
    OwnerField("FarmHolding", SourceKind.FARM, "register_holder"),
)
"""What platforms call their account's owner. Facts about others (a buyer, an employee's pay) are none of them."""


def standing(owners: Iterable[str | None], subject: str, parties: Collection[str | None]) -> OwnerStanding:
    """Of everything a platform said: one stranger is enough to differ, one mention of the subject to match. A None says nothing."""
    named = {owner for owner in owners if owner is not None}
    if not named:
        return OwnerStanding.UNKNOWN
    if named - {subject, *parties}:
        return OwnerStanding.DIFFERS
    return OwnerStanding.MATCHES if subject in named else OwnerStanding.IS_A_PARTY
