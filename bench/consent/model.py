"""What a customer's consents allow, written once more in plain Python, from the rules and not from the code: the judge of a life."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

SOON = timedelta(days=30)


@dataclass
class Held:
    """One consent. ``fetches``: it names the kind of fact that the platform brings."""

    purpose: str
    first: date
    last: date
    ends: datetime
    life: timedelta
    scenarios: set[str]
    state: str = "ASKED"
    fetches: bool = True

    def in_force(self, now: datetime) -> bool:
        return self.state == "GIVEN" and now < self.ends

    def holds(self, day: date) -> bool:
        return self.fetches and self.first <= day <= self.last


@dataclass
class Model:
    """All consents of a customer, the ended ones too."""

    all: list[Held] = field(default_factory=list)

    def given(self, purpose: str) -> Held | None:
        """The one that was given and neither withdrawn, renewed nor ended since, in force or not."""
        return next((one for one in self.all if one.purpose == purpose and one.state in ("GIVEN", "PAUSED")), None)

    def grant(self, new: Held, now: datetime, *, renew: bool) -> bool:
        """Asked and given at once. Whether anything came of it: what is given already, and lasts, is not asked for again."""
        old = self.given(new.purpose)
        if old is not None:
            if not renew and old.ends > now + SOON:
                return False
            old.state = "RENEWED"
        new.state = "GIVEN"
        self.all.append(new)
        return True

    def may_fetch(self, day: date, now: datetime) -> bool:
        return any(one.in_force(now) and one.holds(day) for one in self.all)

    def may_read(self, day: date, learned: datetime, purpose: str, now: datetime) -> bool:
        return any(one.purpose == purpose and one.in_force(now) and one.holds(day) and now < learned + one.life for one in self.all)

    def run_out(self, now: datetime) -> None:
        """The clock has been looked at."""
        for one in self.all:
            if one.state in ("ASKED", "GIVEN", "PAUSED") and one.ends <= now:
                one.state = "ENDED"
