"""Evaluations in the store: made from a dossier, kept as immutable rows, each naming everything it read.

policies    the dated policy documents that were published here, and which one applies on a day
drafts      policies before they are published, and their trials
portfolios  customers who are pre-screened, part by part
errands     what of these goes on behind evaluations
reference   what the lender knows or has configured, as a document
rows        an evaluation as rows
profile     what kind of customer it found, as a row
keep        load, evaluate, write
"""

from hub.store.evaluations.keep import (
    Asked,
    Kept,
    customers_to_refresh,
    dossiers_of,
    evaluate_customer,
    evaluate_customers,
    scenarios_to_refresh,
)
from hub.store.evaluations.policies import effective_policy, publish_policies
from hub.store.evaluations.reference import keep_reference, load_reference

__all__ = [
    "Asked",
    "Kept",
    "customers_to_refresh",
    "dossiers_of",
    "effective_policy",
    "evaluate_customer",
    "evaluate_customers",
    "keep_reference",
    "load_reference",
    "publish_policies",
    "scenarios_to_refresh",
]
