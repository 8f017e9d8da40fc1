"""erasure

What is erased when, and the tombstones that prove it.

Revision ID: 20261127d
Revises: 20261127c
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127d"
down_revision = "20261127c"
branch_labels = None
depends_on = None

FACTS = (
    "behaviour_session", "business_registration", "credit_account", "credit_inquiry", "education_record",
    "employer_social_insurance_month", "financial_statement", "household_registration", "housing_fund_account", "housing_fund_entry",
    "identity_verification", "invoice", "order", "payment_account", "payment_transaction", "personal_income", "public_record",
    "qualification", "refund", "repayment_month", "settlement", "shop", "shop_monthly_summary", "shop_penalty", "shop_score",
    "social_insurance_contribution", "social_insurance_enrolment", "tax_arrear", "tax_credit_rating", "tax_payment", "tax_return",
    "tax_violation", "taxpayer_profile", "verified_place",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("raw_page", sa.Column("life_ends_on", sa.Date(), nullable=True, comment="the day on which its data life is over; null: the consent says how long that is after it was fetched"))
    op.add_column("raw_page", sa.Column("life_days", sa.Integer(), nullable=True, comment="how long that was when it was written: a consent may shorten it later"))
    op.create_index("ix_raw_page_life", "raw_page", ["life_ends_on"])
    op.create_index("ix_raw_page_consent", "raw_page", ["consent_id"])
    op.alter_column("raw_page", "body", comment="sealed, zstd-compressed bytes; empty once an item on it was erased", existing_type=sa.LargeBinary(), existing_nullable=False)
    op.add_column("customer", sa.Column("erased_on", sa.Date(), nullable=True, comment="the day on which the subject was erased: its key is destroyed, the rest goes within the day"))
    op.create_index("ix_customer_erased", "customer", ["erased_on"], postgresql_where=sa.text("erased_on IS NOT NULL"))
    op.add_column("evaluation", sa.Column("inputs_erased_on", sa.Date(), nullable=True, comment="from then on only what was decided is left: no series, features, checks, points, limit parts"))
    op.create_index("ix_evaluation_inputs", "evaluation", ["known_at"], postgresql_where=sa.text("inputs_erased_on IS NULL"))
    _tombstone()
    _due()
    _rights()
    _policies()
    _last()


def _tombstone() -> None:
    ids = postgresql.ARRAY(postgresql.UUID(as_uuid=True))
    op.create_table(
        "tombstone",
        sa.Column("customer_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("tombstone_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="CONSENT_REVOKED, CONSENT_EXPIRED, LIFE_ENDED, ITEM_ENDED, INPUTS_ENDED or SUBJECT_ERASED"),
        sa.Column("consent_id", postgresql.UUID(as_uuid=True), nullable=True, comment="under which it was fetched"),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False, comment="business day"),
        sa.Column("done_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("rows", postgresql.JSONB(), nullable=False, comment="table -> number of rows that are gone"),
        sa.Column("pages", ids, server_default=sa.text("'{}'"), nullable=False, comment="pages that are gone, with their facts where no facts are named"),
        sa.Column("facts", ids, nullable=True, comment="facts that are gone, where not all of their pages are"),
        sa.Column("bodies", ids, server_default=sa.text("'{}'"), nullable=False, comment="pages whose text is gone"),
        sa.Column("evaluations", ids, server_default=sa.text("'{}'"), nullable=False, comment="evaluations whose inputs are gone"),
        sa.Column("pages_sha256", sa.Text(), nullable=False, comment="hex SHA-256 over the SHA-256 of the pages and bodies that are gone, sorted, one per line"),
        sa.Column("note", sa.Text(), nullable=True, comment="who asked for it, and why; nothing personal"),
        sa.Column("xact", sa.Text(), server_default=sa.text("(pg_current_xact_id())::text"), nullable=False, comment="the transaction that erased: what it deletes, this row names"),
        sa.PrimaryKeyConstraint("customer_id", "tombstone_id", name=op.f("pk_tombstone")),
    )
    op.create_index("ix_tombstone_xact", "tombstone", ["xact"])
    op.create_index("ix_tombstone_consent", "tombstone", ["customer_id", "consent_id"])
    op.execute("GRANT SELECT ON tombstone TO hub_app")
    op.execute("GRANT SELECT, INSERT ON tombstone TO hub_worker")
    op.execute("ALTER TABLE tombstone ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tombstone FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY client_sees ON tombstone TO hub_app USING (EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = tombstone.customer_id AND k.client_id = (select current_setting('hub.client', true)))) WITH CHECK (EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = tombstone.customer_id AND k.client_id = (select current_setting('hub.client', true))))")
    op.execute("CREATE POLICY hub_works ON tombstone TO hub_worker USING (true) WITH CHECK (true)")


def _due() -> None:
    """Which day everything is due."""
    op.execute("""
CREATE FUNCTION hub_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('hub.today', true), '')::date, (now() AT TIME ZONE 'Asia/Shanghai')::date)
$$""")
    op.execute("""
CREATE VIEW consent_due WITH (security_invoker = true) AS
SELECT c.customer_id, c.consent_id, c.source, c.grantee, c.purpose, c.status, c.kinds, c.data_from, c.data_to, c.starts_at,
    CASE WHEN c.status = 'SUPERSEDED' THEN (SELECT min(n.data_life_days) FROM consent n WHERE n.customer_id = c.customer_id AND n.source = c.source AND n.grantee = c.grantee AND n.purpose = c.purpose AND n.starts_at IS NOT NULL AND n.starts_at >= c.starts_at) ELSE c.data_life_days END AS data_life_days,
    c.narrowed_at IS NOT NULL OR CASE WHEN c.status = 'SUPERSEDED' THEN (SELECT min(n.data_life_days) FROM consent n WHERE n.customer_id = c.customer_id AND n.source = c.source AND n.grantee = c.grantee AND n.purpose = c.purpose AND n.starts_at IS NOT NULL AND n.starts_at >= c.starts_at) ELSE c.data_life_days END < c.data_life_days AS shortened,
    CASE WHEN c.status IN ('REVOKED', 'SUPERSEDED') THEN c.changed_at ELSE c.expires_at END AS ended_at,
    CASE WHEN c.status = 'REVOKED' THEN (c.changed_at AT TIME ZONE 'Asia/Shanghai')::date + 7 ELSE (SELECT CASE WHEN count(*) = 0 THEN (SELECT max((n.changed_at AT TIME ZONE 'Asia/Shanghai')::date) + 7 FROM consent n WHERE n.customer_id = c.customer_id AND n.source = c.source AND n.grantee = c.grantee AND n.purpose = c.purpose AND n.starts_at IS NOT NULL) ELSE CASE WHEN bool_and(n.expires_at IS NOT NULL) THEN max((n.expires_at AT TIME ZONE 'Asia/Shanghai')::date) + 30 END END FROM consent n WHERE n.customer_id = c.customer_id AND n.source = c.source AND n.grantee = c.grantee AND n.purpose = c.purpose AND n.starts_at IS NOT NULL AND (n.status NOT IN ('REVOKED', 'SUPERSEDED') OR (n.consent_id = c.consent_id AND c.status <> 'SUPERSEDED'))) END AS ends_on,
    CASE WHEN c.status = 'REVOKED' THEN 'CONSENT_REVOKED' ELSE 'CONSENT_EXPIRED' END AS reason
FROM consent c WHERE c.starts_at IS NOT NULL""")
    op.execute("""
CREATE VIEW page_due WITH (security_invoker = true) AS
SELECT q.customer_id, q.page_id, q.connection_id, q.consent_id, q.stream, q.first_day, q.sha256, q.erase_on,
    CASE q.erase_on WHEN q.erased_on THEN 'SUBJECT_ERASED' WHEN q.ends_on THEN q.reason ELSE 'LIFE_ENDED' END AS reason
FROM (SELECT r.*, least(r.life_on, r.shorter_on, r.ends_on, r.erased_on) AS erase_on
    FROM (SELECT p.customer_id, p.page_id, p.connection_id, p.consent_id, p.stream, p.first_day, p.sha256, s.erased_on, d.reason,
            coalesce(p.life_ends_on, (p.fetched_at AT TIME ZONE 'Asia/Shanghai')::date + d.data_life_days) AS life_on, p.life_ends_on - p.life_days + d.data_life_days AS shorter_on,
            CASE WHEN d.ends_on IS NOT NULL THEN greatest(d.ends_on, (SELECT max(least(o.ends_on, coalesce(p.life_ends_on - p.life_days, (p.fetched_at AT TIME ZONE 'Asia/Shanghai')::date) + o.data_life_days)) FROM consent_due o
        WHERE o.customer_id = d.customer_id AND o.source = d.source AND o.grantee = d.grantee AND o.purpose <> d.purpose AND o.status <> 'SUPERSEDED'
            AND (o.ended_at IS NULL OR (o.ended_at AT TIME ZONE 'Asia/Shanghai')::date >= coalesce(p.life_ends_on - p.life_days, (p.fetched_at AT TIME ZONE 'Asia/Shanghai')::date)) AND (o.kinds IS NULL OR d.kinds <@ o.kinds) AND p.first_day BETWEEN o.data_from AND o.data_to)) END AS ends_on
        FROM raw_page p LEFT JOIN consent_due d ON d.customer_id = p.customer_id AND d.consent_id = p.consent_id
        LEFT JOIN customer s ON s.customer_id = p.customer_id) r) q""")
    op.execute("""
CREATE VIEW item_due WITH (security_invoker = true) AS
SELECT 'PublicRecord'::text AS kind, f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to, (l.ended_on + interval '5 years')::date AS erase_on
FROM fact_public_record f CROSS JOIN LATERAL (SELECT CASE WHEN n.role <> 'PLAINTIFF' THEN n.closed_on END AS ended_on FROM fact_public_record n WHERE n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key ORDER BY n.version DESC LIMIT 1) l WHERE l.ended_on IS NOT NULL
UNION ALL SELECT 'RepaymentMonth'::text AS kind, f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to, (l.ended_on + interval '5 years')::date AS erase_on
FROM fact_repayment_month f CROSS JOIN LATERAL (SELECT CASE WHEN n.status IN ('1', '2', '3', '4', '5', '6', '7', 'D', 'Z', 'G', 'B') THEN (SELECT (min(g.month) || '-01')::date FROM fact_repayment_month g
        WHERE g.customer_id = n.customer_id AND g.connection_id = n.connection_id AND g.account_number = n.account_number AND g.month > n.month
            AND g.known_to IS NULL AND g.status NOT IN ('1', '2', '3', '4', '5', '6', '7', 'D', 'Z', 'G', 'B')) END AS ended_on FROM fact_repayment_month n WHERE n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key ORDER BY n.version DESC LIMIT 1) l WHERE l.ended_on IS NOT NULL
UNION ALL SELECT 'ShopPenalty'::text AS kind, f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to, (l.ended_on + interval '5 years')::date AS erase_on
FROM fact_shop_penalty f CROSS JOIN LATERAL (SELECT n.decided_on AS ended_on FROM fact_shop_penalty n WHERE n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key ORDER BY n.version DESC LIMIT 1) l WHERE l.ended_on IS NOT NULL
UNION ALL SELECT 'TaxArrear'::text AS kind, f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to, (l.ended_on + interval '5 years')::date AS erase_on
FROM fact_tax_arrear f CROSS JOIN LATERAL (SELECT n.cleared_on AS ended_on FROM fact_tax_arrear n WHERE n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key ORDER BY n.version DESC LIMIT 1) l WHERE l.ended_on IS NOT NULL
UNION ALL SELECT 'TaxViolation'::text AS kind, f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to, (l.ended_on + interval '5 years')::date AS erase_on
FROM fact_tax_violation f CROSS JOIN LATERAL (SELECT CASE WHEN NOT n.open THEN n.decided_on END AS ended_on FROM fact_tax_violation n WHERE n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key ORDER BY n.version DESC LIMIT 1) l WHERE l.ended_on IS NOT NULL""")
    op.execute("""
CREATE VIEW evaluation_due WITH (security_invoker = true) AS
SELECT r.customer_id, r.evaluation_id, min(r.erase_on) AS erase_on FROM (
    SELECT v.customer_id, v.evaluation_id, least((v.known_at AT TIME ZONE 'Asia/Shanghai')::date + d.data_life_days, d.ends_on) AS erase_on
    FROM evaluation v JOIN feature_evidence e ON e.customer_id = v.customer_id AND e.evaluation_id = v.evaluation_id
    JOIN consent_due d ON d.customer_id = v.customer_id AND d.source = e.source AND d.starts_at <= v.known_at AND (d.ended_at IS NULL OR d.ended_at > v.known_at)
    WHERE v.inputs_erased_on IS NULL
    UNION ALL SELECT v.customer_id, v.evaluation_id, i.erase_on
    FROM evaluation v JOIN feature_evidence e ON e.customer_id = v.customer_id AND e.evaluation_id = v.evaluation_id
    JOIN item_due i ON i.customer_id = v.customer_id AND i.kind = e.kind AND i.known_from <= v.known_at AND (i.known_to IS NULL OR i.known_to > v.known_at)
    WHERE v.inputs_erased_on IS NULL
    UNION ALL SELECT v.customer_id, v.evaluation_id, s.erased_on FROM evaluation v JOIN customer s ON s.customer_id = v.customer_id
    WHERE v.inputs_erased_on IS NULL AND s.erased_on IS NOT NULL
) r GROUP BY r.customer_id, r.evaluation_id""")
    for view in ("consent_due", "page_due", "item_due", "evaluation_due"):
        op.execute(f"GRANT SELECT ON {view} TO hub_app, hub_worker")


def _rights() -> None:
    """Of hub_worker alone, each within a policy."""
    for kind in FACTS:
        op.execute(f"GRANT DELETE ON fact_{kind} TO hub_worker")
    op.execute("GRANT DELETE ON check_result TO hub_worker")
    op.execute("GRANT UPDATE (document, inputs_erased_on, verified_revenue) ON evaluation TO hub_worker")
    op.execute("GRANT DELETE ON fact_mark TO hub_worker")
    op.execute("GRANT DELETE ON feature_value TO hub_worker")
    op.execute("GRANT DELETE ON limit_part TO hub_worker")
    op.execute("GRANT DELETE, UPDATE (body) ON raw_page TO hub_worker")
    op.execute("GRANT DELETE ON score_point TO hub_worker")
    op.execute("GRANT DELETE ON series_month TO hub_worker")


def _policies() -> None:
    """What may be deleted: what a tombstone of the same transaction names, and such a one names only what is due."""
    for kind in FACTS:
        op.execute(f"""CREATE POLICY erased_only ON fact_{kind} AS RESTRICTIVE FOR DELETE TO hub_worker USING (page_id IN (SELECT unnest(t.pages) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text AND t.facts IS NULL) OR fact_id IN (SELECT unnest(t.facts) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY only_what_is_due ON tombstone AS RESTRICTIVE FOR INSERT TO hub_worker WITH CHECK (xact = pg_current_xact_id()::text AND done_on = hub_today() AND NOT EXISTS (SELECT 1 FROM unnest(tombstone.pages) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM page_due d WHERE d.customer_id = tombstone.customer_id AND d.page_id = u.id AND d.erase_on <= tombstone.done_on)) AND NOT EXISTS (SELECT 1 FROM unnest(tombstone.facts) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM item_due d WHERE d.customer_id = tombstone.customer_id AND d.fact_id = u.id AND d.erase_on <= tombstone.done_on)) AND NOT EXISTS (SELECT 1 FROM unnest(tombstone.bodies) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM item_due d WHERE d.customer_id = tombstone.customer_id AND d.page_id = u.id AND d.erase_on <= tombstone.done_on)) AND NOT EXISTS (SELECT 1 FROM unnest(tombstone.evaluations) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM evaluation_due d WHERE d.customer_id = tombstone.customer_id AND d.evaluation_id = u.id AND d.erase_on <= tombstone.done_on)))""")
    op.execute("""CREATE POLICY erased_only ON raw_page AS RESTRICTIVE FOR DELETE TO hub_worker USING (page_id IN (SELECT unnest(t.pages) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text AND t.facts IS NULL))""")
    op.execute("""CREATE POLICY body_only ON raw_page AS RESTRICTIVE FOR UPDATE TO hub_worker USING (page_id IN (SELECT unnest(t.bodies) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)) WITH CHECK (body = ''::bytea)""")
    op.execute("""CREATE POLICY erased_only ON check_result AS RESTRICTIVE FOR DELETE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY erased_only ON feature_value AS RESTRICTIVE FOR DELETE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY erased_only ON limit_part AS RESTRICTIVE FOR DELETE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY erased_only ON score_point AS RESTRICTIVE FOR DELETE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY erased_only ON series_month AS RESTRICTIVE FOR DELETE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text))""")
    op.execute("""CREATE POLICY inputs_only ON evaluation AS RESTRICTIVE FOR UPDATE TO hub_worker USING (evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)) WITH CHECK (inputs_erased_on = hub_today() AND document = '{}'::jsonb AND verified_revenue IS NULL)""")
    op.execute("""CREATE POLICY erased_only ON fact_mark AS RESTRICTIVE FOR DELETE TO hub_worker USING (NOT EXISTS (SELECT 1 FROM fact f WHERE f.customer_id = fact_mark.customer_id AND f.fact_id = fact_mark.fact_id))""")


def _last() -> None:
    """A page goes with its facts, or after them."""
    op.execute("""
        CREATE FUNCTION page_goes_last() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    IF EXISTS (SELECT 1 FROM removed r JOIN public.fact f ON f.customer_id = r.customer_id AND f.page_id = r.page_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = 'a page goes with its facts or after them', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$law$""")
    op.execute("""
        CREATE TRIGGER page_goes_last AFTER DELETE ON raw_page REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION page_goes_last()""")
