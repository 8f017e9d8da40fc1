"""How fetching goes, in the catalogue: connections, runs, windows, attempts, waits, what could not be read, and the platforms themselves.

For operators. They see no fact and no name; a record that could not be read is counted by its path and reason, never shown. Leases, due times and pauses are
compared with the database's clock (``now()``), consents with business time.
"""

from __future__ import annotations

from hub.store.view.catalogue import (
    Argued,
    Convert,
    Many,
    Member,
    One,
    Order,
    Paged,
    Rows,
    RowsOf,
    Scope,
    TypeView,
    below,
    columns,
    plain,
)
from hub.store.view.environment import NOW, QUOTAS
from hub.store.view.profiles import PROFILE_CHANGED

_ID = "'PlatformConnection:' || {t}.customer_id || ':' || {t}.connection_id"
_ITSELF = Argued(
    "text",
    "{p_type} = 'PlatformConnection' and {t}.customer_id = {p_customer} and {t}.connection_id = {p_key}",
    convert=Convert.NODE_ID,
)
_CUSTOMER = Argued("uuid", "{t}.customer_id = {p}", convert=Convert.CUSTOMER_ID)
_CONSENTS = "from consent k where k.customer_id = {t}.customer_id and k.connector = {t}.connector and k.status = 'ACTIVE'"
_OF_CONNECTOR = "exists (select 1 from connection n where n.customer_id = {t}.customer_id and n.connection_id = {t}.connection_id and n.connector = {p})"
_DAYS = {"from": Argued("date", "{t}.first_day >= {p}"), "to": Argued("date", "{t}.first_day <= {p}")}


def _all(table: str) -> RowsOf:
    def rows(t: str, scope: Scope) -> Rows:
        return Rows(f"{table} {t}", ())

    return rows


def _drifted(t: str, scope: Scope) -> Rows:
    return Rows(f"record_shape {t}", (f"{t}.drifted",))


def watching_fields() -> dict[str, Member]:
    """The fields of Query."""
    return {
        "syncConnections": Paged("WatchedConnection", _all("connection"), Order("connection_id"), _FILTERS),
        "syncRuns": Paged("WatchedRun", _all("sync_run"), Order("run_id"), _RUN_FILTERS),
        "platforms": Many(
            "PlatformStatus",
            _all("quota_ledger"),
            "{t}.connector, {t}.credential",
            {"connector": Argued("text", "{t}.connector = {p}")},
            default=100,
            owned=False,
        ),
        "identityEvents": Paged("IdentityEvent", _all("identity_event"), Order("event_id"), {"customerId": _CUSTOMER}),
        "drift": Many(
            "RecordDrift",
            _drifted,
            "{t}.last_seen desc, {t}.connector, {t}.stream, {t}.path, {t}.type",
            {"connector": Argued("text", "{t}.connector = {p}")},
            default=20,
            owned=False,
        ),
    }


_SAME_ACCOUNT = (
    "(select count(*) from connection o where o.connector = {t}.connector and o.holder_hash = {t}.holder_hash"
    " and o.connection_id <> {t}.connection_id and o.status <> 'DISCONNECTED')"
)
_FILTERS = {
    "connector": Argued("text", "{t}.connector = {p}"),
    "accountShared": Argued("boolean", f"({_SAME_ACCOUNT} > 0) = {{p}}"),
    "statuses": Argued("text[]", "{t}.status = any({p})"),
    "verdicts": Argued("text[]", "{t}.last_verdict = any({p})"),
    "customerId": _CUSTOMER,
    "endsBefore": Argued(
        "timestamptz",
        f"{{t}}.status = 'ACTIVE' and ({{t}}.grant_expires_at < {{p}} or exists (select 1 {_CONSENTS} and k.expires_at > {NOW} and k.expires_at < {{p}}))",
    ),
}
_RUN_FILTERS = {
    "connector": Argued("text", _OF_CONNECTOR),
    "verdicts": Argued("text[]", "{t}.verdict = any({p})"),
    "customerId": _CUSTOMER,
    "connectionId": _ITSELF,
}

SUBSCRIPTION = TypeView(
    "Subscription",
    {
        "syncProgress": Many(
            "WatchedConnection", _all("connection"), "{t}.connection_id", {"customerId": _CUSTOMER, "connectionId": _ITSELF}, default=100
        ),
        "profileChanged": PROFILE_CHANGED,
    },
)


_WINDOW = (
    "customer_id, connection_id, run_id, stream, source, first_day, last_day, state, reason, pages, fetched, stored, unchanged, quarantined, rejected,"
    " repeated, passes, declared_total, completed_at, md5(connection_id::text || stream)::uuid as window_id"
)
"""A window has no id of its own; its stream tells apart those of one day."""


def _windows_of_connection(t: str, scope: Scope) -> Rows:
    p = scope["WatchedConnection"]
    mine = (f"{t}.customer_id = {p}.customer_id", f"{t}.connection_id = {p}.connection_id")
    return Rows(f"(select {_WINDOW} from sync_window) {t}", mine)


def _windows_of_run(t: str, scope: Scope) -> Rows:
    """By the timetable or apart from it: a run has windows of one of the two."""
    p = scope["WatchedRun"]
    both = " union all ".join(f"select {_WINDOW} from {table}" for table in ("sync_window", "backfill_window"))
    return Rows(f"({both}) {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.run_id = {p}.run_id"))


_WINDOW_FILTERS = {
    **_DAYS,
    "states": Argued("text[]", "{t}.state = any({p})"),
    "streams": Argued("text[]", "{t}.stream = any({p})"),
}


def _quarantine(t: str, scope: Scope) -> Rows:
    """Grouped: how many records of a stream could not be read at the same place for the same reason."""
    p = scope["WatchedConnection"]
    pages = f"join raw_page g on g.customer_id = q.customer_id and g.page_id = q.page_id and g.connection_id = {p}.connection_id"
    counts = "count(*) as records, count(*) filter (where q.resolved_at is null) as unresolved, min(q.at) as first_at, max(q.at) as last_at"
    grouped = (
        f"select q.stream, q.path, q.reason, {counts} from quarantine q {pages} where q.customer_id = {p}.customer_id group by 1, 2, 3"
    )
    return Rows(f"({grouped}) {t}", ())


def _attempts(t: str, scope: Scope) -> Rows:
    """Every request of a run: those that were answered are its raw pages, those that failed are events."""
    p = scope["WatchedRun"]
    answered = (
        "select customer_id, run_id, page_id as attempt_id, fetched_at as at, stream, first_day, 'ANSWERED' as outcome, null::text as fault,"
        " null::text as detail, status, request ->> 'interaction' as interaction, coalesce((request ->> 'repeated')::boolean, false) as repeated from raw_page"
    )
    failed = (
        "select customer_id, run_id, event_id, at, stream, first_day, 'FAILED', fault, detail, status, interaction, repeated"
        " from sync_event where kind = 'ATTEMPT'"
    )
    return Rows(f"({answered} union all {failed}) {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.run_id = {p}.run_id"))


def _waits(t: str, scope: Scope) -> Rows:
    rows = below("sync_event", "WatchedRun", "run_id")(t, scope)
    return Rows(rows.source, (*rows.where, f"{t}.seconds is not null"))


def _counted(what: str, table: str, where: str, key: str = "connection_id") -> str:
    return f"(select {what} from {table} w where w.customer_id = {{t}}.customer_id and w.{key} = {{t}}.{key} and {where})"


WATCHED_CONNECTION = TypeView(
    "WatchedConnection",
    {
        **columns(id=_ID, customerId="{t}.customer_id"),
        **plain(
            "connector",
            "status",
            "epoch",
            "lastVerdict",
            "lastFault",
            "lastFaultDetail",
            "dueAt",
            "leaseUntil",
            "failures",
            "endedAt",
            "endedReason",
            "createdAt",
        ),
        **columns(
            running="coalesce({t}.lease_until > now(), false)",
            parkedUntil="case when {t}.last_verdict = 'PARKED' and {t}.due_at > now() then {t}.due_at end",
            accountSharedWith=f"case when {{t}}.holder_hash is not null then {_SAME_ACCOUNT} end",
            grantEndsAt="{t}.grant_expires_at",
            consentEndsAt=f"(select min(k.expires_at) {_CONSENTS} and k.expires_at > {NOW})",
            openWindows=_counted("count(*)", "sync_window", "w.state = 'OPEN'"),
            failedWindows=_counted("count(*)", "sync_window", "w.state = 'FAILED'"),
        ),
        "run": One("WatchedRun", below("sync_run", "WatchedConnection", "connection_id"), "{t}.epoch desc"),
        "runs": Paged("WatchedRun", below("sync_run", "WatchedConnection", "connection_id"), Order("run_id"), _RUN_FILTERS),
        "windows": Paged("WatchedWindow", _windows_of_connection, Order("window_id", "first_day"), _WINDOW_FILTERS),
        "quarantine": Many("QuarantineGroup", _quarantine, "{t}.stream, {t}.path, {t}.reason", default=100),
    },
)


def _connection(t: str, scope: Scope) -> Rows:
    p = scope["WatchedRun"]
    return Rows(f"connection {t}", (f"{t}.customer_id = {p}.customer_id", f"{t}.connection_id = {p}.connection_id"))


WATCHED_RUN = TypeView(
    "WatchedRun",
    {
        **columns(id="{t}.run_id", customerId="{t}.customer_id", connectionId=_ID),
        **plain("kind", "epoch", "startedAt", "endedAt", "verdict", "fault", "faultDetail"),
        **plain("fetched", "stored", "unchanged", "quarantined", "rejected", "windowsPlanned", "windowsDone"),
        **columns(
            pages="{t}.requests",
            failedAttempts=_counted("count(*)", "sync_event", "w.kind = 'ATTEMPT'", "run_id"),
            waitedSeconds=_counted(
                "round(coalesce(sum(w.seconds) filter (where w.kind <> 'PARK'), 0)::numeric, 3)::text", "sync_event", "true", "run_id"
            ),
            parkedUntil=_counted("max(w.until)", "sync_event", "w.kind = 'PARK'", "run_id"),
            progress="case when {t}.windows_planned > 0 then round(least(1, {t}.windows_done::numeric / {t}.windows_planned), 4)::text end",
            progressUnknown="case when {t}.windows_planned = 0 then 'NOT_PLANNED' end",
        ),
        "watched": One("WatchedConnection", _connection),
        "windows": Paged("WatchedWindow", _windows_of_run, Order("window_id", "first_day"), _WINDOW_FILTERS),
        "attempts": Paged("SyncAttempt", _attempts, Order("attempt_id")),
        "waits": Paged("SyncWait", _waits, Order("event_id")),
    },
)

_ENDED = "{t}.state in ('DONE', 'NOT_SERVED')"
WATCHED_WINDOW = TypeView(
    "WatchedWindow",
    {
        **plain(
            "stream",
            "source",
            "firstDay",
            "lastDay",
            "state",
            "reason",
            "pages",
            "fetched",
            "stored",
            "unchanged",
            "quarantined",
            "rejected",
        ),
        **plain("repeated", "passes", "declaredTotal", "completedAt"),
        **columns(
            progress=f"case when {_ENDED} or {{t}}.declared_total = 0 then '1.0000'"
            " when {t}.declared_total > 0 then round(least(1, {t}.fetched::numeric / {t}.declared_total), 4)::text end",
            progressUnknown=f"case when {_ENDED} or {{t}}.declared_total is not null then null"
            " when {t}.pages = 0 then 'NOTHING_FETCHED' else 'NO_TOTAL_STATED' end",
        ),
    },
)

_MINUTE = "{t}.minute = floor(extract(epoch from now()) / 60)"
_DAY = "{t}.day = floor((extract(epoch from now()) + 28800) / 86400)"
_ALLOWED = f"({QUOTAS} -> {{t}}.connector ->> '%s')::bigint"


def _used(name: str, current: str) -> str:
    return f"case when {current} then {{t}}.{name}_calls + {{t}}.{name}_foreign else 0 end"


def _left(name: str, current: str) -> str:
    allowed = _ALLOWED.replace("%s", "per_" + name)
    return f"case when {allowed} is not null then greatest(0, {allowed} - {_used(name, current)}) end"


def _assessed(column: str) -> str:
    """Of the impact assessment that holds for a connector."""
    return f"(select a.{column} from connector_assessment a where a.connector = {{t}}.connector order by a.noted_at desc limit 1)"


PLATFORM_STATUS = TypeView(
    "PlatformStatus",
    {
        **plain("connector", "credential", "circuit", "circuitFailures", "circuitUntil"),
        **columns(
            parkedUntil="case when {t}.parked_until > now() then {t}.parked_until end",
            inFlight="(select coalesce(sum((value ->> 0)::int), 0) from jsonb_each({t}.places) where (value ->> 1)::float8 > extract(epoch from now()))",
            inFlightLimit=_ALLOWED.replace("%s", "in_flight"),
            usedThisMinute=_used("minute", _MINUTE),
            leftThisMinute=_left("minute", _MINUTE),
            retriesThisMinute=f"case when {_MINUTE} then {{t}}.minute_retries else 0 end",
            usedToday=_used("day", _DAY),
            leftToday=_left("day", _DAY),
            assessmentId=_assessed("assessment_id"),
            assessedOn=_assessed("assessed_on"),
        ),
    },
)

WATCHING_TYPES = [
    SUBSCRIPTION,
    WATCHED_CONNECTION,
    WATCHED_RUN,
    WATCHED_WINDOW,
    PLATFORM_STATUS,
    TypeView(
        "SyncAttempt",
        {
            **columns(id="{t}.attempt_id", windowFirst="{t}.first_day"),
            **plain("at", "stream", "outcome", "fault", "detail", "status", "interaction", "repeated"),
        },
    ),
    TypeView(
        "SyncWait",
        {
            **columns(id="{t}.event_id", windowFirst="{t}.first_day", reason="{t}.detail", seconds="round({t}.seconds::numeric, 3)::text"),
            **columns(kind="case {t}.kind when 'ATTEMPT' then 'RETRY' else {t}.kind end"),
            **plain("at", "until", "stream", "fault"),
        },
    ),
    TypeView("IdentityEvent", {**columns(id="{t}.event_id"), **plain("kind", "customerId", "otherId", "partyId", "actor", "reason", "at")}),
    TypeView("QuarantineGroup", plain("stream", "path", "reason", "records", "unresolved", "firstAt", "lastAt")),
    TypeView("RecordDrift", plain("connector", "stream", "path", "type", "sightings", "firstSeen", "lastSeen")),
]
