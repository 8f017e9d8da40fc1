"""The circuit breaker per platform credential: its state stands in the quota ledger's row, so that admission costs no statement of its own.

CLOSED     calls leave; ``THRESHOLD`` failures in a row within ``WITHIN`` seconds open it
OPEN       no call leaves until ``circuit_until``; then whoever asks first is given the probe
HALF_OPEN  one probe is under way, of the process ``circuit_probe``; its outcome alone decides

A failure is a platform that does not answer, or answers 5xx. A grant error or another 4xx is the answer of a platform that works.
The fragments below are columns of the ledger's one statement (:mod:`hub.sync.quota`), over the row as it is locked and what a process reports.
"""

from __future__ import annotations

import structlog

log = structlog.get_logger("hub.breaker")

THRESHOLD, WITHIN = 10, 60.0
"""Failures in a row, and seconds from the first to the last. At 30 % failures by chance, ten in a row are one in 170,000 calls."""
PAUSE = 30.0
"""Seconds an open circuit waits before its probe."""
FIRST_SERVER_ERROR = 500

_MINE = "(circuit = 'HALF_OPEN' AND circuit_probe = holder)"
_STREAK = "CASE WHEN ok OR t - extract(epoch FROM circuit_since) > within THEN fails ELSE circuit_failures + fails END"
_OPENS = f"(circuit = 'CLOSED' AND fails > 0 AND {_STREAK} >= threshold)"

SETTLED = f"""
    CASE WHEN {_OPENS} THEN 'OPEN' WHEN {_MINE} AND probe = 'ok' THEN 'CLOSED' WHEN {_MINE} AND probe IN ('failed', 'unused') THEN 'OPEN'
        ELSE circuit END AS circuit_now,
    CASE WHEN {_MINE} AND probe = 'ok' THEN 0 WHEN circuit = 'CLOSED' THEN {_STREAK} ELSE circuit_failures END AS failures_now,
    CASE WHEN {_MINE} AND probe = 'ok' THEN NULL WHEN circuit <> 'CLOSED' THEN circuit_since WHEN {_STREAK} = 0 THEN NULL
        WHEN {_STREAK} = fails THEN to_timestamp(t) ELSE circuit_since END AS since_now,
    CASE WHEN {_OPENS} OR ({_MINE} AND probe = 'failed') THEN t + pause WHEN {_MINE} AND probe = 'unused' THEN t
        WHEN {_MINE} AND probe = '' THEN t + lease
        WHEN {_MINE} AND probe = 'ok' THEN NULL ELSE extract(epoch FROM circuit_until) END AS until_now
"""
"""What the circuit is after a report."""

ROOM = "CASE WHEN circuit_now = 'CLOSED' THEN 1e9 WHEN until_now <= t THEN 1 ELSE 0 END"
"""How many calls the circuit lets through now: all, the probe, or none."""

UNTIL_PROBE = "CASE WHEN circuit_now = 'HALF_OPEN' THEN least(until_now - t, pause) ELSE until_now - t END"
"""Seconds until somebody who is refused should ask again."""


def is_failure(status: int) -> bool:
    """Whether an answer says that the platform itself does not work."""
    return status >= FIRST_SERVER_ERROR


def announce(connector: str, before: str, after: str) -> None:
    """One line over all hosts: only the statement that changed the state has seen both."""
    if after == "CLOSED" and before != after:
        log.info("circuit_closed", connector=connector)
    elif before == "CLOSED" and before != after:
        log.warning("circuit_opened", connector=connector)
