"""Row-level security and grants, derived from the tables (trust rules, section j). The migrations carry the text this prints.

The role hub_app sees a customer only through ``customer_client``: without ``hub.client`` there are no rows. The role hub_worker does the hub's
own work on every customer and is never handed to a client.
"""

from __future__ import annotations

from collections.abc import Iterator

import hub.store.tables  # noqa: F401
from hub.consent.retention import retention
from hub.store.erasure import laws
from hub.store.fact_tables import FACT_TABLES
from hub.store.metadata import metadata

_CLIENT = "(select current_setting('hub.client', true))"
_VISIBLE = f"customer_id IN (SELECT customer_id FROM customer_client WHERE client_id = {_CLIENT})"  # noqa: S608
APPEND_ONLY = frozenset({
    "access_log", "raw_page", "consent_event", "evaluation", "check_result", "evaluation_reason", "feature_evidence", "feature_value",
    "fact_mark", "limit_part", "score_point", "series_month", "policy", "audit_anchor", "audit_event", "identity_event", "tombstone",
})  # fmt: skip
"""What was said, fetched, decided or published is never changed: no role of the hub may update or delete it, but for what is due to be erased (:data:`ERASED`)."""
ERASED = {
    "raw_page": ("DELETE", "UPDATE (body)"), "evaluation": ("UPDATE (document, inputs_erased_on, verified_revenue)",), "fact_mark": ("DELETE",),
    **dict.fromkeys(retention().of_class("INPUT"), ("DELETE",)),
}  # fmt: skip
"""What the role hub_worker may do beside that, each within a policy of :func:`hub.store.erasure.laws.policies`."""
HUB_ONLY = frozenset({
    "backfill_window", "customer_client", "customer_merge", "fact_mark", "inbound_event", "quota_ledger", "record_shape", "revocation", "sync_event",
    "tombstone", "touched_days",
})  # fmt: skip
"""Who sees whom, what a platform still allows, what went wrong on the way: the hub's to say. A client's transaction reads it and nothing more."""
PRIVATE = frozenset({"audit_anchor", "audit_event", "replay"})
"""Nothing that a client is answered with: it may name somebody else's customer, or another client."""
_FACTS = frozenset(table.name for table in FACT_TABLES.values())
"""A fact is never overwritten: a change ends it and adds another. It is deleted by the role hub_worker alone, where its erasure is due."""
_OPERATOR = "(select current_setting('hub.operator', true)) = 'yes'"
WATCHED = frozenset(
    {"backfill_window", "connection", "consent", "identity_event", "quarantine", "raw_page", "sync_event", "sync_run", "sync_window"}
)
"""How fetching goes: an operator's transaction (``hub.operator``) reads it for every customer. What was fetched is sealed in them, and stays so."""


def owned_tables() -> list[str]:
    """Every table that belongs to a customer."""
    return sorted(name for name, table in metadata.tables.items() if table.info.get("owner") == "customer")


def rights_of(table: str) -> tuple[frozenset[str], frozenset[str]]:
    """What hub_app and hub_worker may do with a table."""
    if table in _FACTS:
        app = frozenset({"SELECT", "INSERT", "UPDATE (known_to)"})
        return app, app | {"DELETE"}
    usual = frozenset({"SELECT", "INSERT"} if table in APPEND_ONLY else {"SELECT", "INSERT", "UPDATE", "DELETE"})
    app = frozenset() if table in PRIVATE else frozenset({"SELECT"}) if table in HUB_ONLY else usual
    return app, usual | frozenset(ERASED.get(table, ()))


def statements() -> Iterator[str]:
    """Everything after the tables: grants, FORCE RLS and policies."""
    for name in sorted(metadata.tables):
        for role, rights in zip(("hub_app", "hub_worker"), rights_of(name), strict=True):
            if rights:
                yield f"GRANT {', '.join(sorted(rights))} ON {name} TO {role}"
    for name in owned_tables():
        rule = f"client_id = {_CLIENT}" if name == "customer_client" else _VISIBLE
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
        yield f"CREATE POLICY client_sees ON {name} TO hub_app USING ({rule}) WITH CHECK ({rule})"
        yield f"CREATE POLICY hub_works ON {name} TO hub_worker USING (true) WITH CHECK (true)"
    for view in ("fact", *laws.VIEWS):
        yield f"GRANT SELECT ON {view} TO hub_app, hub_worker"
    yield from laws.policies()
    for name in sorted(WATCHED):
        yield f"CREATE POLICY operator_watches ON {name} FOR SELECT TO hub_app USING ({_OPERATOR})"
    # Rows leave the access log by the owner alone, when they are old (hub.access.audit.trim).
    yield "CREATE POLICY owner_trims ON access_log TO CURRENT_USER USING (true)"
    yield f"CREATE POLICY operator_is_logged ON access_log FOR INSERT TO hub_app WITH CHECK ({_OPERATOR})"
