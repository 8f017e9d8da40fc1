"""Row-level security and grants, derived from the tables (trust rules, section j). The migrations carry the text this prints.

What hub_app may do is what its transactions need (:data:`NEEDED`), within bounds of its own (:data:`BOUNDS`): a hole in a statement of a client's transaction
opens no other table, and writes nothing in anybody else's name.

Policies read a setting where they need it, and call a function rather than hold a sub-select: a statement that names twenty tables pays for every part of a plan each
time it begins, whether it comes to it or not (ADR 55).

The role hub_app sees a customer only through ``customer_client``: without ``hub.client`` there are no rows. The function ``client_sees`` looks, and notes for the
rest of the transaction whom it saw (``hub.seen``), because the rows of one customer come together. The role hub_worker does the hub's
own work on every customer and is never handed to a client.

What was fetched hub_app sees only while a consent lets it be read (``consent_covers``, which narrows ``client_sees``): one for the transaction's
``hub.purpose``, of the row's source and kind, given and not run out at ``hub.now``, whose range holds the row's day and whose life the row has not outlived; and which
names the app, if a partner's client asks: who is none says so (``hub.inside``), or the function ``client_is_inside`` looks at the client's row. It is
:func:`hub.consent.gate.decide` once more, for whatever statement. A transaction that does not say what time it is lives in the time of the database.
"""

from __future__ import annotations

from collections.abc import Iterator

import hub.store.tables  # noqa: F401
from hub.consent.law import AHEAD
from hub.consent.retention import retention
from hub.domain.facts import FactSpec
from hub.store.erasure import laws
from hub.store.fact_tables import FACT_TABLES
from hub.store.metadata import metadata

_CLIENT = "current_setting('hub.client', true)"


def _is_visible(table: str) -> str:
    """The customer whom the transaction saw last, or one whom ``client_sees`` looks up: rows of one customer stand together.

    Compared as text: to write an id costs half of what it costs to read the setting as one, and every row is asked."""
    return f"{table}.customer_id::text = current_setting('hub.seen', true) OR client_sees({table}.customer_id)"


APPEND_ONLY = frozenset({
    "access_log", "concentration_row", "connector_assessment", "raw_page", "consent_event", "evaluation", "evaluation_profile", "check_result", "evaluation_reason", "evidence_kind", "feature_evidence", "feature_value",
    "evaluation_hint", "evaluation_inputs", "fact_mark", "fairness_cell", "limit_part", "model_result", "score_point", "series_month", "reference_version", "policy", "policy_approval", "policy_end", "policy_trial", "audit_anchor", "audit_event", "identity_event",
    "tombstone",
})  # fmt: skip
"""What was said, fetched, decided or published is never changed: no role of the hub may update or delete it, but for what is due to be erased (:data:`ERASED`)."""
ERASED = {
    "raw_page": ("DELETE", "UPDATE (body)"), "evaluation": ("UPDATE (document, inputs_erased_on, verified_revenue)",), "fact_mark": ("DELETE",),
    "identity_event": ("UPDATE (reason)",),
    **dict.fromkeys(retention().of_class("INPUT"), ("DELETE",)),
}  # fmt: skip
"""What the role hub_worker may do beside that, each within a policy of :func:`hub.store.erasure.laws.policies`."""
PRIVATE = frozenset(
    {
        "audit_anchor",
        "audit_event",
        "consent_app",
        "cost_ledger",
        "policy_draft",
        "policy_trial",
        "portfolio_part",
        "relation",
        "replay",
        "trusted_document",
    }
)
"""Nothing that a client is answered with: it may name somebody else's customer, or another client."""
_FACTS = frozenset(table.name for table in FACT_TABLES.values())
"""A fact is never overwritten: a change ends it and adds another. It is deleted by the role hub_worker alone, where its erasure is due."""
_THE_CUSTOMERS = ("starts_at", "apps")
_ASKED = "UPDATE (" + ", ".join(sorted(column.name for column in metadata.tables["consent"].c if column.name not in _THE_CUSTOMERS)) + ")"
"""What is asked for is written anew as a whole. That it was given, since when, and to whom the data may be handed, is the customer's to say, on a page of the hub's own."""
NEEDED = {
    # Tokens: how the clients' server keeps its keys, and what was used once.
    "signing_key": ("INSERT", "UPDATE (retired_at)"), "used_token_id": ("INSERT", "DELETE"), "client": ("UPDATE (last_token_at)",),
    # Every mutation; what it changes is noted by a trigger.
    "idempotency_key": ("INSERT", "UPDATE (response)"), "profile_change": ("INSERT",),
    # createLinkSession, createManageSession, and the steps of a consent; what is resumed is due.
    "consent": ("INSERT", _ASKED), "consent_event": ("INSERT",), "link_session": ("INSERT",), "refusal": ("INSERT",), "connection": ("INSERT", "UPDATE (due_at)"),
    # addParty, endParty; a customer's row is locked by them (FOR UPDATE needs the right to a column), and never changed (:data:`BOUNDS`).
    "customer": ("UPDATE (created_at)",), "party": ("INSERT", "UPDATE (ended_at, valid_to)"), "identity_event": ("INSERT",),
    # raiseDispute; it is resolved by the hub.
    "dispute": ("INSERT",),
    # evaluate.
    **dict.fromkeys(
        (
            "check_result", "evaluation", "evaluation_hint", "evaluation_inputs", "evaluation_profile", "evaluation_reason", "evidence_kind", "feature_evidence", "feature_value", "limit_part",
            "model_result", "score_point", "series_month",
        ),
        ("INSERT",),
    ),
}  # fmt: skip
"""What a client's transaction does, beside reading. All else is the hub's own to do: who sees whom, keys, clients, credentials, what was fetched."""
BEFORE = {
    **dict.fromkeys(_FACTS, ("INSERT", "UPDATE (known_to)")), "raw_page": ("INSERT",), "quarantine": ("INSERT",), "window_keys": ("INSERT", "DELETE"), "window_before": ("INSERT",),
    "sync_run": ("INSERT", "UPDATE"), "sync_window": ("INSERT", "UPDATE"), "connection": ("UPDATE (due_at, epoch, lease_until)",), "access_log": ("INSERT",),
}  # fmt: skip
"""What only the version before does as hub_app, while it is replaced: it logs reads, outside the chains, and writes the sessions that a partner sends. The next
release takes it away."""
_OPERATOR = "current_setting('hub.operator', true) = 'yes'"
WATCHED = frozenset(
    {
        "backfill_window",
        "connection",
        "consent",
        "dispute",
        "identity_event",
        "quarantine",
        "raw_page",
        "sync_event",
        "sync_run",
        "sync_window",
    }
)
"""How fetching goes: an operator's transaction (``hub.operator``) reads it for every customer. What was fetched is sealed in them, and stays so."""

_NOW = "coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now())"
_PURPOSE = "current_setting('hub.purpose', true)"
_HANDED = f"(current_setting('hub.inside', true) = 'yes' OR {_CLIENT} = ANY (c.apps) OR client_is_inside())"
_GIVEN = f"c.purpose = {_PURPOSE} AND c.status = 'ACTIVE' AND {_HANDED} AND c.mode IN ('VIEW', 'STORE', 'STREAM')"
_IN_FORCE = f"""{_GIVEN}
    AND (c.expires_at IS NULL OR c.expires_at > {_NOW})"""

_MINE = f"purpose = {_PURPOSE}"
LONGEST_NO = "interval '90 days'"
"""For how long a refusal may bind at most, whoever writes it: as long as it is kept."""
BOUNDS = {
    ("access_log", "INSERT"): ("", f"client_id = {_CLIENT} AND shard IS NULL AND sequence IS NULL AND hash IS NULL"),
    ("consent_event", "INSERT"): ("", f"actor = {_CLIENT}"),
    ("refusal", "INSERT"): (
        "",
        f"client_id = {_CLIENT} AND {_MINE} AND lifted_at IS NULL AND refused_at <= {_NOW} + {AHEAD} AND again_at <= refused_at + {LONGEST_NO}",
    ),
    ("identity_event", "INSERT"): ("", f"actor = {_CLIENT} AND kind IN ('PARTY_ADDED', 'PARTY_ENDED')"),
    ("dispute", "INSERT"): (
        "",
        f"raised_by = {_CLIENT} AND state = 'OPEN' AND note IS NULL AND resolved_at IS NULL AND resolved_by IS NULL",
    ),
    ("consent", "INSERT"): ("", f"status = 'PENDING' AND starts_at IS NULL AND apps = '{{}}' AND changed_at <= {_NOW} + {AHEAD}"),
    ("consent", "UPDATE"): (_MINE, f"{_MINE} AND (status NOT IN ('ACTIVE', 'PAUSED') OR starts_at IS NOT NULL)"),
    ("customer", "UPDATE"): ("true", "false"),
}
"""What a client's transaction may write of what it sees: which rows, and what they may become. It writes in its own name; outside the log's chains; it asks for
consents and never gives one, and changes those of its own purpose only."""


def _fact_is_covered(spec: FactSpec) -> str:
    """The consent runs out, or the row outlives its life, whichever comes first (LEAST passes over a null): what time it is, is the dearest of what is asked of each row."""
    t = spec.table
    return f"""EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = {t}.customer_id AND c.source = '{spec.source}' AND {_GIVEN}
    AND (c.kinds IS NULL OR '{spec.name}' = ANY (c.kinds)) AND ({t}.occurred_on IS NULL OR {t}.occurred_on BETWEEN c.data_from AND c.data_to)
    AND least(c.expires_at, {t}.known_from + make_interval(days => c.data_life_days)) > {_NOW})"""  # noqa: S608 -- our own text


_PAGE_IS_COVERED = f"""{_OPERATOR} OR EXISTS (SELECT 1 FROM consent f JOIN consent c ON c.customer_id = f.customer_id AND c.source = f.source
    WHERE f.customer_id = raw_page.customer_id AND f.consent_id = raw_page.consent_id AND {_IN_FORCE})"""  # noqa: S608 -- our own text
_MONTH_IS_COVERED = f"""EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = series_month.customer_id AND c.source = series_month.source
    AND {_IN_FORCE})"""  # noqa: S608 -- our own text
_SHOP_IS_COVERED = f"EXISTS (SELECT 1 FROM consent c WHERE c.customer_id = shop_month.customer_id AND c.source = 'SHOP' AND {_IN_FORCE})"  # noqa: S608 -- our own text


def covered_tables() -> dict[str, str]:
    """The tables that show only what a consent covers, and when it does."""
    facts = {table.name: _fact_is_covered(table.info["fact"]) for table in FACT_TABLES.values()}
    return {**facts, "raw_page": _PAGE_IS_COVERED, "series_month": _MONTH_IS_COVERED, "shop_month": _SHOP_IS_COVERED}


def owned_tables() -> list[str]:
    """Every table that belongs to a customer."""
    return sorted(name for name, table in metadata.tables.items() if table.info.get("owner") == "customer")


def rights_of(table: str) -> tuple[frozenset[str], frozenset[str]]:
    """What hub_app and hub_worker may do with a table."""
    worker = frozenset({"SELECT", "INSERT"} if table in APPEND_ONLY else {"SELECT", "INSERT", "UPDATE", "DELETE"}) | frozenset(
        ERASED.get(table, ())
    )
    if table in PRIVATE:
        return frozenset(), worker
    app = frozenset({"SELECT", *NEEDED.get(table, ()), *BEFORE.get(table, ())})
    return app, frozenset({"SELECT", "INSERT", "UPDATE (known_to)", "DELETE"}) if table in _FACTS else worker


def statements() -> Iterator[str]:
    """Everything after the tables: grants, FORCE RLS and policies."""
    for name in sorted(metadata.tables):
        for role, rights in zip(("hub_app", "hub_worker"), rights_of(name), strict=True):
            if rights:
                yield f"GRANT {', '.join(sorted(rights))} ON {name} TO {role}"
    for name in owned_tables():
        rule = f"client_id = {_CLIENT}" if name == "customer_client" else _is_visible(name)
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
        yield f"CREATE POLICY client_sees ON {name} TO hub_app USING ({rule}) WITH CHECK ({rule})"
        yield f"CREATE POLICY hub_works ON {name} TO hub_worker USING (true) WITH CHECK (true)"
    for name, rule in sorted(covered_tables().items()):
        yield f"CREATE POLICY consent_covers ON {name} AS RESTRICTIVE FOR SELECT TO hub_app USING ({rule})"
    for (name, verb), (which, becomes) in BOUNDS.items():
        using = f"USING ({which}) " if which else ""
        yield f"CREATE POLICY bound_{verb.lower()} ON {name} AS RESTRICTIVE FOR {verb} TO hub_app {using}WITH CHECK ({becomes})"
    for view in ("fact", *laws.VIEWS):
        yield f"GRANT SELECT ON {view} TO hub_app, hub_worker"
    yield from laws.policies()
    for name in sorted(WATCHED):
        yield f"CREATE POLICY operator_watches ON {name} FOR SELECT TO hub_app USING ({_OPERATOR})"
    # Rows leave the access log by the owner alone, when they are old (hub.access.audit.trim).
    yield "CREATE POLICY owner_trims ON access_log TO CURRENT_USER USING (true)"
    yield f"CREATE POLICY operator_is_logged ON access_log FOR INSERT TO hub_app WITH CHECK ({_OPERATOR})"
