"""laws of the store

What the database insists on, whoever writes.

Revision ID: 20261127b
Revises: 20261127
"""

from alembic import op

revision = "20261127b"
down_revision = "20261127"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _facts()
    _insist()


def _facts() -> None:
    """That a fact names a page is looked at once per statement instead of once per row, and of a fact only its end can be written."""
    op.execute("""
        CREATE FUNCTION fact_names_its_page() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT customer_id, page_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM public.raw_page p WHERE p.customer_id = a.customer_id AND p.page_id = a.page_id);
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = 'a fact names a page that is not there', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$law$""")
    kinds = (
        "behaviour_session", "business_registration", "credit_account", "credit_inquiry", "education_record", "employer_social_insurance_month",
        "financial_statement", "household_registration", "housing_fund_account", "housing_fund_entry", "identity_verification", "invoice", "order",
        "payment_account", "payment_transaction", "personal_income", "public_record", "qualification", "refund", "repayment_month", "settlement", "shop",
        "shop_monthly_summary", "shop_penalty", "shop_score", "social_insurance_contribution", "social_insurance_enrolment", "tax_arrear",
        "tax_credit_rating", "tax_payment", "tax_return", "tax_violation", "taxpayer_profile", "verified_place",
    )  # fmt: skip
    for name in (f"fact_{kind}" for kind in kinds):
        op.drop_constraint(op.f(f"fk_{name}_customer_id_page_id_raw_page"), name, type_="foreignkey")
        op.execute(f"""
            CREATE TRIGGER fact_names_its_page AFTER INSERT ON {name} REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION fact_names_its_page()""")
        op.execute(f"REVOKE UPDATE, DELETE ON {name} FROM hub_app, hub_worker")
        op.execute(f"GRANT UPDATE (known_to) ON {name} TO hub_app, hub_worker")


def _insist() -> None:
    """Fails the statement that calls it where something is not so."""
    op.execute("""
        CREATE FUNCTION insist(holds boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'HUB01', MESSAGE = 'a condition of this statement does not hold';
    END IF;
    RETURN true;
END
$$""")
