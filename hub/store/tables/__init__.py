"""The hand-written tables: who is a customer, what was consented, connected, fetched, evaluated, asked.

Facts have tables of their own (:mod:`hub.store.fact_tables`). A table with ``info={"owner": "customer"}`` belongs to a customer: its
primary key begins with ``customer_id`` and row-level security applies to it.
"""

from hub.store.tables.assessments import connector_assessment
from hub.store.tables.audit import audit_anchor, audit_event
from hub.store.tables.changes import profile_change
from hub.store.tables.clients import access_log, client, cost_ledger, idempotency_key, signing_key, trusted_document, used_token_id
from hub.store.tables.connections import (
    backfill_window,
    connection,
    credential,
    quarantine,
    raw_page,
    revocation,
    sync_event,
    sync_run,
    sync_window,
)
from hub.store.tables.consents import authorisation_attempt, consent, consent_app, consent_event, consent_fetch, link_session, refusal
from hub.store.tables.disputes import dispute
from hub.store.tables.erasure import tombstone
from hub.store.tables.events import inbound_event, touched_days
from hub.store.tables.history import fact_mark, record_shape, replay, window_keys
from hub.store.tables.lending import evaluation_hint, loan_status, model_result, monitoring_signal
from hub.store.tables.months import shop_month
from hub.store.tables.people import customer, customer_client, customer_merge, data_key, identity_event, party
from hub.store.tables.portfolios import portfolio_count, portfolio_part, portfolio_result, portfolio_screening
from hub.store.tables.quota import quota_ledger
from hub.store.tables.reference import customer_relation, reference_version, relation
from hub.store.tables.reports import concentration_row, fairness_cell
from hub.store.tables.reproduction import evaluation_inputs, window_before
from hub.store.tables.results import (
    EVIDENCE_LAW,
    check_result,
    evaluation,
    evaluation_profile,
    evidence_kind,
    feature_evidence,
    feature_value,
    limit_part,
    policy,
    policy_approval,
    policy_draft,
    policy_end,
    policy_trial,
    reason_text,
    reference_data,
    score_point,
    series_month,
)

__all__ = [
    "EVIDENCE_LAW",
    "access_log",
    "audit_anchor",
    "audit_event",
    "authorisation_attempt",
    "backfill_window",
    "check_result",
    "client",
    "concentration_row",
    "connection",
    "connector_assessment",
    "consent",
    "consent_app",
    "consent_event",
    "consent_fetch",
    "cost_ledger",
    "credential",
    "customer",
    "customer_client",
    "customer_merge",
    "customer_relation",
    "data_key",
    "dispute",
    "evaluation",
    "evaluation_hint",
    "evaluation_inputs",
    "evaluation_profile",
    "evidence_kind",
    "fact_mark",
    "fairness_cell",
    "feature_evidence",
    "feature_value",
    "idempotency_key",
    "identity_event",
    "inbound_event",
    "limit_part",
    "link_session",
    "loan_status",
    "model_result",
    "monitoring_signal",
    "party",
    "policy",
    "policy_approval",
    "policy_draft",
    "policy_end",
    "policy_trial",
    "portfolio_count",
    "portfolio_part",
    "portfolio_result",
    "portfolio_screening",
    "profile_change",
    "quarantine",
    "quota_ledger",
    "raw_page",
    "reason_text",
    "record_shape",
    "reference_data",
    "reference_version",
    "refusal",
    "relation",
    "replay",
    "revocation",
    "score_point",
    "series_month",
    "shop_month",
    "signing_key",
    "sync_event",
    "sync_run",
    "sync_window",
    "tombstone",
    "touched_days",
    "trusted_document",
    "used_token_id",
    "window_before",
    "window_keys",
]
