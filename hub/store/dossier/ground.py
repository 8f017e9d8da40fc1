"""The ground of a dossier: which sources may be read and what they cover, on which terms of the consents, which months count order by order, and how far pages had come.

The rows that tell it change: windows are read again, consents end or are renewed. So an evaluation keeps its ground, and is made again on it. Nothing personal is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hub.connect.message import Interval
from hub.consent.gate import GivenConsent
from hub.credit.dossier import SourceState
from hub.credit.sources import Use
from hub.domain.enums import ConsentStatus, MissingReason, SourceKind
from hub.store.dossier.orders import Served
from hub.store.dossier.pages import Pages, Reached

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """See the module. ``states`` are those before the returns were looked at: whether TAX is stale follows from its facts."""

    states: Mapping[SourceKind, SourceState]
    consents: Mapping[SourceKind, GivenConsent]
    served: Served
    pages: Pages | None = None
    """How far the pages had come; None: one of before did not keep it."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "sources": {kind.value: _state(one) for kind, one in sorted(self.states.items())},
            "consents": {kind.value: _terms(one) for kind, one in sorted(self.consents.items())},
            "served": {str(connection): sorted(months) for connection, months in self.served.items()},
            "pages": {str(connection): list(reached) for connection, reached in (self.pages or {}).items()},
        }

    @staticmethod
    def of(document: Json, use: Use) -> Ground:
        """Back from JSON, for the use it was made for. Sources come in their own order: some results list them."""
        return Ground(
            {kind: _state_of(kind, document["sources"][kind.value]) for kind in SourceKind if kind.value in document["sources"]},
            {SourceKind(kind): _terms_of(SourceKind(kind), one, use) for kind, one in document["consents"].items()},
            {UUID(connection): frozenset(months) for connection, months in document["served"].items()},
            {UUID(connection): Reached(*reached) for connection, reached in document["pages"].items()} if "pages" in document else None,
        )


def _state(one: SourceState) -> Json:
    days = [[span.first.isoformat(), span.last.isoformat()] for span in one.intervals]
    return {"reason": one.reason and one.reason.value, "days": days, "until": one.data_end and one.data_end.isoformat()}


def _state_of(kind: SourceKind, one: Json) -> SourceState:
    days = tuple(Interval(date.fromisoformat(first), date.fromisoformat(last)) for first, last in one["days"])
    reason, until = one["reason"], one["until"]
    return SourceState(kind, reason and MissingReason(reason), days, until and date.fromisoformat(until))


def _terms(one: GivenConsent) -> Json:
    kinds, life = None if one.kinds is None else sorted(one.kinds), None if one.life is None else one.life.days
    return {"kinds": kinds, "from": one.data_from.isoformat(), "to": one.data_to.isoformat(), "life_days": life}


def _terms_of(kind: SourceKind, one: Json, use: Use) -> GivenConsent:
    kinds, life = one["kinds"], one["life_days"]
    return GivenConsent(
        source=kind,
        grantee=use.grantee,
        purpose=use.purpose,
        scenarios=frozenset({use.scenario} if use.scenario else ()),
        status=ConsentStatus.ACTIVE,
        data_from=date.fromisoformat(one["from"]),
        data_to=date.fromisoformat(one["to"]),
        expires_at=None,
        kinds=None if kinds is None else frozenset(kinds),
        life=None if life is None else timedelta(days=life),
    )
