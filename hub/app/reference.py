"""What administrators load of the lender's own: reference documents and edges. And an evaluation made once more, for whoever sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from hub.access.audit.chain import Secrets
from hub.access.audit.loads import edges_audited, versions_audited
from hub.app.calling import Calling
from hub.app.identity import visible
from hub.credit.reference import check_edges, check_reference, read_reference
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.evaluations.reference import load_versions, rules_for
from hub.store.evaluations.reproduce import find_evaluation, reproduce
from hub.store.idempotency import Answer
from hub.store.merging import parts_of
from hub.store.relations import load_edges
from hub.store.view.binding import bound_node
from schema import services as contract

MOST_EDGES, LONGEST_SOURCE = 500, 200
"""What goes in one call; a file of more is loaded by ``hub relations load``."""


@dataclass(frozen=True, slots=True)
class ReferenceServices:
    """See the module."""

    secrets: Secrets
    calling: Calling

    async def load_reference(self, call: contract.Call, asked: contract.LoadReference) -> contract.ReferenceLoaded:
        async with self.calling.database.work() as tx:
            rules = await rules_for(tx, asked.text, self.calling.clock.today())
        faults = tuple(contract.Fault(one.line, one.where, one.wrong, one.remedy) for one in check_reference(asked.text, rules))
        if faults:
            return contract.ReferenceLoaded((), faults)
        file, actor = read_reference(asked.text, rules), call.caller.client_id

        async def effect(tx: Write) -> Answer:
            changes = await load_versions(tx, file, actor, self.calling.clock.now())
            await versions_audited(tx, self.secrets, actor, changes)
            return {"versions": [[one.after.name, one.after.version, one.after.sha256] for one in changes]}

        answer = await self.calling.as_hub(call, effect)
        return contract.ReferenceLoaded(tuple(contract.LoadedVersion(*one) for one in answer["versions"]), ())

    async def load_relations(self, call: contract.Call, asked: contract.LoadRelations) -> contract.RelationsLoaded:
        if not 0 < len(asked.edges) <= MOST_EDGES:
            raise InvalidInput(f"1 to {MOST_EDGES} edges go in one call.", remedy="`hub relations load` takes a file of more.")
        if not 0 < len(asked.source.strip()) <= LONGEST_SOURCE:
            raise InvalidInput(f"A source has 1 to {LONGEST_SOURCE} characters.")
        edges, wrong = check_edges([(number, _row(one)) for number, one in enumerate(asked.edges, 1)])
        if wrong:
            return contract.RelationsLoaded(faults=tuple(contract.Fault(one.row, one.field, one.wrong, one.remedy) for one in wrong))
        source, actor = asked.source.strip(), call.caller.client_id

        async def effect(tx: Write) -> Answer:
            loaded = await load_edges(tx, edges, source, actor, self.calling.clock.now())
            await edges_audited(tx, self.secrets, actor, source, loaded)
            return {**loaded.counts}

        answer = await self.calling.as_hub(call, effect)
        added, changed, unchanged, retracted = (int(answer[name]) for name in ("added", "changed", "unchanged", "retracted"))
        return contract.RelationsLoaded(added, changed, unchanged, retracted)

    async def reproduce_evaluation(self, call: contract.Call, asked: contract.ReproduceEvaluation) -> contract.Reproduced:
        kind, owner, evaluation_id = bound_node(asked.evaluation_id)
        if kind != "Evaluation" or owner is None or evaluation_id is None:
            raise _absent()
        named: UUID = evaluation_id

        async def effect(tx: Write) -> Answer:
            """As the caller: it makes again what it may read."""
            customer_id = await visible(tx, str(owner))
            if owner not in await parts_of(tx, customer_id):
                raise _absent()
            row = await find_evaluation(tx, named, owner)
            if row.use_purpose is not None and row.use_purpose != call.caller.purpose:
                raise InvalidInput("It was made for another purpose than this token's.", remedy=f"Ask with a token for {row.use_purpose}.")
            found = await reproduce(tx, row, self.calling.clock.now())
            parted = None if found.difference is None else {name: _said(value) for name, value in asdict(found.difference).items()}
            told = {"verdict": found.verdict, "sentence": found.sentence, "kept": found.was_sha256, "made": found.now_sha256}
            return {"customer": str(owner), **told, "difference": parted}

        answer = await self.calling.as_client(call, effect, "reproduceEvaluation", str(owner))
        return _reproduced(answer)


def _reproduced(answer: Mapping[str, Any]) -> contract.Reproduced:
    parted = answer["difference"]
    difference = contract.Parted(parted["where"], parted["was"], parted["now"], parted["cause"]) if parted else None
    return contract.Reproduced(answer["verdict"], answer["sentence"], answer["kept"], answer["made"], difference)


def _said(value: Any) -> str | None:
    return None if value is None else str(value)


def _absent() -> NotFound:
    return NotFound("There is no such evaluation.", remedy="Use the id of an evaluation, as it was answered.")


def _row(one: contract.EdgeInput) -> dict[str, Any]:
    """A row as files have it."""
    row = {
        "from": one.from_uscc, "to": one.to_uscc, "type": one.type, "weight": one.weight, "since": one.since, "until": one.until,
        "evidence": one.evidence, "retract": one.retract,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None}
