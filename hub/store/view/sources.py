"""The access block: for each kind of source the consent that counts, its connection, what is covered and how fresh that is."""

from __future__ import annotations

from hub.domain.enums import SourceKind
from hub.store.view.catalogue import Column, Many, One, Rows, RowsOf, Scope, TypeView, columns
from hub.store.view.environment import NOW, STALE_DAYS, TODAY
from hub.store.view.gate import DENIAL, handed, of_this_use, told_of

_ALL_SOURCES = ", ".join(f"'{kind}'" for kind in SourceKind)


def sources(t: str, scope: Scope) -> Rows:
    """One row per kind of source of the enclosing customer."""
    p, k, w = scope["Customer"], f"{t}_k", f"{t}_v"
    use, known = " and ".join(of_this_use(k)), f" and {w}.completed_at <= {scope.known_at}" if scope.known_at else ""
    consent = (
        f"left join lateral (select {k}.* from consent {k} where {k}.customer_id = {p}.customer_id and {k}.source = {t}.source and {use}"
        f" order by ({k}.status in ('ACTIVE', 'PAUSED')) desc, {k}.changed_at desc limit 1) {t}_c on true"
    )
    mine, known_days = told_of(f"{t}_c"), handed(f"{t}_c")
    linked = f"left join connection {t}_n on {t}_n.customer_id = {p}.customer_id and {t}_n.connector = {t}_c.connector and {mine}"
    covered = (
        f"left join lateral (select range_agg({w}.covered) as days, max({w}.completed_at) as completed_at from sync_window {w}"
        f" where {w}.customer_id = {p}.customer_id and {w}.source = {t}.source and {w}.state = 'DONE'{known} and {known_days}) {t}_w on true"
    )
    listed = f"unnest(array[{_ALL_SOURCES}]) with ordinality {t}(source, place)"
    return Rows(f"{listed} {consent} {linked} {covered}", ())


def access_of(source: SourceKind) -> RowsOf:
    """The one row of a kind of source."""

    def rows(t: str, scope: Scope) -> Rows:
        return Rows(sources(t, scope).source, (f"{t}.source = '{source}'",))

    return rows


_LIMIT = f"({STALE_DAYS} ->> {{t}}.source)::int"
_AGE = f"{TODAY} - (upper({{t}}_w.days) - 1)"
STATUS = f"""case
 when {{t}}_c.consent_id is null then 'NOT_CONNECTED'
 when not {told_of("{t}_c")} then 'CONSENT_MISSING'
 when {{t}}_c.status = 'REVOKED' then 'CONSENT_WITHDRAWN'
 when {{t}}_c.status = 'EXPIRED' or {{t}}_c.expires_at <= {NOW} then 'CONSENT_EXPIRED'
 when {{t}}_c.status = 'PAUSED' then 'CONSENT_PAUSED'
 when {{t}}_c.status <> 'ACTIVE' then 'CONSENT_MISSING'
 when {{t}}_n.connection_id is null or {{t}}_n.status not in ('ACTIVE', 'REAUTHORISE') then 'NOT_CONNECTED'
 when coalesce(isempty({{t}}_w.days), true) and {{t}}_n.last_verdict is null and {{t}}_n.status = 'ACTIVE' then 'SYNCING'
 when coalesce(isempty({{t}}_w.days), true) then 'UPSTREAM_ERROR'
 when {_AGE} > {_LIMIT} then 'STALE'
 else 'AVAILABLE' end"""
"""Whether the source of a row of :func:`sources` can be used."""


def _own_consent(t: str, scope: Scope) -> Rows:
    p = scope["SourceAccess"]
    return Rows(f"(select {p}_c.*) {t}", (f"{p}_c.consent_id is not null", told_of(f"{p}_c")))


def _own_connection(t: str, scope: Scope) -> Rows:
    p = scope["SourceAccess"]
    return Rows(f"(select {p}_n.*) {t}", (f"{p}_n.connection_id is not null",))


def _intervals(t: str, scope: Scope) -> Rows:
    return Rows(f"unnest({scope['SourceAccess']}_w.days) {t}(days)", ())


SOURCE_TYPES = [
    TypeView(
        "SourceAccess",
        {
            "source": Column("{t}.source"),
            "status": Column(STATUS),
            "denial": Column(DENIAL.replace("{c}", "{t}_c")),
            "dataEnd": Column("upper({t}_w.days) - 1"),
            "ageDays": Column(_AGE),
            "staleAfterDays": Column(_LIMIT),
            "fetchedAt": Column("{t}_w.completed_at"),
            "coverage": Many("Interval", _intervals, "{t}.days", default=100),
            "consent": One("Consent", _own_consent),
            "connection": One("PlatformConnection", _own_connection),
        },
    ),
    TypeView("Interval", columns(first="lower({t}.days)", last="upper({t}.days) - 1")),
]
