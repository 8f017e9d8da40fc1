"""profile changes

A row for each change of a customer, in the transaction that makes it: what subscriptions to profileChanged are told from.

Revision ID: 20261127l
Revises: 20261127k
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127l"
down_revision = "20261127k"
branch_labels = None
depends_on = None

CLIENT_SEES = """EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = profile_change.customer_id
    AND k.client_id = (select current_setting('hub.client', true)))"""
NOTES = {
    "evaluation": """
    INSERT INTO public.profile_change (customer_id, kind, of, known_at) VALUES (NEW.customer_id, 'EVALUATION', NEW.scenario, NEW.known_at);""",
    "consent_event": """
    INSERT INTO public.profile_change (customer_id, kind, of, purpose, known_at)
    SELECT c.customer_id, 'CONSENT', c.source, c.purpose, now() FROM public.consent c WHERE c.customer_id = NEW.customer_id AND c.consent_id = NEW.consent_id;""",
    "identity_event": """
    INSERT INTO public.profile_change (customer_id, kind, of, known_at)
    SELECT customer_id, CASE WHEN NEW.kind LIKE 'PARTY%' THEN 'PARTIES' ELSE 'IDENTITY' END, NEW.kind, now()
    FROM unnest(ARRAY[NEW.customer_id, NEW.other_id]) AS u(customer_id) WHERE customer_id IS NOT NULL;""",
    "sync_run": """
    INSERT INTO public.profile_change (customer_id, kind, of, known_at)
    SELECT c.customer_id, 'FACTS', c.connector, now() FROM public.connection c WHERE c.customer_id = NEW.customer_id AND c.connection_id = NEW.connection_id;""",
}
"""Facts are told of by the count of their run, which the page's own transaction moves: one row per page, however many facts it brings."""
FIRES = {
    "evaluation": ("AFTER INSERT", ""),
    "consent_event": ("AFTER INSERT", ""),
    "identity_event": ("AFTER INSERT", ""),
    "sync_run": ("AFTER UPDATE OF stored", " WHEN (NEW.stored > OLD.stored)"),
}


def upgrade() -> None:
    op.create_table(
        "profile_change",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="FACTS, EVALUATION, CONSENT, PARTIES or IDENTITY"),
        sa.Column("of", sa.Text(), nullable=False, comment="the connector, the scenario, the kind of source, or what happened"),
        sa.Column("purpose", sa.Text(), nullable=True, comment="of the consent; null: whatever the purpose"),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False, comment="read as of this instant, it is there"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "change_id", name=op.f("pk_profile_change")),
    )
    op.create_index("ix_profile_change_at", "profile_change", ["at"])
    op.execute("GRANT INSERT, SELECT ON profile_change TO hub_app")
    op.execute("GRANT DELETE, INSERT, SELECT, UPDATE ON profile_change TO hub_worker")
    op.execute("ALTER TABLE profile_change ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE profile_change FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY client_sees ON profile_change TO hub_app USING ({CLIENT_SEES}) WITH CHECK ({CLIENT_SEES})")
    op.execute("CREATE POLICY hub_works ON profile_change TO hub_worker USING (true) WITH CHECK (true)")
    for table, body in NOTES.items():
        op.execute(f"CREATE FUNCTION {table}_is_noted() RETURNS trigger LANGUAGE plpgsql AS $law$\nBEGIN{body}\n    RETURN NULL;\nEND\n$law$")
        when, if_ = FIRES[table]
        op.execute(f"CREATE TRIGGER {table}_is_noted {when} ON {table} FOR EACH ROW{if_} EXECUTE FUNCTION {table}_is_noted()")
