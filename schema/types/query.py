"""Query: everything that reads. Each operation is one SQL statement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from schema.access import DataKind, access, asked, stored
from schema.types import choosing
from schema.types.client import Registry
from schema.types.concentration import Concentrations
from schema.types.customer import Customer
from schema.types.dispute import Disputes
from schema.types.fairness import Fairness
from schema.types.feature import Feature
from schema.types.node import Node
from schema.types.pages import After, Connection, First
from schema.types.policy import Policies
from schema.types.portfolio import Portfolios
from schema.types.product import Products
from schema.types.reference_version import References
from schema.types.scenario import Scenario
from schema.types.watching import Watching

CustomerId = Annotated[strawberry.ID, strawberry.argument(description="Opaque id of the customer.")]
NodeId = Annotated[strawberry.ID, strawberry.argument(description="An `id` of this contract, as it was answered.")]
AsOf = Annotated[date | None, strawberry.argument(description="Only what counts up to this day.")]
KnownAt = Annotated[datetime | None, strawberry.argument(description="As the hub knew it at this instant. Default: now.")]
NodeIds = Annotated[list[strawberry.ID], strawberry.argument(description="Ids of this contract, as they were answered; at most 100.")]
FeatureIds = Annotated[list[str] | None, strawberry.argument(description="Only these, at most 200.")]
Families = Annotated[list[str] | None, strawberry.argument(description="Only of these families, for example `ss`.")]
ScenarioIds = Annotated[list[str] | None, strawberry.argument(description="Only these.")]
OnDay = Annotated[date | None, strawberry.argument(description="The policies in force on this day. Default: today.")]
QUERY_RULE = access("customers:read", DataKind.PROFILE)


@strawberry.type(
    description="Everything that reads. What is absent and what the client may not see are answered alike: null.", directives=[QUERY_RULE]
)
class Query(Watching, Registry, Policies, Portfolios, References, Products, Disputes, Fairness, Concentrations):
    @asked("One customer.", returns=Customer | None)
    def customer(self, id: CustomerId, as_of: AsOf = None, known_at: KnownAt = None) -> Any:
        return stored()

    @asked(
        "The customers of the asking client, newest first; those that all given arguments choose. A customer is chosen by what its fields show to the asking purpose, and by"
        " nothing else: what the consents do not cover chooses nobody.",
        returns=Connection[Customer],
    )
    def customers(
        self,
        first: First = 20,
        after: After = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        categories: choosing.Categories = None,
        customer_types: choosing.CustomerTypes = None,
        overlays: choosing.Overlays = None,
        clusters: choosing.Clusters = None,
        sizes: choosing.Sizes = None,
        product_classes: choosing.ProductClasses = None,
        industries: choosing.Industries = None,
        regions: choosing.Regions = None,
        outcomes: choosing.Outcomes = None,
        tiers: choosing.Tiers = None,
        scenario: choosing.OfScenario = None,
        evaluated_since: choosing.Since = None,
        evaluated_before: choosing.Before = None,
        available: choosing.Available = None,
        stale: choosing.Stale = None,
    ) -> Any:
        return stored()

    @asked("The feature catalogue, by id: what each feature is, its unit, window and sources.", access("evidence:read", DataKind.EVIDENCE))
    def features(self, ids: FeatureIds = None, families: Families = None) -> list[Feature]:
        return stored()  # type: ignore[no-any-return]

    @asked("The scenarios with the policy in force, by id.", access("enhancement:read", DataKind.RESULT))
    def scenarios(self, ids: ScenarioIds = None, as_of: OnDay = None) -> list[Scenario]:
        return stored()  # type: ignore[no-any-return]

    @asked("Whatever has this id.", returns=Node | None)
    def node(self, id: NodeId, as_of: AsOf = None, known_at: KnownAt = None) -> Any:
        return stored()

    @asked("Whatever has these ids, in their order; null for each that is absent, or not for the client to see.", returns=list[Node | None])
    def nodes(self, ids: NodeIds, as_of: AsOf = None, known_at: KnownAt = None) -> Any:
        return stored()
