"""What stands in plain text in the store by intention, and why. Everything else that is found there is a leak."""

from __future__ import annotations

from collections.abc import Mapping

REGISTER = "registers publish it: a business is found by it, and facts of several platforms are joined by it. A natural person's number in the same place is hashed (ADR 59)"
SHOP = "what the shop is called in public, at its marketplace"

PLAIN: Mapping[str, Mapping[str, str]] = {
    "code": {
        "customer.uscc": REGISTER,
        "fact_business_registration.uscc": REGISTER,
        "fact_business_registration.source_key": REGISTER,
        "fact_taxpayer_profile.taxpayer_number": REGISTER,
        "fact_taxpayer_profile.uscc": REGISTER,
        "fact_social_insurance_contribution.employer": REGISTER,
        "fact_social_insurance_enrolment.employer": REGISTER,
        "fact_employer_social_insurance_month.employer": REGISTER,
        "fact_personal_income.payer": REGISTER,
        "fact_taxpayer_profile.source_key": REGISTER,
        "fact_employer_social_insurance_month.source_key": REGISTER,
        "fact_invoice.seller": REGISTER,
        "fact_invoice.buyer": REGISTER,
        "reference_data.document": "the lender's own lists of businesses",
        "reference_version.document": "the lender's own lists of businesses",
        **{f"{table}.{end}": REGISTER for table in ("relation", "customer_relation") for end in ("from_uscc", "to_uscc")},
    },
    "business": {"fact_business_registration.name": REGISTER},
    "shop": {"fact_shop.name": SHOP, "raw_page.request": SHOP},
}
"""Kind of canary -> column -> reason. Of these kinds the files of the database hold what the dump shows, and are not looked through for them; of all the others nothing
is plain anywhere.
"""
