"""贷后监测: the triggers' points, the level, and what the lender does at that level (domain brief, section 6.5)."""

from __future__ import annotations

from hub.credit.models.declare import Case, Given, Produces, figures, model
from hub.credit.models.triggers import looked
from hub.domain.enums import MissingReason, Unit
from hub.domain.models import ModelSlot

LEVELS = ("GREEN", "YELLOW", "ORANGE", "RED")
ACTIONS = ("NONE", "CONTACT", "RECOMPUTE_AND_STOP_UPLIFT", "FREEZE_UNDRAWN_AND_REVIEW")


@model(
    ModelSlot.POST_LOAN,
    Produces("points", Unit.SCORE, "Points of the triggers that fired: at least so many where `undecided` is not 0."),
    Produces("level", Unit.ENUM, "预警级别, by the points.", LEVELS),
    Produces("action", Unit.ENUM, "What the level asks for.", ACTIONS),
    Produces("undecided", Unit.COUNT, "Parts of triggers that apply and could not be told: they neither fire nor clear anything."),
)
def post_loan(case: Case) -> Given:
    """Sum of the points of the twelve triggers, for a customer with an open loan of the evaluation's scenario, under consents for POST_LOAN; NOT_APPLICABLE without
    such a loan, CONSENT_PURPOSE under another purpose. Level: GREEN below 20, YELLOW below 40, ORANGE below 70, RED from 70 on. Actions: YELLOW contact; ORANGE
    recompute the limit and stop the uplift; RED freeze what is not drawn and hand over to a person. What cannot be told gives no points and is counted apart, so
    points and level are what they are at least. Conditions, windows and null rules of the triggers stand with them. Source: domain brief, section 6.5."""
    reason = unwatched(case)
    if reason:
        return dict.fromkeys(("points", "level", "action", "undecided"), reason)
    parts = looked(case)
    points = sum(one.points for one in parts)
    level = level_of(points)
    undecided = sum(1 for one in parts if one.missing not in (None, MissingReason.NOT_APPLICABLE))
    return {"points": points, "level": level, "action": figures()["level_actions"][level], "undecided": undecided}


def unwatched(case: Case) -> MissingReason | None:
    """Why nothing is watched; None: it is."""
    if not case.watch.of(case.made.policy.id):
        return MissingReason.NOT_APPLICABLE
    return None if case.watch.monitoring else MissingReason.CONSENT_PURPOSE


def level_of(points: int) -> str:
    return str(next(name for name, least in figures()["levels"] if points >= least))


def severity_of(points: int) -> str:
    return str(next(name for name, least in figures()["severities"] if points >= least))
