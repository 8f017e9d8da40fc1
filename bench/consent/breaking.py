"""Guards taken out, so that a run must find what they keep away."""

from __future__ import annotations

from sqlalchemy import create_engine, pool, text

from bench.consent.settings import Share
from hub.consent import gate
from hub.store.security import covered_tables


def take_out(share: Share) -> None:
    """``range``: the gate takes any day for a consented one. ``policy``: the database shows every fact of a customer."""
    if share.broken == "range":
        gate._is_within = lambda consent, ask: True
    if share.broken == "policy":
        engine = create_engine(share.urls.owner, poolclass=pool.NullPool)
        with engine.begin() as owner:
            for name in covered_tables():
                owner.execute(text(f"DROP POLICY consent_covers ON {name}"))
        engine.dispose()
