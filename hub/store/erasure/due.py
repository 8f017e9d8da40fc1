"""Of whom something may be due: the branches of a worker's look, a statement each, found from what has come to its end and never by adding up all that there is.

Each names customers of whom the views of :mod:`hub.store.erasure.laws` say that something is due, so what it costs goes with what has ended. Those that an index
answers come first. An evaluation that goes with an item needs none of its own: the item is there until its evaluations have gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from hub.consent.retention import retention
from hub.store.erasure.laws import OVERDUE, items

ERASED = """
    SELECT s.customer_id FROM customer s WHERE s.erased_on <= :today AND EXISTS (
        SELECT 1 FROM connection c WHERE c.customer_id = s.customer_id UNION ALL SELECT 1 FROM raw_page p WHERE p.customer_id = s.customer_id
        UNION ALL SELECT 1 FROM sync_run r WHERE r.customer_id = s.customer_id UNION ALL SELECT 1 FROM sync_event e WHERE e.customer_id = s.customer_id
        UNION ALL SELECT 1 FROM link_session l WHERE l.customer_id = s.customer_id UNION ALL SELECT 1 FROM quarantine q WHERE q.customer_id = s.customer_id
        UNION ALL SELECT 1 FROM loan_status b WHERE b.customer_id = s.customer_id
        UNION ALL SELECT 1 FROM evaluation v WHERE v.customer_id = s.customer_id AND v.inputs_erased_on IS NULL)"""
_LIFE = "SELECT customer_id FROM raw_page WHERE life_ends_on <= :today"
_UNDATED = """
    SELECT p.customer_id FROM raw_page p JOIN consent_due d ON d.customer_id = p.customer_id AND d.consent_id = p.consent_id
    WHERE p.life_ends_on IS NULL AND (p.fetched_at AT TIME ZONE 'Asia/Shanghai')::date + d.data_life_days <= :today"""
_OVER = "d.ended_at < (CAST(:today AS date) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' AND d.ends_on <= :today"
# Consents first, then their pages one consent at a time: else PostgreSQL may ask of every page there is when it is due.
_ENDED = f"""
    WITH ended AS MATERIALIZED (SELECT d.customer_id, d.consent_id FROM consent_due d WHERE {_OVER})
    SELECT e.customer_id FROM ended e CROSS JOIN LATERAL (SELECT 1 FROM page_due p
        WHERE p.customer_id = e.customer_id AND p.consent_id = e.consent_id AND p.erase_on <= :today LIMIT 1) p"""
_SHORTENED = """
    SELECT d.customer_id FROM consent_due d JOIN raw_page p ON p.consent_id = d.consent_id AND p.customer_id = d.customer_id
    WHERE d.shortened AND p.life_ends_on - p.life_days + d.data_life_days <= :today"""
_READ = "EXISTS (SELECT 1 FROM feature_evidence e WHERE e.customer_id = v.customer_id AND e.evaluation_id = v.evaluation_id AND e.source = d.source)"
_UNDER = f"v.inputs_erased_on IS NULL AND d.starts_at <= v.known_at AND (d.ended_at IS NULL OR d.ended_at > v.known_at) AND {_READ}"
_EVALUATED = f"SELECT d.customer_id FROM consent_due d JOIN evaluation v ON v.customer_id = d.customer_id WHERE {_UNDER}"
# None has outlived its life that is younger than the shortest of all.
_OLD = "v.known_at < (CAST(:today AS date) + 1 - (SELECT min(data_life_days) FROM consent))::timestamp AT TIME ZONE 'Asia/Shanghai'"
_OUTLIVED = f"{_EVALUATED} AND {_OLD} AND (v.known_at AT TIME ZONE 'Asia/Shanghai')::date + d.data_life_days <= :today"

MAY_HAVE_ENDED = {
    "RepaymentMonth": f"f.status IN {OVERDUE} AND f.month <= to_char({{by}}, 'YYYY-MM')",
    "PublicRecord": "f.closed_on <= {by}",
    "TaxArrear": "f.cleared_on <= {by}",
    "TaxViolation": "f.decided_on <= {by}",
    "ShopPenalty": "f.decided_on <= {by}",
}
"""What the last version of an item that is due says of itself: looked at before anything is asked about its other versions."""


@cache
def branches() -> dict[str, str]:
    """By name, each with the parameter ``today``."""
    return {
        "erased": ERASED,
        "life": _LIFE,
        "undated": _UNDATED,
        "consent": _ENDED,
        "shortened": _SHORTENED,
        **dict(_items()),
        "evaluation.consent": f"{_EVALUATED} AND {_OVER}",
        "evaluation.life": _OUTLIVED,
    }


def _items() -> Iterator[tuple[str, str]]:
    for kind, life in retention().limited().items():
        # A day more: five years after the 29th of February are over on the 28th.
        by = f"CAST(:today AS date) - interval '{life}' + interval '1 day'"
        found = f"{items(kind, life)} AND {MAY_HAVE_ENDED[kind].format(by=by)}"
        yield f"item.{kind}", f"SELECT customer_id FROM ({found}) i WHERE i.erase_on <= :today"
