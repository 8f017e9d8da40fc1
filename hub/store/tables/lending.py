"""What the lender says of its loans, what the models say of an evaluation, what monitoring saw, and what follows."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Numeric, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, texts

loan_status = Table(
    "loan_status",
    metadata,
    customer_key(),
    uid("status_id", primary_key=True),
    text("number", comment="the lender's number of the loan"),
    text("scenario"),
    text("state", comment="ACTIVE, SETTLED or WRITTEN_OFF"),
    Column("status_on", Date, nullable=False, comment="day it speaks of"),
    Column("granted_on", Date, nullable=False),
    Column("matures_on", Date, nullable=True),
    Column("granted", Numeric(18, 2), nullable=False),
    Column("balance", Numeric(18, 2), nullable=False, comment="drawn and not repaid"),
    Column("due", Numeric(18, 2), nullable=False, comment="what of it is overdue"),
    Column("days_past_due", Integer, nullable=False),
    uid("evaluation_id", nullable=True, comment="the evaluation on which it was granted"),
    Column("reachable", Boolean, nullable=True),
    Column("marketing", Boolean, nullable=True, comment="the customer has agreed to it; null: not told"),
    Column("contacts", Integer, nullable=True, comment="marketing contacts of the last 30 days"),
    text("partner", nullable=True, comment="client of the platform with which it is lent jointly; null: the lender alone"),
    Column("partner_share", Numeric(5, 4), nullable=True, comment="of the loan, funded by the partner"),
    text("recorded_by", comment="client"),
    instant("known_from", comment="business time"),
    instant("known_to", nullable=True, comment="another word on the same day took its place"),
    Index("uq_loan_status_day", "customer_id", "number", "status_on", unique=True, postgresql_where=sql("known_to IS NULL")),
    Index("ix_loan_status_known", "known_from"),
    info=OWNED,
)
"""Two times: the day it speaks of, and when the hub knew. A correction ends what was said of that day; nothing is overwritten."""

model_result = Table(
    "model_result",
    metadata,
    customer_key(),
    uid("evaluation_id", primary_key=True),
    text("slot", primary_key=True),
    text("kind", comment="DEFAULT, HTTP or ONNX"),
    text("model_id"),
    text("version"),
    text("wanted", nullable=True, comment="the external model that the policy names"),
    text("fault", nullable=True, comment="why it did not answer; null: it did, or none is named"),
    document("outputs", comment="list of name, unit, number or text, missing"),
    texts("reasons"),
    texts("warnings"),
    text("request_sha256", nullable=True, comment="of what it was asked"),
    Column("answer", JSONB(none_as_null=True), nullable=True, comment="as it answered"),
    info=OWNED,
)

evaluation_hint = Table(
    "evaluation_hint",
    metadata,
    customer_key(),
    uid("evaluation_id", primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    text("kind", comment="RENEWAL, CROSS_SELL, COMPANION or ACTION"),
    text("code"),
    Column("share", Numeric(9, 4), nullable=True),
    text("why_en"),
    text("why_zh"),
    texts("feature_ids"),
    text("loan", nullable=True, comment="the lender's number"),
    info=OWNED,
)

monitoring_signal = Table(
    "monitoring_signal",
    metadata,
    customer_key(),
    uid("signal_id", primary_key=True),
    uid("evaluation_id", comment="the evaluation that raised it"),
    text("scenario"),
    text("use_purpose"),
    text("trigger_id", comment="T1 to T12"),
    Column("part", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    text("severity"),
    text("text_en"),
    text("text_zh"),
    text("condition"),
    text("cause", comment="hex SHA-256: the same cause is told once while it lasts"),
    document("evidence", comment="list of name and value, or missing"),
    Column("since", Date, nullable=False, comment="day of the evaluation that raised it"),
    instant("known_at"),
    Column("until", Date, nullable=True, comment="day of the evaluation that found it over"),
    instant("ended_at", nullable=True),
    Index(
        "uq_monitoring_signal_open",
        "customer_id",
        "scenario",
        "use_purpose",
        "trigger_id",
        "part",
        unique=True,
        postgresql_where=sql("ended_at IS NULL"),
    ),
    info=OWNED,
)
