"""a consent's life

Expand first, contract later: new columns have defaults that mean what the version before meant. Its open states of a consent are one unique index; they become
two, which the version before fulfils as well, by a later migration (rights by need), which builds them beside whoever writes.

Revision ID: 20261127c
Revises: 20261127b
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127c"
down_revision = "20261127b"
branch_labels = None
depends_on = None

_KINDS = {
    "BUREAU": ("credit_account", "credit_inquiry", "repayment_month"),
    "DEVICE": ("behaviour_session",),
    "FINANCIALS": ("financial_statement",),
    "HOUSING_FUND": ("housing_fund_account", "housing_fund_entry"),
    "IDENTITY": ("education_record", "household_registration", "identity_verification", "verified_place"),
    "INVOICE": ("invoice",),
    "PAYMENT": ("payment_account", "payment_transaction"),
    "PUBLIC_RECORD": ("public_record",),
    "REGISTRATION": ("business_registration", "qualification"),
    "SETTLEMENT": ("settlement",),
    "SHOP": ("order", "refund", "shop", "shop_monthly_summary", "shop_penalty", "shop_score"),
    "SOCIAL_INSURANCE": ("employer_social_insurance_month", "social_insurance_contribution", "social_insurance_enrolment"),
    "TAX": ("personal_income", "tax_arrear", "tax_credit_rating", "tax_payment", "tax_return", "tax_violation", "taxpayer_profile"),
}
"""Kinds of fact by the source they need a consent to."""


def upgrade() -> None:
    _record()
    _history()
    _fetches()
    _visible()
    _read_gate()


def _record() -> None:
    """What a consent says beside what it said before."""
    for column in (
        sa.Column(
            "kinds", sa.ARRAY(sa.Text()), nullable=True, comment="kinds of fact; null: asked before they were named, every kind of its source"
        ),
        sa.Column("mode", sa.Text(), server_default=sa.text("'STORE'"), nullable=False, comment="VIEW, STORE, QUERY or STREAM"),
        sa.Column("fetch_type", sa.Text(), server_default=sa.text("'PERIODIC'"), nullable=False, comment="ONETIME or PERIODIC"),
        sa.Column("fetches_per_day", sa.Integer(), nullable=True, comment="how often a day its data may be fetched; null: as often as needed"),
        sa.Column(
            "offer", postgresql.JSONB(), nullable=True, comment="what the text named that was shown: scenarios, and the day it was made for"
        ),
        sa.Column("supersedes", sa.UUID(), nullable=True, comment="the consent that ends when this one is given"),
        sa.Column("narrowed_at", sa.DateTime(timezone=True), nullable=True, comment="business time at which it last became narrower"),
    ):
        op.add_column("consent", column)


def _history() -> None:
    """Which step an event was, and what it changed."""
    op.add_column(
        "consent_event",
        sa.Column("step", sa.Text(), nullable=True, comment="what happened, as ConsentStep; null: by a version that told states only"),
    )
    op.add_column(
        "consent_event",
        sa.Column(
            "changes", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="column -> [what was, what became]"
        ),
    )
    soon = sa.text("step = 'ENDS_SOON'")
    op.create_index("uq_consent_event_soon", "consent_event", ["customer_id", "consent_id"], unique=True, postgresql_where=soon)


def _fetches() -> None:
    """How often was fetched under a consent."""
    op.create_table(
        "consent_fetch",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("consent_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="business day in China Standard Time"),
        sa.Column("times", sa.Integer(), nullable=False, comment="fetches that began on it"),
        sa.PrimaryKeyConstraint("customer_id", "consent_id", "day", name=op.f("pk_consent_fetch")),
    )
    op.execute("GRANT SELECT ON consent_fetch TO hub_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON consent_fetch TO hub_worker")
    visible = _is_visible("consent_fetch")
    op.execute("ALTER TABLE consent_fetch ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE consent_fetch FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY client_sees ON consent_fetch TO hub_app USING ({visible}) WITH CHECK ({visible})")
    op.execute("CREATE POLICY hub_works ON consent_fetch TO hub_worker USING (true) WITH CHECK (true)")


def _is_visible(table: str) -> str:
    client = "(select current_setting('hub.client', true))"
    return f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {table}.customer_id AND k.client_id = {client})"


def _visible() -> None:
    """The same rule as before, asked in a form that need not gather all customers of a client to find one."""
    found = sa.text("SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND policyname = 'client_sees' AND tablename <> 'customer_client'")
    for name in op.get_bind().execute(found).scalars().all():
        op.execute(f"ALTER POLICY client_sees ON {name} USING ({_is_visible(name)}) WITH CHECK ({_is_visible(name)})")


_NOW = "(SELECT coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()))"
_SUBJECT = "(SELECT nullif(current_setting('hub.subject', true), '')::uuid)"
_IN_FORCE = f"""c.purpose = (SELECT current_setting('hub.purpose', true)) AND c.status = 'ACTIVE' AND c.mode IN ('VIEW', 'STORE', 'STREAM')
    AND (c.expires_at IS NULL OR c.expires_at > {_NOW})"""


def _read_gate() -> None:
    """As hub.store.security says; a test compares."""
    _functions()
    for source, kinds in _KINDS.items():
        for kind in kinds:
            _covers(f"fact_{kind}", _fact_is_covered(f"fact_{kind}", source, "".join(part.title() for part in kind.split("_"))))
    operator = "(select current_setting('hub.operator', true)) = 'yes'"
    _covers(
        "raw_page",
        f"""{operator} OR EXISTS (SELECT 1 FROM consent f JOIN consent c ON c.customer_id = f.customer_id AND c.source = f.source
        WHERE f.customer_id = raw_page.customer_id AND f.consent_id = raw_page.consent_id AND {_IN_FORCE})""",
    )
    _covers(
        "series_month",
        f"""EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = series_month.customer_id AND c.source = series_month.source
        AND {_IN_FORCE})""",
    )


def _fact_is_covered(t: str, source: str, name: str) -> str:
    return f"""({t}.customer_id = {_SUBJECT}
    AND ({t}.occurred_on IS NULL OR {t}.occurred_on <@ (SELECT consented_days('{source}', '{name}')))
    AND {t}.known_from > (SELECT consented_since('{source}', '{name}')))
    OR EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = {t}.customer_id AND c.source = '{source}' AND {_IN_FORCE}
    AND (c.kinds IS NULL OR '{name}' = ANY (c.kinds)) AND ({t}.occurred_on IS NULL OR {t}.occurred_on BETWEEN c.data_from AND c.data_to)
    AND {t}.known_from + make_interval(days => c.data_life_days) > {_NOW})"""


def _functions() -> None:
    """What the consents of a use that are in force cover all of: for the one customer whom a transaction is about, once per statement instead of once per
    row. They run with the rights of whoever asks, and see the consents that he may see."""
    mine = f"c.customer_id = {_SUBJECT} AND c.source = of_source AND (c.kinds IS NULL OR of_kind = ANY (c.kinds)) AND {_IN_FORCE}"
    op.execute(f"""
        CREATE FUNCTION consented_days(of_source text, of_kind text) RETURNS daterange LANGUAGE plpgsql STABLE AS $law$
BEGIN
    RETURN (SELECT CASE WHEN max(c.data_from) <= min(c.data_to) THEN daterange(max(c.data_from), min(c.data_to), '[]') END
        FROM public.consent c WHERE {mine});
END
$law$""")
    op.execute(f"""
        CREATE FUNCTION consented_since(of_source text, of_kind text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $law$
BEGIN
    RETURN (SELECT {_NOW} - make_interval(days => min(c.data_life_days)) FROM public.consent c WHERE {mine});
END
$law$""")


def _covers(table: str, rule: str) -> None:
    op.execute(f"CREATE POLICY consent_covers ON {table} AS RESTRICTIVE FOR SELECT TO hub_app USING ({rule})")
