"""Reasons: which codes speak, in which order, and what the customer sees (domain brief, 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.credit.crosscheck.checks import ADVERSE, Check, Status
from hub.credit.crosscheck.verdict import Tier, Verdict
from hub.credit.parameters import words
from hub.credit.policies import document
from hub.domain.enums import MissingReason, Outcome, SourceKind

MOST = 4
PAIR_ORDER = ("R2", "R1", "R3")
GATE_CODES = {
    MissingReason.CONSENT_MISSING: "G01",
    MissingReason.CONSENT_APP: "G01",
    MissingReason.CONSENT_PURPOSE: "G01",
    MissingReason.CONSENT_KIND: "G01",
    MissingReason.CONSENT_RANGE: "G01",
    MissingReason.CONSENT_FREQUENCY: "G01",
    MissingReason.CONSENT_EXPIRED: "G02",
    MissingReason.CONSENT_REVOKED: "G02",
    MissingReason.CONSENT_PAUSED: "G02",
    MissingReason.NOT_CONNECTED: "G03",
    MissingReason.UPSTREAM_ERROR: "G03",
    MissingReason.STALE: "G04",
    MissingReason.INSUFFICIENT_COVERAGE: "G05",
    MissingReason.ZERO_DENOMINATOR: "G05",
    MissingReason.CONFLICT: "G05",
    MissingReason.NOT_APPLICABLE: "G05",
}


@dataclass(frozen=True, slots=True)
class Reasons:
    """Codes in order, at most four; what the customer sees of them; other checks that did not pass."""

    codes: tuple[str, ...]
    customer: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What could speak: missing reasons in order, failed rules, what decided, and the score's codes."""

    missing: Sequence[MissingReason] = ()
    decided: Sequence[str] = ()
    score: Sequence[str] = ()


def reasons(outcome: Outcome, verdict: Verdict | None, said: Said) -> Reasons:
    """The reasons of an outcome."""
    conflict = verdict is not None and verdict.tier is Tier.CONFLICT
    if outcome is Outcome.INSUFFICIENT_DATA:
        spoken: Iterable[str] = [GATE_CODES[reason] for reason in said.missing]
    elif outcome is Outcome.INELIGIBLE:
        spoken = said.decided
    else:
        crossed = cross_codes(verdict) if verdict else []
        spoken = crossed if conflict else [*crossed, *said.decided, *said.score]
    codes = tuple(dict.fromkeys(spoken))[:MOST]
    return Reasons(codes, _for_customer(codes, conflict and outcome is Outcome.REFER_MANUAL), _notes(verdict, codes) if verdict else ())


def wording(
    code: str, closed: Sequence[tuple[SourceKind, MissingReason]], lacking: Sequence[tuple[str, MissingReason]] = ()
) -> tuple[str, str]:
    """What a code says in English and Chinese, and what is missing: behind a closed gate the sources, behind an open one what unknown rules ask for (``lacking``)."""
    said = document("reasons")["codes"][code]
    about = [(kind.value, kind.value) for kind, reason in closed if GATE_CODES[reason] == code]
    about += [_called(name) for name, reason in lacking if GATE_CODES[reason] == code]
    en, zh = (dict.fromkeys(names) for names in zip(*about, strict=True)) if about else ((), ())
    return (f"{said['en']}: {', '.join(en)}", f"{said['zh']}：{'、'.join(zh)}") if about else (said["en"], said["zh"])


def _called(name: str) -> tuple[str, str]:
    """What people call a feature or an input; a policy may ask for one that has no words."""
    said = words("features").get(name) or words("inputs").get(name)
    return (said.en, said.zh) if said else (name, name)


def cross_codes(verdict: Verdict) -> list[str]:
    """Hard flags, then failed revenue pairs (or what stands in their place) by weight, then the missing second source where revenue is required."""
    checks = verdict.checks
    found = [code for name, code in (("L1", "XL1H"), ("L4", "XL4")) if checks[name].hard]
    required = verdict.frame.revenue == "REQUIRED" and not verdict.frame.optional
    formed = (name for name in (*PAIR_ORDER, *verdict.frame.replaced_by) if checks[name].counts)
    found += [f"X{name}" for name in formed if checks[name].status in (Status.FAIL, Status.SEVERE)]
    return [*found, "XC2"] if verdict.tier is Tier.UNVERIFIED and required else found


def _for_customer(codes: Sequence[str], conflict: bool) -> tuple[str, ...]:
    """Internal codes are dropped, nothing moves up; in a conflict the customer is told that a person will look."""
    catalogue = document("reasons")["codes"]
    visible = tuple(code for code in codes if catalogue[code].get("visible", True))
    return (*visible, "XC1") if conflict and len(visible) < MOST else visible


def _notes(verdict: Verdict, codes: Sequence[str]) -> tuple[str, ...]:
    """Checks that did not pass and are not among the reasons."""
    return tuple(code for code in map(_code, _adverse(verdict.checks)) if code not in codes and not (code == "XL1" and "XL1H" in codes))


def _adverse(checks: Mapping[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.status in ADVERSE]


def _code(check: str) -> str:
    return f"X{check}"
