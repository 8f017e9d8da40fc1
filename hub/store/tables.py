"""The hand-written tables: who is a customer, what was consented, connected, fetched, evaluated, asked.

Facts have tables of their own (:mod:`hub.store.fact_tables`). A table with ``info={"owner": "customer"}`` belongs to a customer: its
primary key begins with ``customer_id`` and row-level security applies to it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Numeric, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, JSONB, UUID

from hub.store.metadata import customer_key, document, instant, metadata, text, uid

OWNED: dict[str, Any] = {"owner": "customer"}


def _texts(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=sql("'{}'"))


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default=sql("0"))


# --- who -------------------------------------------------------------------------------------------------------------------------

customer = Table(
    "customer",
    metadata,
    customer_key(),
    text("kind", comment="ORG or PERSON"),
    text("name_masked"),
    text("uscc", nullable=True),
    text("subject_hash", comment="keyed hash of the USCC or resident ID: the join key across platforms"),
    instant("created_at"),
    Index("uq_customer_subject", "subject_hash", unique=True),
    info=OWNED,
)

party = Table(
    "party",
    metadata,
    customer_key(),
    uid("party_id", primary_key=True),
    text("role", comment="SUBJECT, OPERATOR or LEGAL_REP"),
    text("name_masked"),
    text("id_hash"),
    text("id_masked"),
    Column("birth_on", Date, nullable=True),
    Column("identity", LargeBinary, nullable=False, comment="sealed {name, identifier}"),
    info=OWNED,
)

customer_client = Table(
    "customer_client",
    metadata,
    customer_key(),
    text("client_id", primary_key=True, comment="a client that may see this customer"),
    info=OWNED,
)

data_key = Table(
    "data_key",
    metadata,
    customer_key(),
    uid("key_id", primary_key=True),
    Column("wrapped", LargeBinary, nullable=True, comment="null once destroyed: what it sealed is unreadable for good"),
    text("kek_id"),
    instant("created_at"),
    instant("destroyed_at", nullable=True),
    info=OWNED,
)

# --- by which consent ----------------------------------------------------------------------------------------------------------

consent = Table(
    "consent",
    metadata,
    customer_key(),
    uid("consent_id", primary_key=True),
    text("source"),
    text("connector"),
    text("grantee"),
    text("purpose"),
    _texts("scenarios"),
    Column("data_from", Date, nullable=False),
    Column("data_to", Date, nullable=False),
    text("status"),
    instant("starts_at", nullable=True),
    instant("expires_at", nullable=True),
    Column("data_life_days", Integer, nullable=False),
    Column("written", Boolean, nullable=False),
    Column("adverse_notice", Boolean, nullable=False),
    text("text_version"),
    text("text_hash", comment="hex SHA-256 of the consent text shown"),
    document("evidence"),
    instant("changed_at"),
    Index(
        "uq_consent_source",
        "customer_id",
        "source",
        "grantee",
        "purpose",
        unique=True,
        postgresql_where=sql("status IN ('PENDING', 'ACTIVE', 'PAUSED')"),
    ),
    info=OWNED,
)

consent_event = Table(
    "consent_event",
    metadata,
    customer_key(),
    uid("event_id", primary_key=True),
    uid("consent_id"),
    text("from_status", nullable=True),
    text("to_status"),
    text("actor"),
    instant("at"),
    info=OWNED,
)

link_session = Table(
    "link_session",
    metadata,
    customer_key(),
    uid("link_id", primary_key=True),
    text("token_hash", unique=True),
    text("client_id"),
    text("grantee"),
    text("purpose"),
    _texts("scenarios"),
    text("return_url"),
    text("browser_hash", nullable=True, comment="bound to the first browser that opens it"),
    text("status", comment="OPEN, DONE or EXPIRED"),
    instant("expires_at"),
    instant("created_at"),
    info=OWNED,
)

authorisation_attempt = Table(
    "authorisation_attempt",
    metadata,
    customer_key(),
    text("state_hash", primary_key=True),
    uid("link_id"),
    uid("connection_id"),
    Column("verifier", LargeBinary, nullable=False, comment="sealed PKCE verifier"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    Index("uq_authorisation_attempt_state", "state_hash", unique=True),
    info=OWNED,
)

# --- connected and fetched -------------------------------------------------------------------------------------------------------

connection = Table(
    "connection",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("connector"),
    text("status"),
    text("account_hash", nullable=True, comment="keyed hash of the account at the platform"),
    Column("epoch", BigInteger, nullable=False, server_default=sql("0")),
    instant("lease_until", nullable=True),
    instant("due_at", nullable=True, comment="database time at which the next sync is due; null: not scheduled"),
    text("last_verdict", nullable=True),
    text("last_fault", nullable=True, comment="class of the fault that ended the last run"),
    text("last_fault_detail", nullable=True, comment="what the fault said; never a value"),
    instant("created_at"),
    Index("uq_connection_connector", "customer_id", "connector", unique=True),
    Index("ix_connection_due", "due_at", postgresql_where=sql("due_at IS NOT NULL")),
    info=OWNED,
)

credential = Table(
    "credential",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="sealed Grant"),
    text("state", comment="valid, exchanging, unknown, reauth_required or revoked"),
    Column("epoch", BigInteger, nullable=False, server_default=sql("0")),
    instant("exchanging_since", nullable=True),
    instant("expires_at", nullable=True),
    instant("refreshed_at"),
    info=OWNED,
)

sync_run = Table(
    "sync_run",
    metadata,
    customer_key(),
    uid("run_id", primary_key=True),
    uid("connection_id"),
    Column("epoch", BigInteger, nullable=False),
    instant("started_at"),
    instant("ended_at", nullable=True),
    text("verdict", nullable=True),
    _count("requests"),
    _count("fetched"),
    _count("stored"),
    _count("unchanged"),
    _count("quarantined"),
    _count("rejected"),
    _count("windows_planned"),
    _count("windows_done"),
    text("fault", nullable=True),
    text("fault_detail", nullable=True),
    Index("ix_sync_run_connection", "customer_id", "connection_id", "started_at"),
    info=OWNED,
)

sync_window = Table(
    "sync_window",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("stream", primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, nullable=False),
    text("source"),
    _texts("kinds"),
    text("state", comment="OPEN, DONE, NOT_SERVED (out of the platform's reach) or FAILED"),
    Column("cursor", JSONB, nullable=True),
    _count("pages"),
    _count("fetched"),
    _count("stored"),
    _count("unchanged"),
    _count("quarantined"),
    _count("rejected"),
    Column("declared_total", BigInteger, nullable=True),
    Column("covered", DATEMULTIRANGE, nullable=True, comment="days the facts of this window are complete for"),
    text("reason", nullable=True),
    uid("run_id"),
    instant("completed_at", nullable=True, comment="business time"),
    info=OWNED,
)

raw_page = Table(
    "raw_page",
    metadata,
    customer_key(),
    uid("page_id", primary_key=True),
    uid("connection_id"),
    uid("consent_id"),
    uid("run_id"),
    text("stream"),
    Column("first_day", Date, nullable=False),
    document("request", comment="the unsigned request: method, path, query, body hash"),
    Column("status", Integer, nullable=False),
    text("content_type", nullable=True),
    instant("fetched_at", comment="real time"),
    text("sha256", comment="hex SHA-256 of the bytes as received"),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed, zstd-compressed bytes"),
    info=OWNED,
)

quarantine = Table(
    "quarantine",
    metadata,
    customer_key(),
    uid("record_id", primary_key=True),
    uid("page_id"),
    Column("position", Integer, nullable=False),
    text("stream"),
    text("path"),
    text("reason"),
    Column("body", LargeBinary, nullable=False, comment="sealed record"),
    instant("at"),
    instant("resolved_at", nullable=True),
    info=OWNED,
)

# --- what follows ----------------------------------------------------------------------------------------------------------------

policy = Table(
    "policy",
    metadata,
    text("policy_id", primary_key=True),
    text("version", primary_key=True),
    text("sha256"),
    Column("effective_from", Date, nullable=False),
    document("document"),
    instant("published_at"),
)

reference_data = Table(
    "reference_data",
    metadata,
    text("name", primary_key=True),
    document("document", comment="what the lender knows or has configured: its name, margin bands, whitelists"),
    instant("changed_at"),
)


def _amount(name: str) -> Column[Any]:
    return Column(name, Numeric(18, 2), nullable=True)


def _rate(name: str) -> Column[Any]:
    return Column(name, Numeric(9, 4), nullable=True)


evaluation = Table(
    "evaluation",
    metadata,
    customer_key(),
    uid("evaluation_id", primary_key=True),
    text("scenario"),
    text("policy_id"),
    text("policy_version"),
    text("policy_sha256"),
    Column("as_of", Date, nullable=False),
    instant("known_at"),
    text("request_purpose"),
    _amount("requested_amount"),
    text("outcome"),
    text("tier", nullable=True),
    Column("tau", Numeric(3, 1), nullable=True),
    _rate("consistency"),
    _rate("coverage"),
    _amount("verified_revenue"),
    Column("score", Integer, nullable=True),
    text("grade", nullable=True),
    _rate("probability_of_default"),
    _amount("base_limit"),
    _amount("final_limit"),
    _amount("enhancement"),
    _rate("base_rate"),
    _rate("rate"),
    _rate("risk_adjusted_margin"),
    Column("base_term_months", Integer, nullable=True),
    Column("term_months", Integer, nullable=True),
    text("repayment", nullable=True),
    text("guarantee", nullable=True),
    _texts("binding"),
    _texts("flags"),
    _texts("reasons"),
    _texts("customer_reasons"),
    _texts("notes"),
    text("next_best_source", nullable=True),
    document("document", comment="the whole result in the shape of the expected format"),
    text("inputs_digest", comment="hex SHA-256 over the versions of all facts read, consents and parameters"),
    instant("created_at"),
    Column("supersedes", UUID(as_uuid=True), nullable=True),
    Index("ix_evaluation_latest", "customer_id", "scenario", "created_at"),
    info=OWNED,
)


def _of_evaluation(name: str, *columns: Any) -> Table:
    return Table(name, metadata, customer_key(), uid("evaluation_id", primary_key=True), *columns, info=OWNED)


series_month = _of_evaluation(
    "series_month",
    text("series", primary_key=True),
    Column("month", Text, primary_key=True),
    Column("value", Numeric(18, 6), nullable=True, comment="null: the month is not covered"),
    text("source"),
)

feature_value = _of_evaluation(
    "feature_value",
    text("feature_id", primary_key=True),
    Column("number", Numeric(24, 6), nullable=True),
    text("text", nullable=True, comment="enumerations, booleans and special values"),
    text("unit"),
    text("missing_reason", nullable=True),
    text("formula_version"),
    text("formula"),
    text("window_first", nullable=True),
    text("window_last", nullable=True),
    Column("covered_months", Integer, nullable=True),
)

feature_evidence = _of_evaluation(
    "feature_evidence",
    text("feature_id", primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    text("kind", comment="kind of fact"),
    text("source"),
    Column("first_day", Date, nullable=True),
    Column("last_day", Date, nullable=True),
    Column("facts", BigInteger, nullable=False, comment="number of fact versions read"),
    text("digest", comment="hex SHA-256 over their ids, sorted"),
)

check_result = _of_evaluation(
    "check_result",
    text("check_id", primary_key=True),
    text("dimension"),
    text("status"),
    Column("deviation", Numeric(18, 6), nullable=True),
    Column("check_score", Numeric(9, 6), nullable=True),
    Column("weight", Numeric(9, 6), nullable=False),
    text("explanation_en"),
    text("explanation_zh"),
)

score_point = _of_evaluation(
    "score_point",
    text("characteristic", primary_key=True),
    text("feature_id"),
    Column("points", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
)

limit_part = _of_evaluation(
    "limit_part",
    text("part", primary_key=True, comment="LEG, UPLIFT, BASE_CAP or CAP"),
    text("code", primary_key=True),
    Column("amount", Numeric(18, 2), nullable=True),
    Column("share", Numeric(9, 4), nullable=True),
    Column("earned", Boolean, nullable=True),
    Column("binding", Boolean, nullable=False, server_default=sql("false")),
    _texts("feature_ids"),
)

reason_text = _of_evaluation(
    "evaluation_reason",
    Column("ordinal", Integer, primary_key=True),
    text("code"),
    text("text_en"),
    text("text_zh"),
    text("cure_en"),
    text("cure_zh"),
    Column("customer_visible", Boolean, nullable=False),
)

# --- who asks --------------------------------------------------------------------------------------------------------------------

client = Table(
    "client",
    metadata,
    text("client_id", primary_key=True),
    text("name"),
    text("audience", comment="PARTNER, INTERNAL or ADMIN"),
    _texts("scopes"),
    _texts("purposes"),
    document("jwks", comment="public keys of the client"),
    Column("bearer", Boolean, nullable=False, server_default=sql("false"), comment="may use unbound tokens (internal clients only)"),
    _texts("return_urls"),
    instant("disabled_at", nullable=True),
    instant("created_at"),
)

signing_key = Table(
    "signing_key",
    metadata,
    text("kid", primary_key=True),
    document("public_jwk"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed private key"),
    instant("created_at"),
    instant("retired_at", nullable=True),
)

used_token_id = Table(
    "used_token_id",
    metadata,
    text("kind", primary_key=True, comment="ASSERTION, DPOP or REVOKED"),
    text("issuer", primary_key=True),
    text("jti", primary_key=True),
    instant("expires_at"),
    Index("ix_used_token_id_expires", "expires_at"),
)

access_log = Table(
    "access_log",
    metadata,
    customer_key(),
    uid("log_id", primary_key=True),
    text("client_id"),
    text("purpose"),
    text("operation"),
    text("document_sha256"),
    _texts("fields"),
    text("outcome"),
    instant("at"),
    info=OWNED,
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    text("client_id", primary_key=True),
    text("key", primary_key=True),
    text("request_sha256"),
    document("response"),
    instant("created_at"),
)
