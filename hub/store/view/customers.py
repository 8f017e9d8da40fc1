"""The customer in the catalogue: who it is, what was consented, connected and covered."""

from __future__ import annotations

from hub.consent.grants import SOON
from hub.store.parties import in_role
from hub.store.view.catalogue import (
    Argued,
    Column,
    Convert,
    Each,
    Many,
    NodeOf,
    NodeRow,
    One,
    Order,
    Paged,
    Rows,
    Scope,
    TypeView,
    below,
    columns,
    global_id,
    plain,
)
from hub.store.view.clients import client_fields
from hub.store.view.concentration import concentration_fields
from hub.store.view.disputes import dispute_fields
from hub.store.view.environment import APP, INTERNAL, NOW, TODAY
from hub.store.view.evaluations import evaluation_fields, still_readable
from hub.store.view.facts import fact_fields, fact_nodes
from hub.store.view.fairness import fairness_fields
from hub.store.view.gate import in_force_now, of_this_use, told_of
from hub.store.view.lending import lending_fields, signal_shows
from hub.store.view.merged import SAME_SUBJECT, WITH_PARTS, answering, is_part
from hub.store.view.ownership import OWNER
from hub.store.view.policies import policy_fields
from hub.store.view.portfolios import portfolio_fields
from hub.store.view.products import product_fields
from hub.store.view.profile import FILTERS, PROFILE_TYPES, chosen_customers, profile_fields
from hub.store.view.reference import REFERENCE_TYPES, reference_fields
from hub.store.view.reference_versions import reference_version_fields
from hub.store.view.sources import SOURCE_TYPES, sources
from hub.store.view.watching import watching_fields

_WITHIN = f"interval '{SOON.days} days'"
_SOON = f"{NOW} + {_WITHIN}"
_TIMES = {"asOf": Argued("date", sets="as_of"), "knownAt": Argued("timestamptz", sets="known_at")}


def _answering(t: str, scope: Scope) -> Rows:
    """A customer that is asked for by an id: which one, the argument says."""
    return Rows(f"{WITH_PARTS} {t}", ())


def _own_access(t: str) -> str:
    """A partner is not told who else asks."""
    return f"({INTERNAL} or {t}.client_id = current_setting('hub.client', true))"


def _accesses(t: str, scope: Scope) -> Rows:
    return Rows(f"access_log {t}", (is_part(t, scope), _own_access(t)))


def _consents(t: str, scope: Scope) -> Rows:
    return Rows(f"consent {t}", (is_part(t, scope), *of_this_use(t), told_of(t)))


def _of_this_use(t: str) -> str:
    return " and ".join((*of_this_use(t), told_of(t)))


def _asked_for(t: str, *state: str) -> str:
    """A connection to a platform that this use asked a consent for. What else a customer has linked, for whatever else, is told to nobody."""
    c = f"{t}_u"
    mine = (f"{c}.customer_id = {t}.customer_id", f"{c}.connector = {t}.connector", *of_this_use(c), told_of(c), *state)
    return f"exists (select 1 from consent {c} where {' and '.join(mine)})"


def _let_be_read(t: str) -> str:
    """A run, while a consent of this use to its platform is in force: how many records a platform has of somebody is told by them."""
    n = f"{t}_n"
    mine = f"{n}.customer_id = {t}.customer_id and {n}.connection_id = {t}.connection_id"
    return f"exists (select 1 from connection {n} where {mine} and {_asked_for(n, *in_force_now(f'{n}_u'))})"


def _events(t: str, scope: Scope) -> Rows:
    """An app is not told to which others the data may be handed."""
    rows = below("consent_event", "Consent", "consent_id")(t, scope)
    of_another = f"coalesce({t}.step in ('APP_ADDED', 'APP_REMOVED') and not {t}.changes -> 'app' @> to_jsonb({APP}), false)"
    return Rows(rows.source, (*rows.where, f"not {of_another}"))


def _connections(t: str, scope: Scope) -> Rows:
    return Rows(f"connection {t}", (is_part(t, scope), _asked_for(t)))


def _runs(t: str, scope: Scope) -> Rows:
    rows = below("sync_run", "PlatformConnection", "connection_id")(t, scope)
    return Rows(rows.source, (*rows.where, _let_be_read(t)))


def _parties(t: str, scope: Scope) -> Rows:
    """Those in a role on the day asked for, as far as was known at the instant asked for."""
    return Rows(f"party {t}", (is_part(t, scope), *in_role(t, scope.as_of or TODAY, scope.known_at or NOW)))


def _former_parties(t: str, scope: Scope) -> Rows:
    """Those whose role had ended by then."""
    ended = (f"{t}.valid_to <= {scope.as_of or TODAY}", f"{t}.ended_at <= {scope.known_at or NOW}")
    return Rows(f"party {t}", (is_part(t, scope), *ended))


NODES = {
    "Customer": NodeRow(WITH_PARTS, "customer_id", "customers:read", answers=answering),
    "Evaluation": NodeRow("evaluation", "evaluation_id", "enhancement:read", still_readable),
    "Consent": NodeRow("consent", "consent_id", "customers:read", _of_this_use),
    "PlatformConnection": NodeRow("connection", "connection_id", "customers:read", _asked_for),
    "SyncRun": NodeRow("sync_run", "run_id", "customers:read", _let_be_read),
    "Party": NodeRow("party", "party_id", "customers:read"),
    "AccessRecord": NodeRow("access_log", "log_id", "access:read", _own_access),
    "MonitoringSignal": NodeRow("monitoring_signal", "signal_id", "enhancement:read", signal_shows),
    **fact_nodes(),
}
"""What has an id of its own, and what one must hold to find it by that."""

QUERY = TypeView(
    "Query",
    {
        "customer": One(
            "Customer",
            _answering,
            arguments={"id": Argued("uuid", f"{{t}}.customer_id = {answering('{p}')}", convert=Convert.CUSTOMER_ID), **_TIMES},
        ),
        "customers": Paged("Customer", chosen_customers, Order("customer_id"), {**_TIMES, **FILTERS}),
        "node": NodeOf(NODES, arguments=_TIMES),
        "nodes": NodeOf(NODES, many=True, arguments=_TIMES),
        "_entities": Each("Customer", _answering, answering),
        **watching_fields(),
        **reference_fields(),
        **client_fields(),
        **policy_fields(),
        **portfolio_fields(),
        **reference_version_fields(),
        **product_fields(),
        **fairness_fields(),
        **concentration_fields(),
        **dispute_fields(),
    },
)

CUSTOMER = TypeView(
    "Customer",
    {
        **columns(id="{t}.customer_id"),
        **plain("kind", "nameMasked", "uscc", "createdAt"),
        **profile_fields(),
        "sameSubject": Column(SAME_SUBJECT),
        "parties": Many("Party", _parties, "{t}.role, {t}.party_id", default=100),
        "formerParties": Many("Party", _former_parties, "{t}.valid_to desc, {t}.party_id desc", default=100),
        "sources": Many("SourceAccess", sources, "{t}.place", {"only": Argued("text[]", "{t}.source = any({p})")}),
        "consents": Many("Consent", _consents, "{t}.changed_at desc, {t}.consent_id desc", default=100),
        "connections": Many("PlatformConnection", _connections, "{t}.connector, {t}.connection_id", default=100),
        "accessLog": Paged("AccessRecord", _accesses, Order("log_id")),
        **evaluation_fields(),
        **lending_fields(),
        **fact_fields(),
    },
)

PARTY = TypeView(
    "Party",
    {**columns(id=global_id("Party", "party_id"), since="{t}.valid_from", until="{t}.valid_to"), **plain("role", "nameMasked", "idMasked")},
)

_UNDER = "coalesce((select json_agg('Consent:' || {t}.customer_id || ':' || k order by k) from unnest({t}.consents) k), '[]'::json)"

ACCESS_RECORD = TypeView(
    "AccessRecord",
    {
        **columns(id=global_id("AccessRecord", "log_id"), consents=_UNDER),
        **plain("at", "clientId", "purpose", "operation", "documentSha256", "fields", "terms", "withheld", "outcome"),
    },
)

CONSENT = TypeView(
    "Consent",
    {
        **columns(id=global_id("Consent", "consent_id")),
        **plain("source", "connector", "grantee", "purpose", "scenarios", "dataFrom", "dataTo", "status", "startsAt", "expiresAt"),
        **plain(
            "dataLifeDays", "written", "adverseNotice", "textVersion", "textHash", "changedAt", "narrowedAt", "kinds", "mode", "fetchType"
        ),
        **plain("fetchesPerDay"),
        **columns(supersedes=global_id("Consent", "supersedes")),
        **columns(
            endsSoon=f"{{t}}.status in ('ACTIVE', 'PAUSED') and coalesce({{t}}.expires_at > {NOW} and {{t}}.expires_at <= {_SOON}, false)"
        ),
        **columns(apps=f"array(select a from unnest({{t}}.apps) a where {APP} is null or a = {APP} order by a)"),
        "events": Many("ConsentEvent", _events, "{t}.at, {t}.event_id", default=100),
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
        **columns(id=global_id("PlatformConnection", "connection_id")),
        **plain("connector", "status", "lastVerdict", "lastFault", "lastFaultDetail", "createdAt", "grantExpiresAt"),
        "owner": Column(OWNER),
        **columns(endsSoon="{t}.status = 'ACTIVE' and coalesce({t}.grant_expires_at <= now() + " + _WITHIN + ", false)"),
        "runs": Many("SyncRun", _runs, "{t}.started_at desc, {t}.run_id desc", default=5),
    },
)

SYNC_RUN = TypeView(
    "SyncRun",
    {
        **columns(id=global_id("SyncRun", "run_id")),
        **plain("epoch", "startedAt", "endedAt", "verdict", "requests", "fetched", "stored", "unchanged", "quarantined", "rejected"),
        **plain("windowsPlanned", "windowsDone", "fault", "faultDetail"),
    },
)

CUSTOMER_TYPES = [
    QUERY,
    CUSTOMER,
    PARTY,
    *SOURCE_TYPES,
    *PROFILE_TYPES,
    *REFERENCE_TYPES,
    ACCESS_RECORD,
    CONSENT,
    CONSENT_EVENT,
    CONSENT_CHANGE,
    PLATFORM_CONNECTION,
    SYNC_RUN,
]
