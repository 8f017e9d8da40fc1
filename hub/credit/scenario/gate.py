"""The gate: every required source is readable and covers what the policy asks; otherwise nothing else is asserted (domain brief, 5.1)."""

from __future__ import annotations

from hub.credit.dossier import Dossier
from hub.credit.features.series import vat_by_month
from hub.credit.parameters import parameters
from hub.credit.policy import Policy, SourceNeed
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.periods import Month, window


def closed_by(dossier: Dossier, policy: Policy) -> list[tuple[SourceKind, MissingReason]]:
    """The required sources that close the gate and why, in the policy's order; empty when it is open."""
    reasons = ((need.kind, _closed(dossier, need)) for need in policy.sources)
    return [(kind, reason) for kind, reason in reasons if reason is not None]


def _closed(dossier: Dossier, need: SourceNeed) -> MissingReason | None:
    """Of several kinds that would do one is enough; when none does, the first of them says why."""
    reasons = [_closes(dossier, kind, need) for kind in (need.kind, *need.alternatives)]
    return reasons[0] if all(reasons) else None


def _closes(dossier: Dossier, kind: SourceKind, need: SourceNeed) -> MissingReason | None:
    state = dossier.source(kind)
    if state.reason:
        return state.reason
    covered = [month for month in window(dossier.as_of, need.months) if _covers(dossier, kind, month)]
    least = need.months if need.all else parameters().minimum_months.get(need.months, 0)
    recent = window(dossier.as_of, need.single_orders)
    single = dossier.orders.months if dossier.orders else frozenset()
    enough = len(covered) >= least and all(month in single for month in recent)
    return None if enough else MissingReason.INSUFFICIENT_COVERAGE


def _covers(dossier: Dossier, kind: SourceKind, month: Month) -> bool:
    """A month of tax is covered when its return is filed."""
    return month in vat_by_month(dossier) if kind is SourceKind.TAX else dossier.source(kind).covers(month)
