"""a consent names the app

Whom the grantee may hand the data of a consent to (PIPL 23): ``consent_app`` is the record, ``consent.apps`` what the gates look at. What an app was given by a consent of
before is what the customer agreed to on a page of its own link, which named it; a consent whose link is not known any more names nobody.

A client is known to be the institution's own by what its transaction says, or by its row: the version before this one says nothing.

Revision ID: 20261127u
Revises: 20261127t
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127u"
down_revision = "20261127t"
branch_labels = None
depends_on = None

_IS_INSIDE = """
CREATE FUNCTION client_is_inside() RETURNS boolean LANGUAGE plpgsql STABLE COST 10 AS $law$
DECLARE
    said text := nullif(current_setting('hub.inside', true), '');
BEGIN
    IF said IS NULL THEN
        said := CASE WHEN EXISTS (SELECT 1 FROM public.client k WHERE k.client_id = current_setting('hub.client', true) AND k.audience IN ('INTERNAL', 'ADMIN'))
            THEN 'yes' ELSE 'no' END;
        PERFORM set_config('hub.inside', said, true);
    END IF;
    RETURN said = 'yes';
END
$law$
"""
_COVERS = """
SELECT c.relname AS table_name, pg_get_expr(p.polqual, p.polrelid) AS which FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'public'::regnamespace AND p.polname = 'consent_covers' ORDER BY 1
"""
_ACTIVE = "(c.status = 'ACTIVE'::text)"
_NAMES = f"""{_ACTIVE} AND (current_setting('hub.inside', true) = 'yes' OR current_setting('hub.client', true) = ANY (c.apps) OR client_is_inside())"""
_OF_BEFORE = """
INSERT INTO consent_app (customer_id, consent_id, client_id, given_at, text_version, text_hash, evidence)
SELECT c.customer_id, c.consent_id, k.client_id, c.starts_at, c.text_version, c.text_hash, jsonb_build_object('link_id', s.link_id, 'before', 'apps were named')
FROM consent c JOIN link_session s ON s.customer_id = c.customer_id AND s.link_id::text = c.evidence ->> 'link_id'
JOIN client k ON k.client_id = s.client_id AND k.audience NOT IN ('INTERNAL', 'ADMIN') WHERE c.starts_at IS NOT NULL
"""
_NAMED = """
UPDATE consent c SET apps = ARRAY[a.client_id] FROM consent_app a WHERE a.customer_id = c.customer_id AND a.consent_id = c.consent_id
"""


def upgrade() -> None:
    op.add_column("consent", sa.Column("apps", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False,
        comment="clients of partner apps that the grantee may hand the data to, as consent_app says"))  # fmt: skip
    _the_record()
    _what_was_before()
    op.execute(_IS_INSIDE)
    for policy in op.get_bind().execute(sa.text(_COVERS)).all():
        op.execute(f'ALTER POLICY consent_covers ON "{policy.table_name}" USING ({policy.which.replace(_ACTIVE, _NAMES)})')
    op.execute("ALTER POLICY bound_insert ON consent WITH CHECK (status = 'PENDING' AND starts_at IS NULL AND apps = '{}')")


def _the_record() -> None:
    op.create_table(
        "consent_app",
        sa.Column("customer_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("consent_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="business time at which the app alone lost it; with its consent it ends anyway"),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False, comment="hex SHA-256 of the text shown, which names the app"),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "consent_id", "client_id", "given_at", name="pk_consent_app"),
    )
    standing = {"unique": True, "postgresql_where": sa.text("ended_at IS NULL")}
    op.create_index("uq_consent_app_standing", "consent_app", ["customer_id", "consent_id", "client_id"], **standing)
    op.execute("GRANT DELETE, INSERT, SELECT, UPDATE ON consent_app TO hub_worker")


def _what_was_before() -> None:
    """The owner sees no rows of a table that forces row security, and may not touch a consent that has ended: it is let off for this one transaction, while nobody
    else can look."""
    op.execute("ALTER TABLE consent DISABLE TRIGGER consent_only_narrows")
    for table in ("consent", "link_session"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_OF_BEFORE)
    op.execute(_NAMED)
    op.execute("ALTER TABLE consent ENABLE TRIGGER consent_only_narrows")
    for table in ("consent", "link_session", "consent_app"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    seen = "consent_app.customer_id = nullif(current_setting('hub.seen', true), '')::uuid OR client_sees(consent_app.customer_id)"
    op.execute("ALTER TABLE consent_app ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY client_sees ON consent_app TO hub_app USING ({seen}) WITH CHECK ({seen})")
    op.execute("CREATE POLICY hub_works ON consent_app TO hub_worker USING (true) WITH CHECK (true)")
