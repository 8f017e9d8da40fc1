"""the models

What the lender says of its loans, results of the six models, hints, and signals of monitoring, which are told like other changes of a customer. Expand only: new
tables.

Revision ID: 20261127q
Revises: 20261127p
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127q"
down_revision = "20261127p"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.dialects.postgresql.JSONB
_NO_TEXTS = sa.text("'{}'")


def _text(name: str, comment: str | None = None, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _texts(name: str) -> sa.Column:
    return sa.Column(name, sa.ARRAY(sa.Text()), server_default=_NO_TEXTS, nullable=False)


def _uid(name: str, comment: str | None = None, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.UUID(), nullable=nullable, comment=comment)


def upgrade() -> None:
    _loans()
    _results()
    _hints()
    _signals()
    _rights()
    op.execute("""CREATE FUNCTION monitoring_signal_is_noted() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    INSERT INTO public.profile_change (customer_id, kind, of, purpose, known_at) VALUES (NEW.customer_id, 'MONITORING', NEW.trigger_id, NEW.use_purpose, now());
    RETURN NULL;
END
$law$""")
    op.execute(
        "CREATE TRIGGER monitoring_signal_is_noted AFTER INSERT OR UPDATE OF ended_at ON monitoring_signal FOR EACH ROW EXECUTE FUNCTION monitoring_signal_is_noted()"
    )


def _loans() -> None:
    op.create_table(
        "loan_status",
        _uid("customer_id"),
        _uid("status_id"),
        _text("number", "the lender's number of the loan"),
        _text("scenario"),
        _text("state", "ACTIVE, SETTLED or WRITTEN_OFF"),
        sa.Column("status_on", sa.Date(), nullable=False, comment="day it speaks of"),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("matures_on", sa.Date(), nullable=True),
        sa.Column("granted", sa.Numeric(18, 2), nullable=False),
        sa.Column("balance", sa.Numeric(18, 2), nullable=False, comment="drawn and not repaid"),
        sa.Column("due", sa.Numeric(18, 2), nullable=False, comment="what of it is overdue"),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        _uid("evaluation_id", "the evaluation on which it was granted", nullable=True),
        sa.Column("reachable", sa.Boolean(), nullable=True),
        sa.Column("marketing", sa.Boolean(), nullable=True, comment="the customer has agreed to it; null: not told"),
        sa.Column("contacts", sa.Integer(), nullable=True, comment="marketing contacts of the last 30 days"),
        _text("recorded_by", "client"),
        sa.Column("known_from", _INSTANT, nullable=False, comment="business time"),
        sa.Column("known_to", _INSTANT, nullable=True, comment="another word on the same day took its place"),
        sa.PrimaryKeyConstraint("customer_id", "status_id", name=op.f("pk_loan_status")),
    )
    op.create_index(
        "uq_loan_status_day",
        "loan_status",
        ["customer_id", "number", "status_on"],
        unique=True,
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_index("ix_loan_status_known", "loan_status", ["known_from"])


def _results() -> None:
    op.create_table(
        "model_result",
        _uid("customer_id"),
        _uid("evaluation_id"),
        _text("slot"),
        _text("kind", "DEFAULT, HTTP or ONNX"),
        _text("model_id"),
        _text("version"),
        _text("wanted", "the external model that the policy names", nullable=True),
        _text("fault", "why it did not answer; null: it did, or none is named", nullable=True),
        sa.Column("outputs", _JSON(), nullable=False, comment="list of name, unit, number or text, missing"),
        _texts("reasons"),
        _texts("warnings"),
        _text("request_sha256", "of what it was asked", nullable=True),
        sa.Column("answer", _JSON(), nullable=True, comment="as it answered"),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", "slot", name=op.f("pk_model_result")),
    )


def _hints() -> None:
    op.create_table(
        "evaluation_hint",
        _uid("customer_id"),
        _uid("evaluation_id"),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        _text("kind", "RENEWAL, CROSS_SELL, COMPANION or ACTION"),
        _text("code"),
        sa.Column("share", sa.Numeric(9, 4), nullable=True),
        _text("why_en"),
        _text("why_zh"),
        _texts("feature_ids"),
        _text("loan", "the lender's number", nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", "ordinal", name=op.f("pk_evaluation_hint")),
    )


def _signals() -> None:
    op.create_table(
        "monitoring_signal",
        _uid("customer_id"),
        _uid("signal_id"),
        _uid("evaluation_id", "the evaluation that raised it"),
        _text("scenario"),
        _text("use_purpose"),
        _text("trigger_id", "T1 to T12"),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        _text("severity"),
        _text("text_en"),
        _text("text_zh"),
        _text("condition"),
        _text("cause", "hex SHA-256: the same cause is told once while it lasts"),
        sa.Column("evidence", _JSON(), nullable=False, comment="list of name and value, or missing"),
        sa.Column("since", sa.Date(), nullable=False, comment="day of the evaluation that raised it"),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("until", sa.Date(), nullable=True, comment="day of the evaluation that found it over"),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "signal_id", name=op.f("pk_monitoring_signal")),
    )
    op.create_index(
        "uq_monitoring_signal_open",
        "monitoring_signal",
        ["customer_id", "scenario", "use_purpose", "trigger_id", "part"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    client = "(select current_setting('hub.client', true))"
    due = "evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)"
    grants = {
        "evaluation_hint": ("INSERT, SELECT", "DELETE, INSERT, SELECT"),
        "loan_status": ("SELECT", "DELETE, INSERT, SELECT, UPDATE"),
        "model_result": ("INSERT, SELECT", "DELETE, INSERT, SELECT"),
        "monitoring_signal": ("SELECT", "DELETE, INSERT, SELECT, UPDATE"),
    }
    for table, (app, worker) in grants.items():
        visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {table}.customer_id AND k.client_id = {client})"
        op.execute(f"GRANT {app} ON {table} TO hub_app")
        op.execute(f"GRANT {worker} ON {table} TO hub_worker")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY client_sees ON {table} TO hub_app USING ({visible}) WITH CHECK ({visible})")
        op.execute(f"CREATE POLICY hub_works ON {table} TO hub_worker USING (true) WITH CHECK (true)")
        if table != "loan_status":
            op.execute(f"CREATE POLICY erased_only ON {table} AS RESTRICTIVE FOR DELETE TO hub_worker USING ({due})")
