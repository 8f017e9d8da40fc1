"""what a row costs

What row-level security asks of each row is asked for less: the customer that was seen last is compared as text, and a consent's end together with the data's life.
The kinds of fact that an evaluation rests on are kept each once (``evidence_kind``), by a trigger, so that also the version before keeps them; those of before are filled in
by the next migration, which holds no locks.

Policies are altered by what the catalogue says of them, so that those of tables that other migrations brought are among them; a test compares the outcome with
hub.store.security.

Revision ID: 20261128f
Revises: 20261128d
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "20261128f"
down_revision = "20261128d"
branch_labels = None
depends_on = None

_POLICIES = """
SELECT tablename, policyname, qual, with_check FROM pg_policies WHERE schemaname = 'public' AND 'hub_app' = ANY (roles)
    AND (qual LIKE '%hub.seen%' OR with_check LIKE '%hub.seen%' OR (policyname = 'consent_covers' AND tablename LIKE 'fact\\_%')) ORDER BY 1, 2
"""
_SEEN = re.compile(r"\((\w+\.)?customer_id = \(NULLIF\(current_setting\('hub\.seen'::text, true\), ''::text\)\)::uuid\)")
_SOURCE, _KIND = re.compile(r"c\.source = '(\w+)'::text"), re.compile(r"'(\w+)'::text = ANY \(c\.kinds\)")


def upgrade() -> None:
    for table, name, which, becomes in op.get_bind().execute(sa.text(_POLICIES)).all():
        which, becomes = _covered(table, which) if name == "consent_covers" else _seen(table, which), _seen(table, becomes)
        using, check = f" USING ({which})" if which else "", f" WITH CHECK ({becomes})" if becomes else ""
        op.execute(f'ALTER POLICY "{name}" ON "{table}"{using}{check}')
    _evidence()


def _seen(table: str, rule: str | None) -> str | None:
    return rule and _SEEN.sub(rf"({table}.customer_id::text = current_setting('hub.seen', true))", rule)


def _covered(table: str, rule: str) -> str:
    """One consent covers the row. As it was, but for LEAST, which passes over a null."""
    (source,), (kind,) = _SOURCE.findall(rule), _KIND.findall(rule)
    return f"""EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = {table}.customer_id AND c.source = '{source}'
        AND c.purpose = current_setting('hub.purpose', true) AND c.status = 'ACTIVE'
        AND (current_setting('hub.inside', true) = 'yes' OR current_setting('hub.client', true) = ANY (c.apps) OR client_is_inside())
        AND c.mode IN ('VIEW', 'STORE', 'STREAM') AND (c.kinds IS NULL OR '{kind}' = ANY (c.kinds))
        AND ({table}.occurred_on IS NULL OR {table}.occurred_on BETWEEN c.data_from AND c.data_to)
        AND least(c.expires_at, {table}.known_from + make_interval(days => c.data_life_days))
            > coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()))"""


def _evidence() -> None:
    op.create_table(
        "evidence_kind",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("evaluation_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", "source", "kind", name=op.f("pk_evidence_kind")),
    )
    seen = "evidence_kind.customer_id::text = current_setting('hub.seen', true) OR client_sees(evidence_kind.customer_id)"
    for statement in (
        "ALTER TABLE evidence_kind ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE evidence_kind FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY client_sees ON evidence_kind TO hub_app USING ({seen}) WITH CHECK ({seen})",
        "CREATE POLICY hub_works ON evidence_kind TO hub_worker USING (true) WITH CHECK (true)",
        "GRANT SELECT, INSERT ON evidence_kind TO hub_app, hub_worker",
        """CREATE FUNCTION evidence_names_its_kind() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    INSERT INTO public.evidence_kind (customer_id, evaluation_id, source, kind) VALUES (NEW.customer_id, NEW.evaluation_id, NEW.source, NEW.kind)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$law$""",
        "CREATE TRIGGER evidence_names_its_kind AFTER INSERT ON feature_evidence FOR EACH ROW EXECUTE FUNCTION evidence_names_its_kind()",
    ):
        op.execute(statement)
