"""Dimension R of farmers: areas and yields of plots (domain brief, 4.5). F1 plot area, F2 claimed yield."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.dossier import Dossier
from hub.credit.maths import dev
from hub.domain.facts import FarmPlot
from hub.domain.money import ZERO


def plot_area(dossier: Dossier) -> Decimal | None:
    """dev of the area the satellite sees and that of the land register, or of the insurer for a plot that is missing in the register."""
    known = [
        (one.verified_area, area)
        for one in dossier.of(FarmPlot)
        if (area := one.register_area if one.register_area is not None else one.insured_area) is not None
    ]
    if not known:
        return None
    return dev(sum((seen for seen, _ in known), ZERO), sum((area for _, area in known), ZERO))


def claimed_yield(dossier: Dossier) -> Decimal | None:
    """dev of the harvest at the claimed yields and at the county norms; None without plots or with a crop the lender's table does not have."""
    plots, crops = dossier.of(FarmPlot), dossier.reference.crops
    if not plots or any(one.crop not in crops for one in plots):
        return None
    claimed = sum((one.verified_area * one.claimed_yield for one in plots), ZERO)
    return dev(claimed, sum((one.verified_area * crops[one.crop].yield_norm for one in plots), ZERO))
