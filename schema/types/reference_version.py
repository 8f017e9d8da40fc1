"""ReferenceVersion, Relation and KnownRelation: what the lender knows or has configured. And the fields of Query that list it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from hub.domain.enums import RelationType
from schema.access import DataKind, access, asked, shown, stored
from schema.types.pages import After, Connection, First

REFERENCE_READ = access("reference:read", DataKind.CLIENT)
GRAPH_READ = access("reference:write", DataKind.CLIENT)
"""Whoever loads the graph sees it: it may name somebody else's customer."""
Uscc = Annotated[str | None, strawberry.argument(description="Only those that touch this business.")]
OfTypes = Annotated[list[RelationType] | None, strawberry.argument(description="Only of these types.")]
InForce = Annotated[
    bool | None, strawberry.argument(description="Only what the hub knows now; false: only what was replaced or taken back.")
]
Names = Annotated[list[str] | None, strawberry.argument(description="Only these documents, for example `margin_bands`.")]


@strawberry.type(
    description="A version of a reference document: what the lender knows or has configured. It is written once and never changed.",
    directives=[REFERENCE_READ],
)
class ReferenceVersion:
    name: str = shown("Which document, for example `margin_bands`.")
    version: int = shown("1 for the first.")
    sha256: str = shown("SHA-256 (hex) over its canonical JSON.")
    source: str = shown("Where the lender has it from.")
    effective_from: date = shown("First day it is for. Of several versions the one that took effect last counts.")
    effective_to: date | None = shown("Last day; null: until another one is in effect.")
    document: str = shown("The document, as JSON.")
    loaded_at: datetime = shown("When it was loaded (business time): it is known from then on.")
    loaded_by: str = shown("Client, or operator, that loaded it.")


@strawberry.type(
    description="关联关系: an edge of the lender's relationship graph.", directives=[access("evidence:read", DataKind.EVIDENCE)]
)
class Relation:
    from_uscc: str = shown("A business, by its unified social credit code.")
    to_uscc: str | None = shown("The other one; null of NONE alone.")
    type: RelationType = shown("How they are linked. NONE: the business was looked at, and nothing was found.")
    weight: Decimal | None = shown("Share held, of a SHAREHOLDING. From 0.25 on it makes a related party.")
    since: date | None = shown("First day; null: not told.")
    until: date | None = shown("Last day; null: none so far.")
    evidence: str | None = shown("What it was found by, in the lender's words.")
    source: str = shown("Where the lender has it from.")
    known_from: datetime = shown("When the hub learned it.")
    known_to: datetime | None = shown("When a newer version replaced it, or it was taken back.")


@strawberry.type(
    description="关联关系: an edge of the lender's whole relationship graph, whoever is a customer, and who loaded it.",
    directives=[GRAPH_READ],
)
class KnownRelation(Relation):
    loaded_by: str = shown("Client, or operator, that loaded it.")


@strawberry.type
class References:
    """See the module."""

    @asked("The reference documents with all their versions, those loaded last first.", REFERENCE_READ, Connection[ReferenceVersion])
    def references(self, first: First = 20, after: After = None, names: Names = None) -> Any:
        return stored()

    @asked(
        "The relationship graph with every version of its edges, those loaded last first. Which of them an evaluation knew: `Evaluation.relations`.",
        GRAPH_READ,
        Connection[KnownRelation],
    )
    def relations(self, first: First = 20, after: After = None, uscc: Uscc = None, types: OfTypes = None, in_force: InForce = None) -> Any:
        return stored()
