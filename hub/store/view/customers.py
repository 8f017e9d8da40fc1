"""The customer in the catalogue: who it is, what was consented, connected and covered."""

from __future__ import annotations

from hub.consent.grants import SOON
from hub.domain.enums import SourceKind
from hub.store.parties import in_role
from hub.store.view.catalogue import (
    Argued,
    Column,
    Convert,
    Each,
    Many,
    NodeOf,
    One,
    Order,
    Paged,
    Rows,
    Scope,
    TypeView,
    below,
    columns,
    plain,
)
from hub.store.view.environment import INTERNAL, NOW, STALE_DAYS, TODAY
from hub.store.view.evaluations import evaluation_fields, still_readable
from hub.store.view.facts import fact_fields
from hub.store.view.gate import DENIAL, of_this_use
from hub.store.view.merged import SAME_SUBJECT, WITH_PARTS, answering, is_part, standing_customers
from hub.store.view.ownership import OWNER
from hub.store.view.watching import watching_fields

_ALL_SOURCES = ", ".join(f"'{kind}'" for kind in SourceKind)
_WITHIN = f"interval '{SOON.days} days'"
_SOON = f"{NOW} + {_WITHIN}"
_TIMES = {"asOf": Argued("date", sets="as_of"), "knownAt": Argued("timestamptz", sets="known_at")}


def _answering(t: str, scope: Scope) -> Rows:
    """A customer that is asked for by an id: which one, the argument says."""
    return Rows(f"{WITH_PARTS} {t}", ())


def _accesses(t: str, scope: Scope) -> Rows:
    """A partner is not told who else asks."""
    own = f"({INTERNAL} or {t}.client_id = (select current_setting('hub.client', true)))"
    return Rows(f"access_log {t}", (is_part(t, scope), own))


def _consents(t: str, scope: Scope) -> Rows:
    return Rows(f"consent {t}", (is_part(t, scope), *of_this_use(t)))


def _connections(t: str, scope: Scope) -> Rows:
    return Rows(f"connection {t}", (is_part(t, scope),))


def _parties(t: str, scope: Scope) -> Rows:
    """Those in a role on the day asked for, as far as was known at the instant asked for."""
    return Rows(f"party {t}", (is_part(t, scope), *in_role(t, scope.as_of or TODAY, scope.known_at or NOW)))


def _former_parties(t: str, scope: Scope) -> Rows:
    """Those whose role had ended by then."""
    ended = (f"{t}.valid_to <= {scope.as_of or TODAY}", f"{t}.ended_at <= {scope.known_at or NOW}")
    return Rows(f"party {t}", (is_part(t, scope), *ended))


def _sources(t: str, scope: Scope) -> Rows:
    """One row per kind of source, with the consent that counts, its connection and what is covered."""
    p, k, w = scope["Customer"], f"{t}_k", f"{t}_v"
    use, known = " and ".join(of_this_use(k)), f" and {w}.completed_at <= {scope.known_at}" if scope.known_at else ""
    consent = (
        f"left join lateral (select {k}.* from consent {k} where {k}.customer_id = {p}.customer_id and {k}.source = {t}.source and {use}"
        f" order by ({k}.status in ('ACTIVE', 'PAUSED')) desc, {k}.changed_at desc limit 1) {t}_c on true"
    )
    linked = f"left join connection {t}_n on {t}_n.customer_id = {p}.customer_id and {t}_n.connector = {t}_c.connector"
    covered = (
        f"left join lateral (select range_agg({w}.covered) as days from sync_window {w} where {w}.customer_id = {p}.customer_id"
        f" and {w}.source = {t}.source and {w}.state = 'DONE'{known}) {t}_w on true"
    )
    listed = f"unnest(array[{_ALL_SOURCES}]) with ordinality {t}(source, place)"
    return Rows(f"{listed} {consent} {linked} {covered}", ())


_STATUS = f"""case
 when {{t}}_c.consent_id is null then 'NOT_CONNECTED'
 when {{t}}_c.status = 'REVOKED' then 'CONSENT_WITHDRAWN'
 when {{t}}_c.status = 'EXPIRED' or {{t}}_c.expires_at <= {NOW} then 'CONSENT_EXPIRED'
 when {{t}}_c.status = 'PAUSED' then 'CONSENT_PAUSED'
 when {{t}}_c.status <> 'ACTIVE' then 'CONSENT_MISSING'
 when {{t}}_n.connection_id is null or {{t}}_n.status not in ('ACTIVE', 'REAUTHORISE') then 'NOT_CONNECTED'
 when coalesce(isempty({{t}}_w.days), true) and {{t}}_n.last_verdict is null and {{t}}_n.status = 'ACTIVE' then 'SYNCING'
 when coalesce(isempty({{t}}_w.days), true) then 'UPSTREAM_ERROR'
 when {TODAY} - (upper({{t}}_w.days) - 1) > ({STALE_DAYS} ->> {{t}}.source)::int then 'STALE'
 else 'AVAILABLE' end"""


def _own_consent(t: str, scope: Scope) -> Rows:
    p = scope["SourceAccess"]
    return Rows(f"(select {p}_c.*) {t}", (f"{p}_c.consent_id is not null",))


def _own_connection(t: str, scope: Scope) -> Rows:
    p = scope["SourceAccess"]
    return Rows(f"(select {p}_n.*) {t}", (f"{p}_n.connection_id is not null",))


def _intervals(t: str, scope: Scope) -> Rows:
    return Rows(f"unnest({scope['SourceAccess']}_w.days) {t}(days)", ())


QUERY = TypeView(
    "Query",
    {
        "customer": One(
            "Customer",
            _answering,
            arguments={"id": Argued("uuid", f"{{t}}.customer_id = {answering('{p}')}", convert=Convert.CUSTOMER_ID), **_TIMES},
        ),
        "customers": Paged("Customer", standing_customers, Order("customer_id"), _TIMES),
        "node": NodeOf(
            {
                "Customer": (WITH_PARTS, "customer_id"),
                "Evaluation": ("evaluation", "evaluation_id"),
                "Consent": ("consent", "consent_id"),
                "PlatformConnection": ("connection", "connection_id"),
            },
            gates={"Evaluation": still_readable},
            answers={"Customer": answering},
        ),
        "_entities": Each("Customer", _answering, answering),
        **watching_fields(),
    },
)

_CATEGORY = "coalesce({t}.category, case when {t}.kind = 'PERSON' then 'INDIVIDUAL' when {t}.uscc like '92%%' then 'INDIVIDUAL_BUSINESS' else 'ENTERPRISE' end)"

CUSTOMER = TypeView(
    "Customer",
    {
        **columns(id="{t}.customer_id"),
        **plain("kind", "nameMasked", "uscc", "createdAt"),
        "category": Column(_CATEGORY),
        "sameSubject": Column(SAME_SUBJECT),
        "parties": Many("Party", _parties, "{t}.role, {t}.party_id"),
        "formerParties": Many("Party", _former_parties, "{t}.valid_to desc, {t}.party_id desc"),
        "sources": Many("SourceAccess", _sources, "{t}.place", {"only": Argued("text[]", "{t}.source = any({p})")}),
        "consents": Many("Consent", _consents, "{t}.changed_at desc, {t}.consent_id desc", default=100),
        "connections": Many("PlatformConnection", _connections, "{t}.connector, {t}.connection_id"),
        "accessLog": Paged("AccessRecord", _accesses, Order("log_id")),
        **evaluation_fields(),
        **fact_fields(),
    },
)

PARTY = TypeView(
    "Party", {**columns(id="{t}.party_id", since="{t}.valid_from", until="{t}.valid_to"), **plain("role", "nameMasked", "idMasked")}
)

SOURCE_ACCESS = TypeView(
    "SourceAccess",
    {
        "source": Column("{t}.source"),
        "status": Column(_STATUS),
        "denial": Column(DENIAL.replace("{c}", "{t}_c")),
        "dataEnd": Column("upper({t}_w.days) - 1"),
        "coverage": Many("Interval", _intervals, "{t}.days"),
        "consent": One("Consent", _own_consent),
        "connection": One("PlatformConnection", _own_connection),
    },
)

_UNDER = "coalesce((select json_agg('Consent:' || {t}.customer_id || ':' || k order by k) from unnest({t}.consents) k), '[]'::json)"

ACCESS_RECORD = TypeView(
    "AccessRecord",
    {
        **columns(id="{t}.log_id", consents=_UNDER),
        **plain("at", "clientId", "purpose", "operation", "documentSha256", "fields", "terms", "withheld", "outcome"),
    },
)

INTERVAL = TypeView("Interval", columns(first="lower({t}.days)", last="upper({t}.days) - 1"))

CONSENT = TypeView(
    "Consent",
    {
        **columns(id="'Consent:' || {t}.customer_id || ':' || {t}.consent_id"),
        **plain("source", "connector", "grantee", "purpose", "scenarios", "dataFrom", "dataTo", "status", "startsAt", "expiresAt"),
        **plain(
            "dataLifeDays", "written", "adverseNotice", "textVersion", "textHash", "changedAt", "narrowedAt", "kinds", "mode", "fetchType"
        ),
        **plain("fetchesPerDay"),
        **columns(supersedes="'Consent:' || {t}.customer_id || ':' || {t}.supersedes"),
        **columns(
            endsSoon=f"{{t}}.status in ('ACTIVE', 'PAUSED') and coalesce({{t}}.expires_at > {NOW} and {{t}}.expires_at <= {_SOON}, false)"
        ),
        "events": Many("ConsentEvent", below("consent_event", "Consent", "consent_id"), "{t}.at, {t}.event_id", default=100),
    },
)

_STEP = """coalesce({t}.step, case {t}.to_status when 'PENDING' then 'ASKED' when 'ACTIVE' then 'GIVEN' when 'REVOKED' then 'WITHDRAWN' else {t}.to_status end)"""


def _changes(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_each({scope['ConsentEvent']}.changes) {t}(field, pair)", ())


CONSENT_EVENT = TypeView(
    "ConsentEvent",
    {
        **columns(step=_STEP),
        **plain("fromStatus", "toStatus", "actor", "at"),
        "changes": Many("ConsentChange", _changes, "{t}.field"),
    },
)

CONSENT_CHANGE = TypeView("ConsentChange", columns(field="{t}.field", was="({t}.pair -> 0) #>> '{}'", became="({t}.pair -> 1) #>> '{}'"))

PLATFORM_CONNECTION = TypeView(
    "PlatformConnection",
    {
        **columns(id="'PlatformConnection:' || {t}.customer_id || ':' || {t}.connection_id"),
        **plain("connector", "status", "lastVerdict", "lastFault", "lastFaultDetail", "createdAt", "grantExpiresAt"),
        "owner": Column(OWNER),
        **columns(endsSoon="{t}.status = 'ACTIVE' and coalesce({t}.grant_expires_at <= now() + " + _WITHIN + ", false)"),
        "runs": Many(
            "SyncRun", below("sync_run", "PlatformConnection", "connection_id"), "{t}.started_at desc, {t}.run_id desc", default=5
        ),
    },
)

SYNC_RUN = TypeView(
    "SyncRun",
    {
        **columns(id="{t}.run_id"),
        **plain("epoch", "startedAt", "endedAt", "verdict", "requests", "fetched", "stored", "unchanged", "quarantined", "rejected"),
        **plain("windowsPlanned", "windowsDone", "fault", "faultDetail"),
    },
)

CUSTOMER_TYPES = [
    QUERY,
    CUSTOMER,
    PARTY,
    SOURCE_ACCESS,
    ACCESS_RECORD,
    INTERVAL,
    CONSENT,
    CONSENT_EVENT,
    CONSENT_CHANGE,
    PLATFORM_CONNECTION,
    SYNC_RUN,
]
