"""a fact and its page

The law that a fact names a page that is there looks the page up. Left to itself PostgreSQL read all pages for it, as long as they seemed few.

Revision ID: 20261128d
Revises: 20261128c
"""

from alembic import op

revision = "20261128d"
down_revision = "20261128c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The same law for whoever writes facts, of this version or of the one before. hub.store.fact_tables has its words; a test compares."""
    op.execute("""
        CREATE OR REPLACE FUNCTION fact_names_its_page() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT customer_id, page_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM public.raw_page p WHERE p.customer_id = a.customer_id AND p.page_id = a.page_id OFFSET 0);
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = 'a fact names a page that is not there', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$law$""")
