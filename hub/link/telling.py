"""What a customer is told of an error, and with which status. Its own words are for developers and operators."""

from __future__ import annotations

import structlog

from hub.errors import (
    CallerMustFix,
    ConsentMissing,
    CustomerMustAct,
    FixConfiguration,
    HubError,
    NotFound,
    PlatformFault,
    WaitAndRetry,
)

log = structlog.get_logger("hub.link")

PROBLEMS = (
    "gone", "elsewhere", "expired", "finished", "changed", "nothing_ticked", "app_alone", "nothing_to_withdraw", "not_objected", "foreign_form", "answer", "too_old", "busy", "away", "broken", "not_set_up",
    "not_found", "method", "other", "us",
)  # fmt: skip
"""Every problem that has a page. A page's address names one of these, never a text."""
_KINDS: tuple[tuple[type[HubError], str, int], ...] = (
    (FixConfiguration, "not_set_up", 500),
    (WaitAndRetry, "busy", 503),
    (PlatformFault, "broken", 502),
    (ConsentMissing, "too_old", 403),
    (NotFound, "gone", 403),
    (CustomerMustAct, "answer", 403),
    (CallerMustFix, "other", 403),
)
_STATUSES = {"not_found": 404, "method": 405, "us": 500, "away": 503, **{key: status for _, key, status in _KINDS}}
_FAULTS = {"GrantRevoked": "refused", "Reauthorise": "reauthorise", "Misconfigured": "not_set_up", "FixConfiguration": "not_set_up"}


def problem_of(error: HubError) -> str:
    """Which problem an error is: the one it names itself (``told``), else by who can remedy it. A customer is not told how this hub is configured."""
    if isinstance(error, FixConfiguration):
        log.error("link_misconfigured", fault=type(error).__name__)
    told = error.facts.get("told")
    return told if told in PROBLEMS else next((key for kind, key, _ in _KINDS if isinstance(error, kind)), "us")


def status_of(problem: str) -> int:
    """What is the platform's fault is a bad gateway, what time heals is unavailable, what an operator must fix is ours, the rest is the caller's."""
    return _STATUSES.get(problem, 403)


def fault_told(fault: str) -> str:
    """What is said of a fault that stands on a connection, by its class."""
    return _FAULTS.get(fault, "other")
