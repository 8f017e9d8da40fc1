"""policies without sub-plans

Policies read settings where they need them and call ``client_sees`` where the customer is not the one that was seen last; the consent of a fact is looked up for each row,
whomever a transaction is about. What that replaces goes.

Policies are altered by what the catalogue says of them, so that those of tables that other migrations brought are among them; a test compares the outcome with
hub.store.security.

Revision ID: 20261127s
Revises: 20261127r
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "20261127s"
down_revision = "20261127r"
branch_labels = None
depends_on = None

_SEES = """
CREATE FUNCTION client_sees(customer uuid) RETURNS boolean LANGUAGE plpgsql STABLE COST 10 AS $law$
BEGIN
    IF EXISTS (SELECT 1 FROM public.customer_client k WHERE k.customer_id = customer AND k.client_id = current_setting('hub.client', true)) THEN
        PERFORM set_config('hub.seen', customer::text, true);
        RETURN true;
    END IF;
    RETURN false;
END
$law$
"""
_POLICIES = """
SELECT c.relname AS table_name, p.polname AS name, pg_get_expr(p.polqual, p.polrelid) AS which, pg_get_expr(p.polwithcheck, p.polrelid) AS becomes
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace
    AND (pg_get_expr(p.polqual, p.polrelid) LIKE '%current_setting(%' OR pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%current_setting(%') ORDER BY 1, 2
"""
_SUB_SELECT = re.compile(r"\( SELECT (current_setting\('hub\.\w+'::text, true\)) AS current_setting\)")
_NOW = re.compile(r"\( SELECT (COALESCE\(\(NULLIF\(current_setting\('hub\.now'::text, true\), ''::text\)\)::timestamp with time zone, now\(\)\)) AS \"coalesce\"\)")
_OF_A_FACT = re.compile(r"consented_days\('(\w+)'::text, '(\w+)'::text\)")


def upgrade() -> None:
    op.execute(_SEES)
    for policy in op.get_bind().execute(sa.text(_POLICIES)).all():
        which, becomes = (expression and _without(policy.table_name, policy.name, expression) for expression in (policy.which, policy.becomes))
        using, check = f" USING ({which})" if which else "", f" WITH CHECK ({becomes})" if becomes else ""
        op.execute(f'ALTER POLICY "{policy.name}" ON "{policy.table_name}"{using}{check}')
    for function in ("consented_days", "consented_since"):
        op.execute(f"DROP FUNCTION {function}(text, text)")


def _without(table: str, name: str, expression: str) -> str:
    """The rule as it is from now on."""
    fact = _OF_A_FACT.search(expression)
    if fact is not None:
        return _covered(table, *fact.groups())
    if name == "client_sees" and table != "customer_client":
        return f"{table}.customer_id = nullif(current_setting('hub.seen', true), '')::uuid OR client_sees({table}.customer_id)"
    return _NOW.sub(r"\1", _SUB_SELECT.sub(r"\1", expression))


def _covered(table: str, source: str, kind: str) -> str:
    now = "coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now())"
    return f"""EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = {table}.customer_id AND c.source = '{source}'
        AND c.purpose = current_setting('hub.purpose', true) AND c.status = 'ACTIVE' AND c.mode IN ('VIEW', 'STORE', 'STREAM')
        AND (c.expires_at IS NULL OR c.expires_at > {now}) AND (c.kinds IS NULL OR '{kind}' = ANY (c.kinds))
        AND ({table}.occurred_on IS NULL OR {table}.occurred_on BETWEEN c.data_from AND c.data_to) AND {table}.known_from + make_interval(days => c.data_life_days) > {now})"""
