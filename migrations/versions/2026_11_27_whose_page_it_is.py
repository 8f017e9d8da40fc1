"""whose page it is

A customer's page is his own where an account that he logged in with on its link is his (ADR 27). A connection keeps which link that was, and from which epoch on its facts
tell of that account; a session keeps the link it came from, and when it was first shown to be the customer's own.

A client's transaction writes no consent that changed at a time to come. The text of the law is that of hub.consent.law; a test compares.

Revision ID: 20261127x
Revises: 20261127w
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127x"
down_revision = "20261127w"
branch_labels = None
depends_on = None

_NARROWS = """
DECLARE
    stands boolean := NEW.status IN ('ACTIVE', 'PAUSED');
    latest timestamptz := coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()) + interval '5 minutes';
BEGIN
    IF NEW.changed_at > latest OR (NEW.narrowed_at > latest AND NEW.narrowed_at IS DISTINCT FROM OLD.narrowed_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'a consent does not change at a time that is to come', TABLE = TG_TABLE_NAME;
    END IF;
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
_ASKED = """
ALTER POLICY bound_insert ON consent WITH CHECK (status = 'PENDING' AND starts_at IS NULL AND apps = '{}'
    AND changed_at <= coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()) + interval '5 minutes')
"""


def upgrade() -> None:
    _whose()
    op.execute(f"CREATE OR REPLACE FUNCTION consent_only_narrows() RETURNS trigger LANGUAGE plpgsql AS $law${_NARROWS}$law$")
    op.execute(_ASKED)


def _whose() -> None:
    key, instant = postgresql.UUID(as_uuid=True), sa.DateTime(timezone=True)
    op.add_column("connection", sa.Column("holder_link", key, nullable=True, comment="the link on which somebody logged in last"))
    since = "what runs of a later epoch brought is of the account that logged in then"
    op.add_column("connection", sa.Column("holder_epoch", sa.BigInteger(), nullable=True, comment=since))
    from_link = "of a MANAGE session that a link's browser opened: the link"
    op.add_column("link_session", sa.Column("from_link", key, nullable=True, comment=from_link))
    own_at = "when it was first shown to be the customer's own (database time)"
    op.add_column("link_session", sa.Column("own_at", instant, nullable=True, comment=own_at))
