"""procurement and farm

Orders that buyers confirm and the account they pay into; plots and the holding they belong to. Each is a kind of fact like those before it: envelope, indexes, rights,
policies, the law about pages, and its place in the view over all facts.

Revision ID: 20261127o
Revises: 20261127n
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127o"
down_revision = "20261127n"
branch_labels = None
depends_on = None

_KINDS = {"FarmHolding": "FARM", "FarmPlot": "FARM", "PurchaseOrder": "PROCUREMENT", "ReceivableAccount": "PROCUREMENT"}
"""Kinds of fact and the source they need a consent to."""
_BEFORE = (
    "BehaviourSession", "BusinessRegistration", "CreditAccount", "CreditInquiry", "EducationRecord", "EmployerSocialInsuranceMonth",
    "FinancialStatement", "HouseholdRegistration", "HousingFundAccount", "HousingFundEntry", "IdentityVerification", "Invoice", "Order",
    "PaymentAccount", "PaymentTransaction", "PersonalIncome", "PublicRecord", "Qualification", "Refund", "RepaymentMonth", "Settlement", "Shop",
    "ShopMonthlySummary", "ShopPenalty", "ShopScore", "SocialInsuranceContribution", "SocialInsuranceEnrolment", "TaxArrear", "TaxCreditRating",
    "TaxPayment", "TaxReturn", "TaxViolation", "TaxpayerProfile", "VerifiedPlace",
)  # fmt: skip
"""The kinds that the view unites already, in its order."""
_ENVELOPE = (
    "customer_id, fact_id, source_key, version, supersedes, occurred_on, known_from, known_to, connection_id, consent_id, page_id, position, content_hash"
)
_CLIENT = "(select current_setting('hub.client', true))"
_NOW = "(SELECT coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()))"
_PURPOSE = "(SELECT current_setting('hub.purpose', true))"
_IN_FORCE = f"""c.purpose = {_PURPOSE} AND c.status = 'ACTIVE' AND c.mode IN ('VIEW', 'STORE', 'STREAM')
    AND (c.expires_at IS NULL OR c.expires_at > {_NOW})"""
_SUBJECT = "(SELECT nullif(current_setting('hub.subject', true), '')::uuid)"


def upgrade() -> None:
    _holding()
    _plot()
    _order()
    _account()
    for kind, source in _KINDS.items():
        _rights(_table(kind))
        _policies(_table(kind), source, kind)
    branches = " UNION ALL ".join(f"SELECT '{kind}'::text AS kind, {_ENVELOPE} FROM {_table(kind)}" for kind in (*_BEFORE, *_KINDS))
    op.execute(f"CREATE OR REPLACE VIEW fact WITH (security_invoker = true) AS {branches}")


def _holding() -> None:
    _fact_table(
        "fact_farm_holding",
        "农户经营档案: whom the land register and the crop insurance name, and what is known of the season under way.",
        _text("holding_number", "承包方编码."),
        *_personal("register_holder", "Resident ID of whom the land register names; null without an entry.", nullable=True),
        *_personal("policy_holder", "Resident ID of whom the crop policy names; null without one.", nullable=True),
        sa.Column("verified_seasons", sa.BigInteger(), nullable=False, comment="Number of seasons in which the plots were verified."),
        _yes("insured", "The crop of the season is insured."),
        _yes("purchase_contract", "Somebody has contracted to buy the harvest (订单农业)."),
        _yes("credit_village", "The village is on the list of credit villages (信用村)."),
        _day("harvest_on", "Expected day of the harvest."),
    )


def _plot() -> None:
    _fact_table(
        "fact_farm_plot",
        "地块: one crop on one plot of the season under way, as its farmer claims it and as satellite, land register and crop insurer see it (大山雀).",
        _text("plot_number", "地块编码."),
        _text("season", "Season of the crop."),
        _text("crop", "Crop, by the name of the lender's crop table."),
        _number("claimed_area", "Area as the farmer drew it."),
        _number("verified_area", "Area on which the satellite sees the crop."),
        _number("register_area", "确权面积: area in the land register; null where it does not know the plot.", nullable=True),
        _number("insured_area", "承保面积: area that the crop insurer covers.", nullable=True),
        _number("claimed_yield", "Yield as the farmer expects it."),
        sa.Column("latitude", sa.Double(), nullable=False, comment="Centre of the plot."),
        sa.Column("longitude", sa.Double(), nullable=False, comment="Centre of the plot."),
    )


def _order() -> None:
    _fact_table(
        "fact_purchase_order",
        "采购订单: an order of a government or core-enterprise buyer. Of an OPEN one max(0, min(amount, confirmed) - invoiced) is still to be invoiced.",
        _text("order_number", "Number of the order or contract (合同编号)."),
        _text("buyer", "USCC of the buyer (采购人)."),
        _text("buyer_name", "Name of the buyer.", nullable=True),
        _yes("government", "The buyer is a government body or buys with public money (政府采购)."),
        _money("amount", "合同金额: what was ordered."),
        _money("confirmed", "确权金额: what the buyer stands by."),
        _text("verified_by", "BUYER or PLATFORM: who confirms it.", nullable=True),
        _day("signed_on", "Day of signing."),
        _day("deliver_by", "Last day of delivery."),
        _day("delivered_on", "Day on which the delivery was accepted (验收).", nullable=True),
        _money("invoiced", "已开票金额, VAT included."),
        _money("received", "已回款金额; null where the platform does not see the money.", nullable=True),
        _day("paid_on", "Day on which the buyer had paid in full.", nullable=True),
        _text("status", "OPEN, DELIVERED or CANCELLED."),
    )


def _account() -> None:
    _fact_table(
        "fact_receivable_account",
        "回款账户: the account to which a procurement platform has the buyers pay.",
        *_personal("account_number", "Number of the account."),
        _text("institution", "Bank that keeps it.", nullable=True),
        _yes("locked", "The supplier can name no other account without the consent of whom it is locked for (锁定)."),
        _text("locked_for", "The lender in whose favour it is locked.", nullable=True),
    )


def _fact_table(name: str, comment: str, *columns: "sa.Column[object]") -> None:
    op.create_table(
        name,
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("fact_id", sa.UUID(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.UUID(), nullable=True),
        sa.Column("occurred_on", sa.Date(), nullable=True),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("consent_id", sa.UUID(), nullable=False),
        sa.Column("page_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("customer_id", "fact_id", name=op.f(f"pk_{name}")),
        comment=comment,
    )
    key = ["customer_id", "connection_id", "source_key"]
    op.create_index(f"ix_{name}_occurred", name, ["customer_id", "occurred_on"])
    op.create_index(f"uq_{name}_live", name, key, unique=True, postgresql_where=sa.text("known_to IS NULL"))
    op.create_index(f"uq_{name}_version", name, [*key, "version"], unique=True)
    op.execute(f"""
        CREATE TRIGGER fact_names_its_page AFTER INSERT ON {name} REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION fact_names_its_page()""")


def _rights(table: str) -> None:
    """As hub.store.security says; a test compares."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE (known_to) ON {table} TO hub_app")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (known_to), DELETE ON {table} TO hub_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _policies(t: str, source: str, kind: str) -> None:
    seen = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {t}.customer_id AND k.client_id = {_CLIENT})"
    op.execute(f"CREATE POLICY client_sees ON {t} TO hub_app USING ({seen}) WITH CHECK ({seen})")
    op.execute(f"CREATE POLICY hub_works ON {t} TO hub_worker USING (true) WITH CHECK (true)")
    covered = f"""({t}.customer_id = {_SUBJECT}
    AND ({t}.occurred_on IS NULL OR {t}.occurred_on <@ (SELECT consented_days('{source}', '{kind}')))
    AND {t}.known_from > (SELECT consented_since('{source}', '{kind}')))
    OR EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = {t}.customer_id AND c.source = '{source}' AND {_IN_FORCE}
    AND (c.kinds IS NULL OR '{kind}' = ANY (c.kinds)) AND ({t}.occurred_on IS NULL OR {t}.occurred_on BETWEEN c.data_from AND c.data_to)
    AND {t}.known_from + make_interval(days => c.data_life_days) > {_NOW})"""
    op.execute(f"CREATE POLICY consent_covers ON {t} AS RESTRICTIVE FOR SELECT TO hub_app USING ({covered})")
    named = "FROM tombstone t WHERE t.xact = pg_current_xact_id()::text"
    erased = f"page_id IN (SELECT unnest(t.pages) {named} AND t.facts IS NULL) OR fact_id IN (SELECT unnest(t.facts) {named})"
    op.execute(f"CREATE POLICY erased_only ON {t} AS RESTRICTIVE FOR DELETE TO hub_worker USING ({erased})")


def _table(kind: str) -> str:
    return "fact" + "".join("_" + char.lower() if char.isupper() else char for char in kind)


def _text(name: str, comment: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _personal(name: str, comment: str, *, nullable: bool = False) -> "list[sa.Column[object]]":
    """A keyed hash and a masked form."""
    return [_text(f"{name}_{form}", comment, nullable=nullable) for form in ("hash", "masked")]


def _money(name: str, comment: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Numeric(18, 2), nullable=nullable, comment=comment)


def _number(name: str, comment: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Numeric(18, 6), nullable=nullable, comment=comment)


def _day(name: str, comment: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Date(), nullable=nullable, comment=comment)


def _yes(name: str, comment: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Boolean(), nullable=False, comment=comment)
