"""Whose facts, up to which day, as known when, within their life, and what the consents leave of them: the conditions every statement of the dossier shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from hub.consent.gate import GivenConsent
from hub.consent.retention import retention
from hub.domain.enums import SourceKind
from hub.domain.facts import FactSpec, all_specs
from hub.domain.identifiers import CustomerId

EVER = datetime(1900, 1, 1, tzinfo=UTC)
_LIVE = (
    "customer_id = :customer_id AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at) "
    "AND (occurred_on IS NULL OR occurred_on <= :as_of)"
)


def live(spec: FactSpec) -> str:
    """The fact versions in force at ``known_at`` that are not dated after ``as_of``, as far as the consent to their source reaches: the read gate once more
    (:mod:`hub.store.view.gate`), for what is computed."""
    of = spec.source.lower()
    days = f"(occurred_on IS NULL OR occurred_on BETWEEN :{of}_first AND :{of}_last)"
    return f"{_LIVE} AND '{spec.name}' = ANY(:{of}_kinds) AND {days} AND known_from > :{of}_since"


def of_life(spec: FactSpec) -> str:
    """The facts of a kind that count at this moment: those that are :func:`live`, and of negative items those whose life is not over, whether or not they were erased yet."""
    if retention().kinds[spec.name].name != "NEGATIVE":
        return live(spec)
    day = "greatest(CAST(:as_of AS date), (CAST(:known_at AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date)"
    mine = f"d.customer_id = {spec.table}.customer_id AND d.fact_id = {spec.table}.fact_id AND d.kind = '{spec.name}'"
    return f"{live(spec)} AND NOT EXISTS (SELECT 1 FROM item_due d WHERE {mine} AND d.erase_on <= {day})"  # noqa: S608 -- our own names


@dataclass(frozen=True, slots=True)
class Moment:
    """``consents`` are those that allow it, by source."""

    customer_id: CustomerId
    as_of: date
    known_at: datetime
    consents: Mapping[SourceKind, GivenConsent] = field(default_factory=dict)

    def values(self, **more: Any) -> dict[str, Any]:
        """Parameters of a statement that contains :func:`live`."""
        found = {"customer_id": self.customer_id, "as_of": self.as_of, "known_at": self.known_at, **more}
        for source, given in self.consents.items():
            of, kinds = source.lower(), given.kinds
            found[f"{of}_kinds"] = sorted(
                spec.name for spec in all_specs() if spec.source is source and (kinds is None or spec.name in kinds)
            )
            found[f"{of}_first"], found[f"{of}_last"] = given.data_from, given.data_to
            found[f"{of}_since"] = EVER if given.life is None else self.known_at - given.life
        return found
