"""The farm of a persona as a plot verification feed knows it (rules E1, E19): it stands as the persona says, once the feed serves anything."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Farm, PlotRow
from hub.domain.enums import SourceKind


@dataclass(frozen=True, slots=True)
class Holding:
    """``register_holder`` and ``policy_holder`` are certificate numbers."""

    farm: Farm
    register_holder: str
    policy_holder: str


def holding(persona: Persona) -> Holding | None:
    """None without a farm, or before the feed serves anything."""
    farm = persona.farm
    if farm is None or not Reach(persona, SourceKind.FARM).intervals():
        return None
    return Holding(farm, persona.holder(farm.register_holder)[0], persona.holder(farm.policy_holder)[0])


def plots(persona: Persona) -> list[PlotRow]:
    """By number, then season."""
    found = holding(persona)
    return sorted(found.farm.plots, key=lambda one: (one.id, one.season)) if found else []
