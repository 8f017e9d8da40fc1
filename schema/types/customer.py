"""Customer: the unified view (统一客户视图)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from hub.domain.enums import CustomerCategory, Sensitivity, SourceKind
from hub.domain.models import HintKind, Severity
from hub.domain.periods import Month
from schema.access import DataKind, access, asked, shown, stored
from schema.types.access_record import ACCESS_LOG, AccessRecord
from schema.types.consent import Consent
from schema.types.enums import CustomerKind, DecisionMissing
from schema.types.evaluation import Evaluation
from schema.types.evaluation_parts import SeriesMonth
from schema.types.facts import FactFields
from schema.types.hint import GroupLimit, Hint
from schema.types.loan import LOAN_RULE, Loan
from schema.types.monitoring_signal import MonitoringSignal
from schema.types.node import Node
from schema.types.pages import After, Connection, First
from schema.types.party import Party
from schema.types.platform_connection import PlatformConnection
from schema.types.profile import Profile
from schema.types.source_access import SourceAccess

_PERSONAL = access("customers:read", DataKind.PROFILE, Sensitivity.C2)
_EVIDENCE = access("evidence:read", DataKind.EVIDENCE)
_RESULT = access("enhancement:read", DataKind.RESULT)
Scenario = Annotated[str, strawberry.argument(description="Scenario, for example `S03`.")]
WhatIf = Annotated[
    bool,
    strawberry.argument(description="True: instead the what-ifs, of another day or of what was known before. Nothing is decided by them."),
]
SeriesNames = Annotated[list[str] | None, strawberry.argument(description="Names of series, for example `GMV`, at most 200.")]
FromMonth = Annotated[Month | None, strawberry.argument(name="from", description="First month.")]
ToMonth = Annotated[Month | None, strawberry.argument(description="Last month.")]
Triggers = Annotated[list[str] | None, strawberry.argument(description="Only of these triggers, for example `T1`.")]
Severities = Annotated[list[Severity] | None, strawberry.argument(description="Only so grave.")]
Over = Annotated[bool, strawberry.argument(description="True: instead those that are over.")]
HintKinds = Annotated[list[HintKind] | None, strawberry.argument(description="Only of these kinds.")]
SomeScenario = Annotated[str | None, strawberry.argument(description="Only of this scenario.")]


@strawberry.type
class CustomerProfile:
    """What the store itself knows of a customer; the kinds of fact join it in :class:`Customer`."""

    id: strawberry.ID = shown(
        "Opaque id. Of customers that were merged it is the one that stayed, whichever was asked for, for a client that sees both."
    )
    kind: CustomerKind = shown("Business or person.")
    category: CustomerCategory = shown("客户类别: as it was said when the customer was made known, else by kind and code.")
    name_masked: str = shown("Name, masked.", _PERSONAL)
    uscc: str | None = shown("统一社会信用代码 of a business; null for a person.")
    same_subject: list[strawberry.ID] = shown(
        "Other customers of the same code or resident ID that the client sees: what was said of them differs. Candidates for mergeCustomers."
    )
    created_at: datetime = shown("Made known to the hub.")
    profile: Profile | None = shown(
        "What kind of customer it is. Null: nothing was evaluated yet, or the consents of this use do not cover what was read; `profileMissing` says why, `sources` says which.",
        _RESULT,
    )
    group_limit: GroupLimit | None = shown(
        "总额度 over all scenarios. Null: nothing is offered, or the consents of this use do not cover what was read.", _RESULT
    )
    loans: list[Loan] = shown("The customer's loans, as the lender last said. Without one the customer has none.", LOAN_RULE)
    profile_missing: DecisionMissing | None = shown("Why `profile` is null; null: it is not.", _RESULT)
    parties: list[Party] = shown("The persons and businesses behind the customer today, or on the day asked for.", _PERSONAL)
    former_parties: list[Party] = shown("Whose role at the customer has ended, the latest first.", _PERSONAL)
    consents: list[Consent] = shown("Consents for the asking institution and purpose, newest first.")
    connections: list[PlatformConnection] = shown("Links to platforms that the asking purpose asked a consent for.")

    @asked(
        "Every kind of source with its status: what an evaluation of this customer can use, and why not the rest. What customers merged into it connected"
        " is among its connections and facts, and not here: their consents were given for their own data."
    )
    def sources(
        self, only: Annotated[list[SourceKind] | None, strawberry.argument(description="Only these kinds.")] = None
    ) -> list[SourceAccess]:
        return stored()  # type: ignore[no-any-return]

    @asked(
        "The latest evaluation for a scenario that decides something; null when there is none, or when the consents of this use do not cover what it read: `evaluationMissing` says why.",
        _RESULT,
    )
    def evaluation(self, scenario: Scenario, what_if: WhatIf = False) -> Evaluation | None:
        return stored()  # type: ignore[no-any-return]

    @asked("Why `evaluation` is null under the same arguments; null: it is not.", _RESULT)
    def evaluation_missing(self, scenario: Scenario, what_if: WhatIf = False) -> DecisionMissing | None:
        return stored()  # type: ignore[no-any-return]

    @asked("The history of evaluations, newest first: decisions, or the what-ifs.", _RESULT)
    def evaluations(
        self, first: First = 20, after: After = None, scenario: SomeScenario = None, what_if: WhatIf = False
    ) -> Connection[Evaluation]:
        return stored()  # type: ignore[no-any-return]

    @asked(
        "Monthly series of the latest decision that found something, by name and month. A month that is not covered is null, with its reason.",
        _EVIDENCE,
    )
    def series(
        self, names: SeriesNames = None, from_: FromMonth = None, to: ToMonth = None, scenario: SomeScenario = None
    ) -> list[SeriesMonth]:
        return stored()  # type: ignore[no-any-return]

    @asked("Warnings about the customer's running loans, newest first: those that last, or those that are over.", _RESULT)
    def monitoring_signals(
        self,
        first: First = 20,
        after: After = None,
        scenario: SomeScenario = None,
        triggers: Triggers = None,
        severities: Severities = None,
        over: Over = False,
    ) -> Connection[MonitoringSignal]:
        return stored()  # type: ignore[no-any-return]

    @asked("What could be offered, renewed or done next, by the latest decision of each scenario, the most pressing first.", _RESULT)
    def hints(self, kinds: HintKinds = None, scenario: SomeScenario = None) -> list[Hint]:
        return stored()  # type: ignore[no-any-return]

    @asked("Who asked for what of this customer, newest first. A partner sees what it asked itself.", ACCESS_LOG)
    def access_log(self, first: First = 20, after: After = None) -> Connection[AccessRecord]:
        return stored()  # type: ignore[no-any-return]


@strawberry.type(
    description="One customer: who it is, what was consented and connected, every kind of fact, and the enhancements that follow from them.",
    directives=[access("customers:read", DataKind.PROFILE)],
)
class Customer(FactFields, CustomerProfile, Node):  # type: ignore[misc]
    """The profile first, then the kinds of fact."""
