"""The read gate as SQL: a fact is visible only while an ACTIVE consent for its source, this grantee and this purpose covers its day, and names the app that asks.

Says the same as :func:`hub.consent.gate.decide`, inside the statement, for each row (trust rules, section h).
"""

from __future__ import annotations

from collections.abc import Callable

from hub.consent.gate import Use
from hub.store.view.catalogue import Rows, RowsOf, Scope
from hub.store.view.environment import APP, GRANTEE, NOW, PURPOSE
from hub.store.view.merged import is_part

_SHOWN = ", ".join(f"'{mode}'" for mode in sorted(Use.READ.modes))


def handed(c: str) -> str:
    """A consent whose data the grantee may hand to whoever asks: the institution itself, or an app that the customer named (PIPL 23)."""
    return f"({APP} is null or {APP} = any({c}.apps))"


def told_of(c: str) -> str:
    """A consent that whoever asks may know of: one that was handed to it, or is only asked for. What was given to others is not an app's business."""
    return f"({handed(c)} or {c}.status = 'PENDING')"


DENIAL = f"""case
 when {{c}}.consent_id is null then 'NOT_CONNECTED'
 when not {told_of("{c}")} then 'CONSENT_APP'
 when {{c}}.status = 'PAUSED' then 'CONSENT_PAUSED'
 when {{c}}.status = 'REVOKED' then 'CONSENT_REVOKED'
 when {{c}}.status = 'EXPIRED' then 'CONSENT_EXPIRED'
 when {{c}}.status <> 'ACTIVE' then 'CONSENT_MISSING'
 when {{c}}.expires_at <= {NOW} then 'CONSENT_EXPIRED'
 when {{c}}.mode not in ({_SHOWN}) then 'CONSENT_PURPOSE' end"""
"""Why the consent ``{c}`` of this use lets nothing be read; null when it does."""


def of_this_use(c: str) -> tuple[str, ...]:
    """A consent for this grantee and purpose."""
    return (f"{c}.grantee = {GRANTEE}", f"{c}.purpose = {PURPOSE}")


def in_force_now(c: str) -> tuple[str, ...]:
    """A consent that is given, not ended and not run out, and lets data be shown to whoever asks."""
    return (f"{c}.status = 'ACTIVE'", f"{c}.mode in ({_SHOWN})", f"({c}.expires_at is null or {c}.expires_at > {NOW})", handed(c))


def of_kind(c: str, kind: str) -> str:
    """A consent that names the kind of fact. ``kind`` is SQL."""
    return f"({c}.kinds is null or {kind} = any({c}.kinds))"


def readable(c: str, t: str, kind: str) -> tuple[str, ...]:
    """The consent ``c`` lets the fact ``t`` be read now: in force, of its kind, the day within its range, the data within their life. ``kind`` is SQL."""
    return (*of_this_use(c), *in_force_now(c), of_kind(c, kind), *within(c, t))


def within(c: str, t: str, *, dated: bool = False) -> tuple[str, ...]:
    """The fact ``t`` lies within the bounds of the consent ``c``: its day within its range, its data within their life. ``dated``: it is of a kind that has a day."""
    return (_on_day(t, f"between {c}.data_from and {c}.data_to", dated), alive(c, t))


def _on_day(t: str, condition: str, dated: bool) -> str:
    """Where each has a day, an index finds those that are meant."""
    return f"{t}.occurred_on {condition}" if dated else f"({t}.occurred_on is null or {t}.occurred_on {condition})"


def alive(c: str, t: str) -> str:
    """The life of the fact's data under the consent is not over."""
    return f"{t}.known_from + make_interval(days => {c}.data_life_days) > {NOW}"


def covered_by_consent(source: str, kind: str) -> Callable[[str], str]:
    """A fact that stands alone: some consent of its customer lets it be read now."""

    def gate(t: str) -> str:
        c = f"{t}_c"
        mine = (f"{c}.customer_id = {t}.customer_id", f"{c}.source = '{source}'", *readable(c, t, f"'{kind}'"))
        return f"exists (select 1 from consent {c} where {' and '.join(mine)})"

    return gate


def as_known(t: str, scope: Scope, *, dated: bool = False) -> tuple[str, ...]:
    """The versions in force at the instant asked for, of facts up to the day asked for."""
    version = f"{t}.known_to is null"
    if scope.known_at is not None:
        version = f"{t}.known_from <= {scope.known_at} and ({t}.known_to is null or {t}.known_to > {scope.known_at})"
    return (version,) if scope.as_of is None else (version, _on_day(t, f"<= {scope.as_of}", dated))


def facts_of_customer(table: str, source: str, kind: str, *, dated: bool) -> RowsOf:
    """The readable facts of one kind of the enclosing customer, each by a consent of its own part. ``dated``: the kind has a day."""

    def rows(t: str, scope: Scope) -> Rows:
        c = f"{t}_c"
        given = (is_part(c, scope), f"{c}.source = '{source}'", *of_this_use(c), *in_force_now(c), of_kind(c, f"'{kind}'"))
        # The consent first: it is one row, and is looked up once. OFFSET keeps PostgreSQL from asking for it at each fact instead.
        bounds = ", ".join(f"{c}.{column}" for column in ("customer_id", "data_from", "data_to", "data_life_days"))
        consents = f"(select {bounds} from consent {c} where {' and '.join(given)} offset 0) {c}"
        mine = f"{t}.customer_id = {c}.customer_id"
        return Rows(f"{table} {t}", (mine, *within(c, t, dated=dated), *as_known(t, scope, dated=dated)), consents)

    return rows
