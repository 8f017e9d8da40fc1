"""What a trial compares, as SQL: each evaluation it has come to, as it was decided and as the draft would decide it."""

from __future__ import annotations


def cases(draft: str) -> str:
    """Rows of a trial; ``draft`` is SQL for its id. Those with ``left_out`` cannot be compared."""
    return f"""SELECT v.evaluation_id, t.left_out, v.outcome, v.final_limit, v.rate, v.term_months, v.reasons, t.outcome AS other_outcome,
        t.final_limit AS other_limit, t.rate AS other_rate, t.term_months AS other_term, t.reasons AS other_reasons
    FROM policy_trial t JOIN evaluation v ON v.customer_id = t.customer_id AND v.evaluation_id = t.evaluation_id
    WHERE t.draft_id = {draft}"""  # noqa: S608 -- our own text


def to_try(scenario: str, since: str) -> str:
    """Which evaluations ``v`` a trial comes to, sooner or later; ``scenario`` and ``since`` are SQL."""
    return f"v.scenario = {scenario} AND v.created_at >= {since} AND NOT v.what_if"
