"""loadRelations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import RelationType
from schema import services
from schema.access import ANYONE, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.faults import REFERENCE_WRITE, LoadFault, shown_faults
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="An edge between two businesses, by their unified social credit codes.")
class RelationInput:
    from_uscc: str = shown("A business.")
    type: RelationType = shown("How they are linked. NONE, without `toUscc`: it was looked at, and nothing was found.")
    to_uscc: str | None = strawberry.field(default=None, description="The other one.")
    weight: Decimal | None = strawberry.field(default=None, description="Share held, of a SHAREHOLDING, 0 to 1.")
    since: date | None = strawberry.field(default=None, description="First day.")
    until: date | None = strawberry.field(default=None, description="Last day, if it has ended.")
    evidence: str | None = strawberry.field(default=None, description="What it was found by: at most 200 characters, nothing personal.")
    retract: bool = strawberry.field(default=False, description="Takes back what should never have been said.")

    def value(self) -> services.EdgeInput:
        days = (self.since, self.until)
        return services.EdgeInput(self.from_uscc, self.to_uscc, self.type.value, self.weight, *days, self.evidence, self.retract)


@strawberry.input(description="Edges of the relationship graph.")
class LoadRelationsInput:
    source: str = shown("Where the lender has them from: 1 to 200 characters.")
    edges: list[RelationInput] = shown("At most 500. `hub relations load` takes a file of more.")

    def value(self) -> services.LoadRelations:
        return services.LoadRelations(self.source, tuple(one.value() for one in self.edges))


@strawberry.type(description="What was loaded; it is known from now on.", directives=[ANYONE])
class RelationsLoaded:
    added: int = shown("New edges.")
    changed: int = shown("Edges that got a new version.")
    unchanged: int = shown("Edges that were there already.")
    retracted: int = shown("Edges that were taken back.")
    faults: list[LoadFault] = shown("Every fault of every row. If there is one, nothing was loaded.")


Asked = Annotated[LoadRelationsInput, strawberry.argument(description="The edges.")]
LoadRelationsResult = Annotated[
    RelationsLoaded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("LoadRelationsResult", description="How many were loaded, or what is wrong."),
]


@asked(
    "Loads edges of the relationship graph, all of them or none. An edge that is there with other values gets a new version; nothing is overwritten.",
    REFERENCE_WRITE,
)
async def load_relations(info: HubInfo, idempotency_key: Key, input: Asked) -> LoadRelationsResult:
    async def run() -> RelationsLoaded:
        done = await call(info, idempotency_key, info.context.services.load_relations, input.value())
        counts = {"added": done.added, "changed": done.changed, "unchanged": done.unchanged, "retracted": done.retracted}
        return RelationsLoaded(faults=shown_faults(done.faults), **counts)

    return await outcome(run)  # type: ignore[no-any-return]
