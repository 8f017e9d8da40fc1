"""Under which consents an answer is given: what the access log must be able to say for each customer of it.

The statement that answers also returns the consents in force for its use, of the sources whose facts were asked for; of all sources where an evaluation was, for that is
made of many. What is asked for without facts in it (who a customer is, what was consented) needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.domain.audit import Accessed, AccessOutcome
from hub.domain.caller import Caller
from hub.domain.facts import all_specs
from hub.domain.facts.names import list_name
from hub.domain.selection import Selection, StoredRead
from hub.store.view.gate import in_force_now, of_this_use
from hub.store.view.profile import BY_DECISION, BY_PROFILE

_SOURCES = {list_name(spec): str(spec.source) for spec in all_specs()}
_CHOOSING = frozenset({*BY_PROFILE, *BY_DECISION})
_KINDS = {spec.name: str(spec.source) for spec in all_specs()}
_DERIVED = frozenset({"Evaluation", "Profile", "SeriesMonth", "FeatureValue", "FeatureEvidence", "MonitoringSignal", "Hint", "GroupLimit"})


@dataclass(frozen=True, slots=True)
class Relied:
    """What a selection relies on: the facts of some ``sources``, and ``derived`` values."""

    sources: frozenset[str] = frozenset()
    derived: bool = False

    @staticmethod
    def of(selection: Selection, present: frozenset[str]) -> Relied:
        """``present``: the slots that have a value. Whom a result chooses, it tells of."""
        sources, derived = _of_nodes(selection), False
        for owner, pick in selection.walk():
            if owner == "Customer" and pick.name in _SOURCES:
                sources.add(_SOURCES[pick.name])
            chosen = owner == "Query" and any(one.name in _CHOOSING and one.slot in present for one in pick.arguments)
            derived = derived or owner in _DERIVED or chosen
        return Relied(frozenset(sources), derived)

    def sql(self, seen: str) -> str:
        """A JSON array of ``[customer, consent, source, version of its text]``; null where nothing is relied on."""
        if not self.sources and not self.derived:
            return "null"
        where = [f"k.customer_id = any({seen})", *of_this_use("k"), *in_force_now("k")]
        if not self.derived:
            listed = ", ".join(f"'{source}'" for source in sorted(self.sources))
            where.append(f"k.source in ({listed})")
        told = "json_agg(json_build_array(k.customer_id, k.consent_id, k.source, k.text_version) order by k.consent_id)"
        return f"(select {told} from consent k where {' and '.join(where)})"

    def outcome(self, open_to: frozenset[str]) -> tuple[AccessOutcome, tuple[str, ...]]:
        """What came of it, and which sources no consent opened."""
        if self.sources <= open_to and (open_to or not self.derived):
            return AccessOutcome.ANSWERED, ()
        withheld = tuple(sorted(self.sources - open_to))
        nothing = not open_to & self.sources and not (self.derived and open_to)
        return (AccessOutcome.WITHHELD if nothing else AccessOutcome.PARTLY_WITHHELD), withheld


def _of_nodes(selection: Selection) -> set[str]:
    """Sources of the facts that are looked for by their ids."""
    cases = [case for pick in selection.picks if pick.name in ("node", "nodes") and pick.of for case in pick.of.cases]
    return {_KINDS[case.type] for case in cases if case.picks and case.type in _KINDS}


def accessed(caller: Caller, read: StoredRead, relied: Relied, seen: Sequence[UUID], basis: Sequence[Any] | None) -> list[Accessed]:
    """One record per customer of the answer."""
    found: list[Accessed] = []
    for customer_id in seen if len(seen) == 1 else sorted(set(seen)):
        named = str(customer_id)
        own = [one for one in basis or () if one[0] == named]
        outcome, withheld = relied.outcome(frozenset([one[2] for one in own]))
        found.append(
            Accessed(
                customer_id=customer_id,
                client_id=caller.client_id,
                purpose=caller.purpose,
                operation=read.name,
                document_sha256=read.sha256,
                fields=read.fields,
                consents=tuple([one[1] for one in own]),
                terms=tuple(sorted({one[3] for one in own})),
                withheld=withheld,
                outcome=outcome,
            )
        )
    return found
