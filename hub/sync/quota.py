"""The quota ledger: what a platform still allows, one row per platform credential, shared by every worker on every host (trust rules, section k).

:meth:`Ledger.ask` is one statement that settles what a process reports and reserves what it wants; its row is locked for as long as that takes, never while a
call is under way. Times are the database's. Which process asks how much, and when, is decided at its :mod:`hub.sync.desk`.

calls        a token bucket, a little smaller than the platform's: a call may leave up to ``SLACK`` seconds after it was reserved, and must not then
             meet its successors; fixed windows per minute and day, closed for ``EDGE`` seconds on either side of their ends (the platform's clock)
places       calls in flight, leased per process: one that was killed holds them until its lease ends
priorities   a share of everything is kept free for whoever is waited for; a process that was refused leaves a mark, and others leave it one
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hub.connect import Connector, Quota
from hub.errors import PlatformBusy
from hub.store.database import Database
from hub.sync import breaker
from hub.vault import Blind

SLACK = 0.25
"""Seconds between a reservation and the arrival of its call that the bucket allows for."""
LONGEST_PARK = 86_400.0
"""Seconds. A platform that asks for more is asked again after a day."""


class Park(PlatformBusy):
    """The platform must be left alone for longer than a run may wait: come back in ``seconds``. No attempt is spent."""

    def __init__(self, seconds: float, reason: str) -> None:
        self.seconds, self.reason = min(seconds, LONGEST_PARK), reason
        super().__init__(reason)


class CircuitOpen(Park):
    """The platform does not work, as its last calls showed; a probe will tell when it does."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the ledger is kept: seconds, counts and shares. Defaults are for production; tests shorten the times.

    ``share`` of every limit is kept free for interactive calls. Retries are at most ``retry_share`` of a minute's calls, but ``retry_floor`` are always
    allowed. A process renews its ``lease`` while calls are under way; one that was killed holds its places until it ends.
    """

    share: float = 0.2
    retry_share: float = 0.1
    retry_floor: int = 20
    lease: float = 20.0
    threshold: int = breaker.THRESHOLD
    within: float = breaker.WITHIN
    pause: float = breaker.PAUSE
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """A platform's quota as the ledger keeps it: seconds per call, depth of the bucket, calls in flight, per minute, per day."""

    interval: float
    depth: float
    in_flight: int
    per_minute: int | None
    per_day: int | None

    @staticmethod
    def of(quota: Quota) -> Limits:
        """With room for calls that arrive late: ``depth + SLACK / interval <= burst``, by longer intervals where the burst is too small for that."""
        depth, interval = quota.burst - quota.per_second * SLACK, 1 / quota.per_second
        if depth < 1:
            depth, interval = 1.0, max(interval, (interval + SLACK) / quota.burst)
        return Limits(interval, depth, quota.in_flight, quota.per_minute, quota.per_day)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a process reports of its past calls and wants for the next ones.

    ``keep`` places it goes on holding; ``back`` reserved calls that never left, ``back_retries`` of them retries; ``fails`` in a row since the last
    success, ``ok`` whether there was one; ``left`` the calls a platform says are left, by window; ``probe`` is the outcome of its probe: ok, failed,
    unused or empty.
    """

    keep: int = 0
    want: int = 0
    ahead: int = 0
    interactive: bool = False
    retry: bool = False
    back: int = 0
    back_retries: int = 0
    park: float = 0.0
    left: Mapping[str, int] = field(default_factory=dict)
    fails: int = 0
    ok: bool = False
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """``calls`` may leave now, with ``places`` more in flight. None: ``reason`` and the seconds until it is worth asking again."""

    calls: int
    places: int
    reason: str
    wait: float
    probe: bool


_PARAMETERS = {
    "holder": "text", "keep": "int", "want": "int", "ahead": "int", "interactive": "bool", "retry": "bool", "back": "int", "back_retries": "int",
    "park": "float8", "left_second": "int", "left_minute": "int", "left_day": "int", "fails": "int", "ok": "bool", "probe": "text",
    "interval": "float8", "depth": "float8", "in_flight": "int", "per_minute": "int", "per_day": "int", "share": "float8",
    "retry_share": "float8", "retry_floor": "int", "lease": "float8", "threshold": "int", "within": "float8", "pause": "float8",
}  # fmt: skip
EDGE = 1
"""Seconds on either side of the end of a minute or a day in which nothing is reserved."""
_CHINA = 28_800
_RETRIES_GROW = 10
"""Seconds after which retries that were refused are worth asking for again: their share grows with the minute's calls."""
_RATE = "floor(level - floor(depth * kept) - marked + 1e-6)"


def _window(limit: str, calls: str, foreign: str, length: int, shift: int = 0) -> str:
    """Calls that a fixed window still has room for; none near its ends, where the platform's clock may be in another one."""
    into = f"mod((t + {shift})::numeric, {length})"
    closed = f"{into} < {EDGE} OR {into} > {length - EDGE}"
    return f"CASE WHEN {limit} IS NULL THEN 1e9 WHEN {closed} THEN 0 ELSE {limit} - {calls} - {foreign} - floor({limit} * kept) END"


_ASK = f"""
    WITH p AS (SELECT {", ".join(f"%({name})s::{kind} AS {name}" for name, kind in _PARAMETERS.items())}),
    locked AS (SELECT * FROM quota_ledger WHERE connector = %(connector)s AND credential = %(credential)s FOR UPDATE),
    seen AS MATERIALIZED (SELECT p.*, locked.*, extract(epoch FROM clock_timestamp())::float8 AS t FROM locked, p),
    settled AS MATERIALIZED (SELECT seen.*, {breaker.SETTLED},
        floor(t / 60)::bigint AS minute_now, floor((t + {_CHINA}) / 86400)::bigint AS day_now,
        CASE WHEN minute = floor(t / 60) THEN greatest(0, minute_calls - back) ELSE 0 END AS calls_m,
        CASE WHEN minute = floor(t / 60) THEN greatest(0, minute_retries - back_retries) ELSE 0 END AS retries_m,
        CASE WHEN minute = floor(t / 60) THEN minute_foreign ELSE 0 END AS foreign_m,
        CASE WHEN day = floor((t + {_CHINA}) / 86400) THEN greatest(0, day_calls - back) ELSE 0 END AS calls_d,
        CASE WHEN day = floor((t + {_CHINA}) / 86400) THEN day_foreign ELSE 0 END AS foreign_d,
        coalesce((SELECT sum((value ->> 0)::int) FROM jsonb_each(places) WHERE key <> holder AND (value ->> 1)::float8 > t), 0) AS others,
        coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(places) WHERE key <> holder AND (value ->> 1)::float8 > t), '{{}}') AS alive,
        greatest(extract(epoch FROM parked_until), CASE WHEN park > 0 THEN t + park END) AS parked,
        CASE WHEN interactive THEN 0 ELSE share END AS kept,
        CASE WHEN wanted_until > to_timestamp(t) AND wanted_by <> holder AND (wanted_interactive OR NOT interactive) THEN 1 ELSE 0 END AS marked
        FROM seen),
    corrected AS MATERIALIZED (SELECT settled.*,
        least(depth - greatest(0, extract(epoch FROM greatest(arrival, to_timestamp(t - 1))) - back * interval - t) / interval, left_second)
            AS level,
        greatest(foreign_m, per_minute - left_minute - calls_m + others + keep) AS foreign_minute,
        greatest(foreign_d, per_day - left_day - calls_d + others + keep) AS foreign_day
        FROM settled),
    room AS MATERIALIZED (SELECT corrected.*, {_RATE} AS by_rate,
        least({_window("per_minute", "calls_m", "foreign_minute", 60)}, {_window("per_day", "calls_d", "foreign_day", 86400, _CHINA)}) AS by_window,
        CASE WHEN retry THEN floor(greatest(retry_floor, retry_share * calls_m)) - retries_m ELSE 1e9 END AS by_retries,
        {breaker.ROOM} AS by_circuit,
        least(want, in_flight - others - keep - floor(in_flight * kept) - marked) AS by_places
        FROM corrected),
    granted AS MATERIALIZED (SELECT room.*, CASE WHEN by_places <= 0 OR parked > t THEN 0 ELSE
            greatest(0, least(by_places + least(ahead, floor(depth / 8)), by_rate, by_window, by_retries, by_circuit))::int END AS calls
        FROM room),
    answer AS MATERIALIZED (SELECT granted.*, greatest(0, least(by_places, calls))::int AS more,
        CASE WHEN calls > 0 OR want = 0 THEN '' WHEN parked > t THEN 'PARKED' WHEN by_circuit < 1 THEN 'CIRCUIT' WHEN by_retries < 1 THEN 'RETRIES'
            WHEN by_window < 1 THEN 'WINDOW' WHEN by_rate < 1 THEN 'RATE' ELSE 'PLACES' END AS reason
        FROM granted),
    due AS MATERIALIZED (SELECT answer.*, CASE reason WHEN 'PARKED' THEN parked - t WHEN 'CIRCUIT' THEN {breaker.UNTIL_PROBE}
            WHEN 'RETRIES' THEN least({_RETRIES_GROW}, 60 - mod(t::numeric, 60)) WHEN 'RATE' THEN (1 + floor(depth * kept) + marked - level) * interval WHEN 'PLACES' THEN 0.05
            WHEN 'WINDOW' THEN CASE WHEN per_day - calls_d - foreign_day - floor(per_day * kept) < 1
                THEN 86400 + {EDGE} - mod((t + {_CHINA})::numeric, 86400) ELSE {EDGE} + mod((60 - mod(t::numeric, 60)), 59) END
            ELSE 0 END::float8 AS wait,
            reason IN ('RATE', 'PLACES') AND (coalesce(wanted_until, '-infinity') < to_timestamp(t) OR wanted_by = holder
                OR (interactive AND NOT wanted_interactive)) AS marks
        FROM answer)
    UPDATE quota_ledger q SET arrival = to_timestamp(t + (depth - level + calls) * interval),
        minute = minute_now, minute_calls = calls_m + calls, minute_foreign = foreign_minute,
        minute_retries = retries_m + CASE WHEN retry THEN calls ELSE 0 END,
        day = day_now, day_calls = calls_d + calls, day_foreign = foreign_day,
        places = CASE WHEN due.keep + more > 0 THEN alive || jsonb_build_object(holder, jsonb_build_array(due.keep + more, t + lease)) ELSE alive END,
        parked_until = CASE WHEN parked > t THEN to_timestamp(parked) END,
        wanted_by = CASE WHEN marks THEN holder WHEN calls > 0 AND due.wanted_by = holder THEN NULL ELSE due.wanted_by END,
        wanted_interactive = CASE WHEN marks THEN due.interactive ELSE due.wanted_interactive END,
        wanted_until = CASE WHEN marks THEN to_timestamp(t + least(wait, 5) + 1) WHEN calls > 0 AND due.wanted_by = holder THEN NULL
            ELSE due.wanted_until END,
        circuit = CASE WHEN calls > 0 AND circuit_now <> 'CLOSED' THEN 'HALF_OPEN' ELSE circuit_now END,
        circuit_failures = failures_now, circuit_since = since_now,
        circuit_until = to_timestamp(CASE WHEN calls > 0 AND circuit_now <> 'CLOSED' THEN t + lease ELSE until_now END),
        circuit_probe = CASE WHEN circuit_now = 'CLOSED' THEN NULL WHEN calls > 0 THEN holder WHEN circuit_now = 'HALF_OPEN' THEN due.circuit_probe END
    FROM due WHERE q.connector = due.connector AND q.credential = due.credential
    RETURNING calls, more, reason, wait, due.circuit AS before, q.circuit AS after
"""  # noqa: S608 -- every fragment is a constant of this package
_FIRST = "INSERT INTO quota_ledger (connector, credential) VALUES (%(connector)s, %(credential)s) ON CONFLICT DO NOTHING RETURNING 1"


class Ledger:
    """The rows, as one process asks them. ``holder`` names the process in them."""

    def __init__(self, database: Database, blind: Blind, rules: Rules | None = None) -> None:
        self.database, self.blind, self.rules = database, blind, rules or Rules()

    def key(self, connector: Connector, config: Mapping[str, str]) -> str:
        """The keyed hash of the hub's identity at a platform: settings that are no secrets, so that a rotated secret brings no second quota."""
        settings = [setting for setting in connector.manifest.settings if not setting.name.endswith("_url")]
        names = [setting.name for setting in settings if not setting.secret] or [setting.name for setting in settings]
        return self.blind.hash("platform", "\n".join(f"{name}={config.get(name, '')}" for name in ("base_url", *sorted(names))))

    async def ask(self, connector: str, credential: str, holder: str, limits: Limits, ask: Ask) -> Answer:
        """One statement, which is a transaction by itself: the rows are nobody's, so that there is no scope to set.

        Raises SQLAlchemyError where the ledger cannot be asked: then nothing was granted.
        """
        values = {**_values(limits), **_values(self.rules), **_values(ask), "holder": holder}
        values |= {f"left_{window}": ask.left.get(window) for window in ("second", "minute", "day")}
        row = {"connector": connector, "credential": credential}
        wanted = {name: values[name] for name in _PARAMETERS} | row
        found = await self.database.look(_ASK, wanted)
        if found is None:
            await self.database.look(_FIRST, row)
            found = await self.database.look(_ASK, wanted)
        calls, places, reason, wait, before, after = found
        breaker.announce(connector, before, after)
        return Answer(calls, places, reason, wait, calls > 0 and after == "HALF_OPEN")


def _values(one: Limits | Rules | Ask) -> dict[str, object]:
    return {name: getattr(one, name) for name in type(one).__dataclass_fields__}


def configured(quota: Quota, config: Mapping[str, str]) -> Quota:
    """The manifest's quota, or the operator's ``quota_per_second`` and ``quota_in_flight``."""
    if "quota_per_second" not in config:
        return quota
    rate = float(config["quota_per_second"])
    return replace(quota, per_second=rate, burst=max(1, int(rate)), in_flight=int(config.get("quota_in_flight", quota.in_flight)))


def left_of(quota: Quota, headers: Mapping[str, str]) -> int | None:
    """How many calls the platform says are left; None where it says nothing readable."""
    said = headers.get(quota.remaining.header.lower(), "").strip() if quota.remaining else ""
    return int(said) if re.fullmatch(r"[0-9]{1,9}", said) else None
