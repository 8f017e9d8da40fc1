"""portfolios

Portfolios that are pre-screened, and the monthly sums of shops, which are kept until a fact of the month changes. Expand only: new tables, and triggers that the version
before does not notice.

Revision ID: 20261127r
Revises: 20261127q
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127r"
down_revision = "20261127q"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_TEXTS = {"server_default": sa.text("'{}'"), "nullable": False}
_ZERO = {"server_default": sa.text("0"), "nullable": False}
_CLIENT = "(select current_setting('hub.client', true))"
_IN_FORCE = """c.purpose = (SELECT current_setting('hub.purpose', true)) AND c.status = 'ACTIVE' AND c.mode IN ('VIEW', 'STORE', 'STREAM')
    AND (c.expires_at IS NULL OR c.expires_at > (SELECT coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now())))"""
COUNTS_ON = {"fact_order": "paid_at", "fact_refund": "succeeded_at"}
"""In the month of this instant a fact is counted."""
FIRES = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    _screenings()
    _results()
    _months()
    for table, instant in COUNTS_ON.items():
        _touches(table, instant)


def _screenings() -> None:
    op.create_table(
        "portfolio_screening",
        sa.Column("screening_id", sa.UUID(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("document", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="of the consents it reads under"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("author", sa.Text(), nullable=False, comment="client, or operator"),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True, comment="when every customer had been come to; null: it goes on"),
        sa.Column("customers", sa.BigInteger(), **_ZERO),
        sa.Column("come_to", sa.BigInteger(), **_ZERO),
        sa.PrimaryKeyConstraint("screening_id", name=op.f("pk_portfolio_screening")),
    )
    op.create_table(
        "portfolio_part",
        sa.Column("screening_id", sa.UUID(), nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.UUID(), nullable=False, comment="the part's last customer, in the order of ids"),
        sa.Column("after", sa.UUID(), nullable=True, comment="behind this customer it goes on"),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("screening_id", "part", name=op.f("pk_portfolio_part")),
    )
    axes = "ALL, CUSTOMER_TYPE, INDUSTRY, REGION, SIZE, TIER, SCENARIO, or LEFT: why there is no result"
    op.create_table(
        "portfolio_count",
        sa.Column("screening_id", sa.UUID(), nullable=False),
        sa.Column("axis", sa.Text(), nullable=False, comment=axes),
        sa.Column("value", sa.Text(), nullable=False, comment="empty: nobody can tell"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="an outcome, BELOW_FLOOR, or empty where there is no result"),
        sa.Column("customers", sa.BigInteger(), **_ZERO),
        sa.Column("limits", sa.Numeric(18, 2), nullable=True),
        sa.PrimaryKeyConstraint("screening_id", "axis", "value", "outcome", name=op.f("pk_portfolio_count")),
    )
    op.execute("GRANT SELECT ON portfolio_screening, portfolio_count TO hub_app")
    op.execute("GRANT DELETE, INSERT, SELECT, UPDATE ON portfolio_screening, portfolio_part, portfolio_count TO hub_worker")


def _results() -> None:
    op.create_table(
        "portfolio_result",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("screening_id", sa.UUID(), nullable=False),
        sa.Column("result_id", sa.UUID(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="of the consents it was read under"),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False, comment="the one that gives most"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("below_floor", sa.Boolean(), nullable=False),
        sa.Column("offered_limit", sa.Numeric(18, 2), nullable=True),
        sa.Column("rate", sa.Numeric(9, 4), nullable=True),
        sa.Column("term_months", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.ARRAY(sa.Text()), **_TEXTS),
        sa.Column("customer_type", sa.Text(), nullable=True),
        sa.Column("size_class", sa.Text(), nullable=True),
        sa.Column("industry_code", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("sources", sa.ARRAY(sa.Text()), **_TEXTS),
        sa.PrimaryKeyConstraint("customer_id", "screening_id", name=op.f("pk_portfolio_result")),
    )
    op.create_index("ix_portfolio_result_screening", "portfolio_result", ["screening_id", "result_id"])
    _guarded("portfolio_result")


def _months() -> None:
    sums = (sa.Column(name, sa.Numeric(), nullable=True) for name in ("gmv", "refunds", "completed", "weighted"))
    month = "its first day; an order's month is that of its payment, a refund's that of its success"
    op.create_table(
        "shop_month",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment=month),
        sa.Column("first_on", sa.Date(), server_default=sa.text("'-infinity'"), nullable=False, comment="no fact of the month is dated before"),
        sa.Column("last_on", sa.Date(), server_default=sa.text("'infinity'"), nullable=False, comment="no fact of the month is dated after"),
        sa.Column("touched", sa.BigInteger(), **_ZERO, comment="the last transaction that changed a fact of the month"),
        sa.Column("seen", sa.Text(), nullable=True, comment="the snapshot that the sums are of; null: there are none"),
        sa.Column("oldest", _INSTANT, nullable=True, comment="the first fact of it became known"),
        sa.Column("newest", _INSTANT, nullable=True, comment="the last change of it became known"),
        sa.Column("orders", sa.BigInteger(), nullable=True),
        *sums,
        sa.PrimaryKeyConstraint("customer_id", "connection_id", "month", name=op.f("pk_shop_month")),
    )
    _guarded("shop_month")
    covered = f"EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = shop_month.customer_id AND c.source = 'SHOP' AND {_IN_FORCE})"
    op.execute(f"CREATE POLICY consent_covers ON shop_month AS RESTRICTIVE FOR SELECT TO hub_app USING ({covered})")


def _guarded(table: str) -> None:
    """As hub.store.security says; a test compares."""
    visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {table}.customer_id AND k.client_id = {_CLIENT})"
    for statement in (
        f"GRANT SELECT ON {table} TO hub_app",
        f"GRANT DELETE, INSERT, SELECT, UPDATE ON {table} TO hub_worker",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY client_sees ON {table} TO hub_app USING ({visible}) WITH CHECK ({visible})",
        f"CREATE POLICY hub_works ON {table} TO hub_worker USING (true) WITH CHECK (true)",
    ):
        op.execute(statement)


def _touches(table: str, instant: str) -> None:
    """Once per statement, in the order of the key: two that touch the same months do so one after the other."""
    op.execute(f"""
CREATE FUNCTION {table}_touches_its_month() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    INSERT INTO public.shop_month AS m (customer_id, connection_id, month, first_on, last_on, touched)
    SELECT c.customer_id, c.connection_id, date_trunc('month', c.{instant} AT TIME ZONE 'Asia/Shanghai')::date,
        min(coalesce(c.occurred_on, (c.{instant} AT TIME ZONE 'Asia/Shanghai')::date)), max(coalesce(c.occurred_on, (c.{instant} AT TIME ZONE 'Asia/Shanghai')::date)),
        pg_current_xact_id()::text::bigint
    FROM changed c WHERE c.{instant} IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (customer_id, connection_id, month) DO UPDATE SET touched = EXCLUDED.touched, first_on = least(m.first_on, EXCLUDED.first_on),
        last_on = greatest(m.last_on, EXCLUDED.last_on), seen = NULL, oldest = NULL, newest = NULL, orders = NULL, gmv = NULL, refunds = NULL, completed = NULL,
        weighted = NULL;
    RETURN NULL;
END
$law$""")
    for event, row in FIRES.items():
        op.execute(
            f"CREATE TRIGGER {table}_touches_on_{event.lower()} AFTER {event} ON {table} REFERENCING {row} TABLE AS changed"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_touches_its_month()"
        )
