"""How a scenario reads dimension R (domain brief, 4.5, "Scenario profile of R").

REQUIRED        the observers and R1-R6, as everywhere
OPTIONAL        as REQUIRED when two observers or more are enough to judge R by; otherwise as NOT_APPLICABLE, and the uplift counts at most half
NOT_APPLICABLE  no observers, no verified revenue; P and L together decide
REPLACED        other checks form R, the first of them hard; observers and R1-R6 are shown where there are any, and do not move the tier
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from hub.credit.crosscheck.observers import Observers
from hub.credit.policies import document

Revenue = Literal["REQUIRED", "OPTIONAL", "NOT_APPLICABLE", "REPLACED"]


@dataclass(frozen=True, slots=True)
class Frame:
    """See the module. ``farmer``: the subject is judged by his plots, whatever else he is. ``optional``: the scenario does not ask for observers."""

    revenue: Revenue = "REQUIRED"
    replaced_by: tuple[str, ...] = ()
    observed: bool = True
    farmer: bool = False
    tau_ceiling: Decimal = Decimal(1)
    optional: bool = False

    @property
    def has_observers(self) -> bool:
        return self.observed and self.revenue != "NOT_APPLICABLE"

    def settled(self, observers: Observers) -> Frame:
        """The frame once the observers are known: OPTIONAL is one of the others."""
        if self.revenue != "OPTIONAL":
            return self
        if len(observers.available()) > 1:
            return replace(self, revenue="REQUIRED", optional=True)
        return replace(self, revenue="NOT_APPLICABLE", optional=True, tau_ceiling=Decimal(document("engine")["optional_tau_ceiling"]))


ORDINARY = Frame()
"""Revenue is required and observed."""
