"""Whose facts, up to which day, as known when, within their life, and what the consents leave of them: the conditions every statement of the dossier shares.

A statement reads for many customers at once. What it may read of whom it is told by the rows of ``asked``: one for each moment and kind of fact that is consented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from hub.consent.gate import GivenConsent
from hub.consent.retention import retention
from hub.domain.enums import SourceKind
from hub.domain.facts import FactSpec, all_specs
from hub.domain.identifiers import CustomerId
from hub.store.dossier.pages import NOTHING_LATER, Later

EVER = datetime(1900, 1, 1, tzinfo=UTC)
ASKED = """asked AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:places AS int[]), CAST(:customers AS uuid[]), CAST(:names AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[]), CAST(:sinces AS timestamptz[]))
           AS asked(place, customer_id, kind, first, last, since)
)"""


@dataclass(frozen=True, slots=True)
class Moment:
    """``consents`` are those that allow it, by source; ``sources`` those that are read (None: all that are allowed). ``later``: what is no part of it, whatever it says."""

    customer_id: CustomerId
    as_of: date
    known_at: datetime
    consents: Mapping[SourceKind, GivenConsent] = field(default_factory=dict)
    sources: frozenset[SourceKind] | None = None
    later: Later = NOTHING_LATER

    def kinds(self) -> Iterable[tuple[FactSpec, GivenConsent]]:
        """The kinds of fact that are read, each with its consent."""
        for spec in all_specs():
            given = self.consents.get(spec.source)
            if given is None or (self.sources is not None and spec.source not in self.sources):
                continue
            if given.kinds is None or spec.name in given.kinds:
                yield spec, given

    def since(self, given: GivenConsent) -> datetime:
        """What became known before has outlived the consent."""
        return EVER if given.life is None else self.known_at - given.life


def asking(moments: Sequence[Moment], only: Iterable[type] = ()) -> tuple[tuple[FactSpec, ...], dict[str, Any]]:
    """The kinds that are read for any of the moments, and the parameters of a statement with :data:`ASKED`. The place of a row is that of its moment."""
    wanted = frozenset(only)
    rows = [
        (place, spec, (place, moment.customer_id, spec.name, given.data_from, given.data_to, moment.since(given)))
        for place, moment in enumerate(moments)
        for spec, given in moment.kinds()
        if not wanted or spec.cls in wanted
    ]
    names = ("places", "customers", "names", "starts", "ends", "sinces")
    columns = zip(*(row for _, _, row in rows), strict=True) if rows else [()] * len(names)
    specs = {spec.name: spec for _, spec, _ in rows}
    found: dict[str, Any] = {name: list(column) for name, column in zip(names, columns, strict=True)}
    if moments:
        found |= {
            "as_of": moments[0].as_of,
            "known_at": moments[0].known_at,
            **_later({id(one.later): one.later for one in moments}.values()),
        }
    return tuple(specs[name] for name in sorted(specs)), found


def _later(found: Iterable[Later]) -> dict[str, Any]:
    """Of all moments together: a fact is of one customer."""
    mine = list(found)
    return {"hidden": [one for later in mine for one in later.hidden], "reopened": [one for later in mine for one in later.reopened]}


def live(spec: FactSpec) -> str:
    """``asked JOIN`` the fact versions ``f`` in force at ``known_at`` that are not dated after ``as_of``, as far as the consent to their source reaches: the read gate
    once more (:mod:`hub.store.view.gate`), for what is computed.

    OFFSET 0 keeps it a look-up for each row of ``asked``: a plan that is made once for all batches does not know how few they are, and would read whole tables."""
    return f"""asked JOIN LATERAL (SELECT * FROM {spec.table} f WHERE f.customer_id = asked.customer_id
        AND f.known_from <= :known_at AND (f.known_to IS NULL OR f.known_to > :known_at OR f.fact_id = ANY (CAST(:reopened AS uuid[]))) AND f.known_from > asked.since
        AND f.fact_id <> ALL (CAST(:hidden AS uuid[]))
        AND (f.occurred_on IS NULL OR (f.occurred_on <= :as_of AND f.occurred_on BETWEEN asked.first AND asked.last)) OFFSET 0) f ON asked.kind = '{spec.name}'"""  # noqa: S608


def of_life(spec: FactSpec) -> str:
    """The facts of a kind that count at this moment: those that are :func:`live`, and of negative items those whose life is not over, whether or not they were erased yet."""
    if retention().kinds[spec.name].name != "NEGATIVE":
        return live(spec)
    day = "greatest(CAST(:as_of AS date), (CAST(:known_at AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date)"
    mine = f"d.customer_id = f.customer_id AND d.fact_id = f.fact_id AND d.kind = '{spec.name}'"
    # OFFSET 0, again: what is due is looked up fact by fact. As a join it would be found out of everybody, for each batch anew.
    return f"{live(spec)} AND NOT EXISTS (SELECT 1 FROM item_due d WHERE {mine} AND d.erase_on <= {day} OFFSET 0)"  # noqa: S608 -- our own names
