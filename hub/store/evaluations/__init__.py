"""Evaluations in the store: made from a dossier, kept as immutable rows, each naming everything it read.

policies    the dated policy documents that were published here, and which one applies on a day
drafts      policies before they are published, and their trials
portfolios  customers who are pre-screened, part by part
errands     what of these goes on behind evaluations
reference   what the lender knows or has configured, as a document
rows        an evaluation as rows
profile     what kind of customer it found, as a row
watch       what the models know beside that: the lender's loans, and what was when they were granted
model_rows  what the models say, and hints, as rows
keep        load, evaluate, write
signals     what monitoring tells, once
refresh     whom to evaluate anew
"""

from hub.store.evaluations.keep import Asked, Kept, dossiers_of, evaluate_customer, evaluate_customers
from hub.store.evaluations.policies import effective_policy, publish_policies
from hub.store.evaluations.reference import keep_reference, load_reference
from hub.store.evaluations.refresh import borrowers_to_watch, borrowers_told_of, customers_to_refresh, scenarios_to_refresh
from hub.store.evaluations.signals import keep_signals

__all__ = [
    "Asked",
    "Kept",
    "borrowers_to_watch",
    "borrowers_told_of",
    "customers_to_refresh",
    "dossiers_of",
    "effective_policy",
    "evaluate_customer",
    "evaluate_customers",
    "keep_reference",
    "keep_signals",
    "load_reference",
    "publish_policies",
    "scenarios_to_refresh",
]
