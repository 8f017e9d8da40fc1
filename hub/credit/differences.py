"""What another policy would change: each case as it was decided beside the same case under the other policy, and all of them in sums. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.credit.evaluate import Evaluation
from hub.domain.enums import Outcome

EXAMPLES = 10
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is compared of an evaluation. ``limit`` in yuan, ``rate`` per year, ``term`` in months; None: nothing is offered."""

    outcome: Outcome
    limit: Decimal | None
    rate: Decimal | None
    term: int | None
    reasons: tuple[str, ...]

    @staticmethod
    def of(made: Evaluation) -> Decision:
        found = made.findings
        limit, price = (found.limit, found.price) if found else (None, None)
        return Decision(
            made.outcome,
            limit.final_limit if limit else None,
            price.rate if price else None,
            limit.term if limit else None,
            tuple(made.reasons.codes),
        )


@dataclass(frozen=True, slots=True)
class Case:
    """``name`` is the evaluation's id."""

    name: str
    before: Decision
    after: Decision

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def weight(self) -> tuple[bool, Decimal]:
        """The more, the more there is to look at: another outcome first, then the larger change of the limit."""
        return self.before.outcome is not self.after.outcome, abs((self.after.limit or ZERO) - (self.before.limit or ZERO))


@dataclass
class Differences:
    """See the module. ``left`` counts cases that could not be compared, by why. ``examples`` are those with most to look at, at most :data:`EXAMPLES`."""

    cases: int = 0
    changed: int = 0
    moves: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    limit_before: Decimal = ZERO
    limit_after: Decimal = ZERO
    raised: int = 0
    lowered: int = 0
    dearer: int = 0
    cheaper: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    examples: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Counts one case."""
        before, after = case.before, case.after
        self.cases += 1
        self.changed += case.changed
        self.moves[before.outcome, after.outcome] += 1
        self.limit_before += before.limit or ZERO
        self.limit_after += after.limit or ZERO
        self.raised += (after.limit or ZERO) > (before.limit or ZERO)
        self.lowered += (after.limit or ZERO) < (before.limit or ZERO)
        if before.rate is not None and after.rate is not None:
            self.dearer += after.rate > before.rate
            self.cheaper += after.rate < before.rate
        self.gained.update(set(after.reasons) - set(before.reasons))
        self.lost.update(set(before.reasons) - set(after.reasons))
        if case.changed:
            self.examples = sorted([*self.examples, case], key=lambda one: one.weight, reverse=True)[:EXAMPLES]

    def document(self) -> dict[str, Any]:
        """As JSON has it: money and rates are text."""
        return {
            "cases": self.cases,
            "changed": self.changed,
            "outcomes": [{"from": before, "to": after, "count": count} for (before, after), count in sorted(self.moves.items())],
            "limits": {
                "before": str(self.limit_before), "after": str(self.limit_after), "raised": self.raised, "lowered": self.lowered,
            },
            "rates": {"higher": self.dearer, "lower": self.cheaper},
            "reasons": {"gained": dict(sorted(self.gained.items())), "lost": dict(sorted(self.lost.items()))},
            "leftOut": dict(sorted(self.left.items())),
            "examples": [{"evaluation": one.name, "before": _plain(one.before), "after": _plain(one.after)} for one in self.examples],
        }  # fmt: skip


def _plain(one: Decision) -> dict[str, Any]:
    money = {name: None if (value := getattr(one, name)) is None else str(value) for name in ("limit", "rate")}
    return {"outcome": one.outcome, **money, "term": one.term, "reasons": list(one.reasons)}


def differences(cases: Sequence[Case]) -> Differences:
    """Of all of them."""
    found = Differences()
    for case in cases:
        found.add(case)
    return found
