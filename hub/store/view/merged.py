"""Merged customers in the view: one who sees both sees one, whose parts are the rows of each; one who sees one of them sees that one as it was (ADR 32).

A merge is seen by whoever sees the customer that was merged, and counts where the one that stays is seen, too: row-level security decides both, so a statement
needs no word about who asks. ``parts`` are the ids whose rows belong to a customer's answer. What consents cover is looked at row by row under each part's own id,
so a merge widens none.
"""

from __future__ import annotations

from hub.store.view.catalogue import Rows, Scope

_STAYS = "exists (select 1 from customer s where s.customer_id = m.into_id)"
_PARTS = "select array(select m.customer_id from customer_merge m where m.into_id = c.customer_id) || c.customer_id as parts"
WITH_PARTS = f"(select c.*, p.parts from customer c cross join lateral ({_PARTS} offset 0) p)"
"""A customer with the ids of its parts, itself among them. OFFSET keeps PostgreSQL from working them out again wherever they are named."""


def standing_customers(t: str, scope: Scope) -> Rows:
    """Those that nobody else answers for."""
    merged = f"not exists (select 1 from customer_merge m where m.customer_id = {t}.customer_id and {_STAYS})"
    return Rows(f"{WITH_PARTS} {t}", (merged,))


SAME_SUBJECT = (
    "(select coalesce(json_agg(o.customer_id order by o.customer_id), '[]'::json) from customer o where o.subject_hash = {t}.subject_hash"
    " and o.customer_id <> all({t}.parts))"
)
"""Others of one code or number, as far as the client sees them: what two clients said of a subject differs, or it was merged elsewhere."""


def answering(asked: str) -> str:
    """The id of the customer that answers for the one with this id.

    Worked out before anything is looked for: to row-level security COALESCE might tell something of the rows it is compared with, so that these would be read one by one.
    """
    return f"(select coalesce((select m.into_id from customer_merge m where m.customer_id = {asked} and {_STAYS}), {asked}))"


def is_part(t: str, scope: Scope) -> str:
    """The row belongs to the enclosing customer or to one merged into it."""
    return f"{t}.customer_id = any({scope['Customer']}.parts)"
