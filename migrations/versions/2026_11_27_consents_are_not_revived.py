"""consents are not revived

A client's transaction never revives a consent that has ended, and never makes one wider that was given (ADR 56). The text of the law is that of hub.consent.law; a
test compares. Of a connection is kept up to when it was told that its authorisation ends, so that it is told once.

Revision ID: 20261127t
Revises: 20261127s
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127t"
down_revision = "20261127s"
branch_labels = None
depends_on = None

_NARROWS = """
DECLARE
    stands boolean := NEW.status IN ('ACTIVE', 'PAUSED');
BEGIN
    IF OLD.status = 'PENDING' AND NEW.status IN ('PENDING', 'REVOKED', 'EXPIRED') AND NEW.starts_at IS NOT DISTINCT FROM OLD.starts_at THEN
        RETURN NEW;
    END IF;
    IF OLD.status NOT IN ('ACTIVE', 'PAUSED') OR NOT (stands OR NEW.status IN ('REVOKED', 'EXPIRED', 'SUPERSEDED')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('a consent that is %s does not become %s', OLD.status, NEW.status), TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.customer_id, NEW.consent_id, NEW.source, NEW.connector, NEW.grantee, NEW.purpose, NEW.mode, NEW.starts_at, NEW.supersedes, NEW.written, NEW.adverse_notice,
            NEW.text_version, NEW.text_hash, NEW.evidence, NEW.offer)
        IS DISTINCT FROM (OLD.customer_id, OLD.consent_id, OLD.source, OLD.connector, OLD.grantee, OLD.purpose, OLD.mode, OLD.starts_at, OLD.supersedes, OLD.written, OLD.adverse_notice,
            OLD.text_version, OLD.text_hash, OLD.evidence, OLD.offer)
        OR NEW.data_from < OLD.data_from OR NEW.data_to > OLD.data_to OR NEW.data_life_days > OLD.data_life_days OR NEW.changed_at < OLD.changed_at
        OR NOT NEW.scenarios <@ OLD.scenarios
        OR (OLD.kinds IS NOT NULL AND (NEW.kinds IS NULL OR NOT NEW.kinds <@ OLD.kinds))
        OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))
        OR (OLD.fetches_per_day IS NOT NULL AND (NEW.fetches_per_day IS NULL OR NEW.fetches_per_day > OLD.fetches_per_day))
        OR (NEW.fetch_type <> OLD.fetch_type AND NEW.fetch_type <> 'ONETIME') OR (OLD.narrowed_at IS NOT NULL AND NEW.narrowed_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'a consent that was given only becomes narrower', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
"""


def upgrade() -> None:
    op.execute(f"CREATE FUNCTION consent_only_narrows() RETURNS trigger LANGUAGE plpgsql AS $law${_NARROWS}$law$")
    op.execute("""
        CREATE TRIGGER consent_only_narrows BEFORE UPDATE ON consent FOR EACH ROW WHEN (current_user <> 'hub_worker')
        EXECUTE FUNCTION consent_only_narrows()""")
    op.add_column(
        "connection", sa.Column("told_end", sa.DateTime(timezone=True), nullable=True, comment="the grant_expires_at that was told of")
    )
    op.add_column("connection", sa.Column("told_days", sa.Integer(), nullable=True, comment="and how many days before it at most"))
