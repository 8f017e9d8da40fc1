"""The laws of erasure as text for PostgreSQL, made from the retention document. The migration carries what this prints; a test compares the two.

``hub_today()`` is the business day in China: the one a transaction names (``hub.today``), else the server's. Four views say what is due:

- ``consent_due``: the day by which everything that an ended consent brought is gone; null while it stands, or is renewed;
- ``page_due``: a page with its facts goes on the earliest of the end of its data life (which a consent may shorten), its consent's day (or that of another purpose's
  consent which holds it, if that is later), and the subject's erasure;
- ``item_due``: kinds with a life of their own go when it is over, all versions of one item together;
- ``evaluation_due``: the inputs of an evaluation live as if they had been fetched on its day, and go with a consent or an item that it read.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.consent.retention import Retention, retention
from hub.store.fact_tables import FACT_TABLES

OVERDUE = "('1', '2', '3', '4', '5', '6', '7', 'D', 'Z', 'G', 'B')"
ENDED = {
    # A month in arrears ends with the streak that it belongs to: in the first later month that is in order. While there is none, it has not ended.
    "RepaymentMonth": f"""CASE WHEN n.status IN {OVERDUE} THEN (SELECT (min(g.month) || '-01')::date FROM fact_repayment_month g
        WHERE g.customer_id = n.customer_id AND g.connection_id = n.connection_id AND g.account_number = n.account_number AND g.month > n.month
            AND g.known_to IS NULL AND g.status NOT IN {OVERDUE}) END""",
    "PublicRecord": "CASE WHEN n.role <> 'PLAINTIFF' THEN n.closed_on END",
    "TaxArrear": "n.cleared_on",
    # The platforms tell no day on which a violation ended: it had when it was decided on, unless it is open.
    "TaxViolation": "CASE WHEN NOT n.open THEN n.decided_on END",
    "ShopPenalty": "n.decided_on",
}
"""The day on which the event ended that a version ``n`` of a fact tells of; null: it has not, or is nothing that has to end."""

TODAY = """
CREATE FUNCTION hub_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('hub.today', true), '')::date, (now() AT TIME ZONE 'Asia/Shanghai')::date)
$$"""


def _day(instant: str) -> str:
    return f"({instant} AT TIME ZONE 'Asia/Shanghai')::date"


def consent_due(rules: Retention) -> str:
    """A consent that ran out stands as long as one of the same use does that was given: it was renewed. One that was superseded goes with what stands instead of it,
    and what it brought lives no longer than any that followed it lets it: who shortens a renewal means all of it."""
    same = "n.customer_id = c.customer_id AND n.source = c.source AND n.grantee = c.grantee AND n.purpose = c.purpose AND n.starts_at IS NOT NULL"
    standing = "n.status NOT IN ('REVOKED', 'SUPERSEDED') OR (n.consent_id = c.consent_id AND c.status <> 'SUPERSEDED')"
    last = f"CASE WHEN bool_and(n.expires_at IS NOT NULL) THEN max({_day('n.expires_at')}) + {rules.expired_days} END"
    none = f"(SELECT max({_day('n.changed_at')}) + {rules.revoked_days} FROM consent n WHERE {same})"
    renewed = f"SELECT CASE WHEN count(*) = 0 THEN {none} ELSE {last} END FROM consent n WHERE {same} AND ({standing})"
    life = f"CASE WHEN c.status = 'SUPERSEDED' THEN (SELECT min(n.data_life_days) FROM consent n WHERE {same} AND n.starts_at >= c.starts_at) ELSE c.data_life_days END"
    return f"""
CREATE VIEW consent_due WITH (security_invoker = true) AS
SELECT c.customer_id, c.consent_id, c.source, c.grantee, c.purpose, c.status, c.kinds, c.data_from, c.data_to, c.starts_at,
    {life} AS data_life_days,
    c.narrowed_at IS NOT NULL OR {life} < c.data_life_days AS shortened,
    CASE WHEN c.status IN ('REVOKED', 'SUPERSEDED') THEN c.changed_at ELSE c.expires_at END AS ended_at,
    CASE WHEN c.status = 'REVOKED' THEN {_day("c.changed_at")} + {rules.revoked_days} ELSE ({renewed}) END AS ends_on,
    CASE WHEN c.status = 'REVOKED' THEN 'CONSENT_REVOKED' ELSE 'CONSENT_EXPIRED' END AS reason
FROM consent c WHERE c.starts_at IS NOT NULL"""


# One connection serves every purpose of a grantee, and a page names only the consent that was newest when it came. It stays for another purpose whose consent holds it.
_FETCHED = f"coalesce(p.life_ends_on - p.life_days, {_day('p.fetched_at')})"
_OTHER_PURPOSE = f"""SELECT max(least(o.ends_on, {_FETCHED} + o.data_life_days)) FROM consent_due o
        WHERE o.customer_id = d.customer_id AND o.source = d.source AND o.grantee = d.grantee AND o.purpose <> d.purpose AND o.status <> 'SUPERSEDED'
            AND (o.ended_at IS NULL OR {_day("o.ended_at")} >= {_FETCHED}) AND (o.kinds IS NULL OR d.kinds <@ o.kinds) AND p.first_day BETWEEN o.data_from AND o.data_to"""
PAGE_DUE = f"""
CREATE VIEW page_due WITH (security_invoker = true) AS
SELECT q.customer_id, q.page_id, q.connection_id, q.consent_id, q.stream, q.first_day, q.sha256, q.erase_on,
    CASE q.erase_on WHEN q.erased_on THEN 'SUBJECT_ERASED' WHEN q.ends_on THEN q.reason ELSE 'LIFE_ENDED' END AS reason
FROM (SELECT r.*, least(r.life_on, r.shorter_on, r.ends_on, r.erased_on) AS erase_on
    FROM (SELECT p.customer_id, p.page_id, p.connection_id, p.consent_id, p.stream, p.first_day, p.sha256, s.erased_on, d.reason,
            coalesce(p.life_ends_on, {_day("p.fetched_at")} + d.data_life_days) AS life_on, p.life_ends_on - p.life_days + d.data_life_days AS shorter_on,
            CASE WHEN d.ends_on IS NOT NULL THEN greatest(d.ends_on, ({_OTHER_PURPOSE})) END AS ends_on
        FROM raw_page p LEFT JOIN consent_due d ON d.customer_id = p.customer_id AND d.consent_id = p.consent_id
        LEFT JOIN customer s ON s.customer_id = p.customer_id) r) q"""


def items(kind: str, life: str) -> str:
    """All versions of an item (``f``), due by what its last one (``n``) says."""
    table = FACT_TABLES[kind].name
    same = "n.customer_id = f.customer_id AND n.connection_id = f.connection_id AND n.source_key = f.source_key"
    last = f"SELECT {ENDED[kind]} AS ended_on FROM {table} n WHERE {same} ORDER BY n.version DESC LIMIT 1"
    own = "f.customer_id, f.fact_id, f.page_id, f.known_from, f.known_to"
    return f"""SELECT '{kind}'::text AS kind, {own}, (l.ended_on + interval '{life}')::date AS erase_on
FROM {table} f CROSS JOIN LATERAL ({last}) l WHERE l.ended_on IS NOT NULL"""


def item_due(rules: Retention) -> str:
    branches = "\nUNION ALL ".join(items(kind, life) for kind, life in rules.limited().items())
    return f"\nCREATE VIEW item_due WITH (security_invoker = true) AS\n{branches}"


# A consent that ended before the evaluation was none that it read under.
EVALUATION_DUE = f"""
CREATE VIEW evaluation_due WITH (security_invoker = true) AS
SELECT r.customer_id, r.evaluation_id, min(r.erase_on) AS erase_on FROM (
    SELECT v.customer_id, v.evaluation_id, least({_day("v.known_at")} + d.data_life_days, d.ends_on) AS erase_on
    FROM evaluation v JOIN feature_evidence e ON e.customer_id = v.customer_id AND e.evaluation_id = v.evaluation_id
    JOIN consent_due d ON d.customer_id = v.customer_id AND d.source = e.source AND d.starts_at <= v.known_at AND (d.ended_at IS NULL OR d.ended_at > v.known_at)
    WHERE v.inputs_erased_on IS NULL
    UNION ALL SELECT v.customer_id, v.evaluation_id, i.erase_on
    FROM evaluation v JOIN feature_evidence e ON e.customer_id = v.customer_id AND e.evaluation_id = v.evaluation_id
    JOIN item_due i ON i.customer_id = v.customer_id AND i.kind = e.kind AND i.known_from <= v.known_at AND (i.known_to IS NULL OR i.known_to > v.known_at)
    WHERE v.inputs_erased_on IS NULL
    UNION ALL SELECT v.customer_id, v.evaluation_id, s.erased_on FROM evaluation v JOIN customer s ON s.customer_id = v.customer_id
    WHERE v.inputs_erased_on IS NULL AND s.erased_on IS NOT NULL
) r GROUP BY r.customer_id, r.evaluation_id"""

NAMED_BY = """
BEGIN
    IF EXISTS (SELECT 1 FROM removed r JOIN public.fact f ON f.customer_id = r.customer_id AND f.page_id = r.page_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = 'a page goes with its facts or after them', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
"""
"""The body of ``page_goes_last()``, which the trigger of that name calls after pages were deleted."""

VIEWS = ("consent_due", "page_due", "item_due", "evaluation_due")


def views() -> Iterator[str]:
    """In the order in which they are made."""
    rules = retention()
    yield from (TODAY, consent_due(rules), PAGE_DUE, item_due(rules), EVALUATION_DUE)


def _named(column: str, lists: str, *, whole: bool = False) -> str:
    """A row that a tombstone of this very transaction names."""
    every = " AND t.facts IS NULL" if whole else ""
    return f"{column} IN (SELECT unnest(t.{lists}) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text{every})"


def _due(lists: str, view: str, key: str, column: str = "") -> str:
    """Everything in a list of a new tombstone is due on its day."""
    due = f"SELECT 1 FROM {view} d WHERE d.customer_id = tombstone.customer_id AND d.{column or key} = u.id AND d.erase_on <= tombstone.done_on"
    return f"NOT EXISTS (SELECT 1 FROM unnest(tombstone.{lists}) AS u(id) WHERE NOT EXISTS ({due}))"


LAWFUL = " AND ".join((
    "xact = pg_current_xact_id()::text", "done_on = hub_today()", _due("pages", "page_due", "page_id"), _due("facts", "item_due", "fact_id"),
    _due("bodies", "item_due", "page_id"), _due("evaluations", "evaluation_due", "evaluation_id"),
))  # fmt: skip


def policies() -> Iterator[str]:
    """What the role hub_worker may delete, beside the rights that it needs for it (:func:`hub.store.security.rights_of`)."""
    rules = retention()
    yield f"CREATE POLICY only_what_is_due ON tombstone AS RESTRICTIVE FOR INSERT TO hub_worker WITH CHECK ({LAWFUL})"
    for table in sorted(table.name for table in FACT_TABLES.values()):
        named = f"{_named('page_id', 'pages', whole=True)} OR {_named('fact_id', 'facts')}"
        yield f"CREATE POLICY erased_only ON {table} AS RESTRICTIVE FOR DELETE TO hub_worker USING ({named})"
    yield f"CREATE POLICY erased_only ON raw_page AS RESTRICTIVE FOR DELETE TO hub_worker USING ({_named('page_id', 'pages', whole=True)})"
    yield f"CREATE POLICY body_only ON raw_page AS RESTRICTIVE FOR UPDATE TO hub_worker USING ({_named('page_id', 'bodies')}) WITH CHECK (body = ''::bytea)"
    for table in rules.of_class("INPUT"):
        yield f"CREATE POLICY erased_only ON {table} AS RESTRICTIVE FOR DELETE TO hub_worker USING ({_named('evaluation_id', 'evaluations')})"
    cleared = "inputs_erased_on = hub_today() AND document = '{}'::jsonb AND verified_revenue IS NULL"
    named = _named("evaluation_id", "evaluations")
    yield f"CREATE POLICY inputs_only ON evaluation AS RESTRICTIVE FOR UPDATE TO hub_worker USING ({named}) WITH CHECK ({cleared})"
    gone = "NOT EXISTS (SELECT 1 FROM fact f WHERE f.customer_id = fact_mark.customer_id AND f.fact_id = fact_mark.fact_id)"
    yield f"CREATE POLICY erased_only ON fact_mark AS RESTRICTIVE FOR DELETE TO hub_worker USING ({gone})"
    erased = "EXISTS (SELECT 1 FROM customer s WHERE s.customer_id IN (identity_event.customer_id, identity_event.other_id) AND s.erased_on IS NOT NULL)"
    yield f"CREATE POLICY reason_only ON identity_event AS RESTRICTIVE FOR UPDATE TO hub_worker USING ({erased}) WITH CHECK (reason IS NULL)"
