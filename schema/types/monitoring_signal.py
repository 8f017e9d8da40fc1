"""MonitoringSignal: a warning about a running loan."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from hub.domain.enums import MissingReason
from hub.domain.models import Severity
from schema.access import DataKind, access, shown
from schema.types.node import Node

_RESULT = access("enhancement:read", DataKind.RESULT)
_EVIDENCE = access("evidence:read", DataKind.EVIDENCE)


@strawberry.type(description="A name that the condition uses, and what it stood for.", directives=[_EVIDENCE])
class SignalEvidence:
    name: str = shown("Feature or input, for example `latest_sales_ratio`; docs/reference/models.md says what each is.")
    value: str | None = shown("Its value.")
    missing_reason: MissingReason | None = shown("Why there was none.")
    features: list[str] = shown("Ids of the features it stands on: `evaluation.features` has them with their evidence.")


@strawberry.type(
    description="贷后预警: a warning about a running loan, for consents of purpose POST_LOAN. Raised once, by the evaluation that first found it, and over when a later one finds that it"
    " no longer holds; what cannot be told any more ends nothing. `profileChanged` announces both.",
    directives=[_RESULT],
)
class MonitoringSignal(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    trigger: str = shown("T1 to T12; docs/reference/models.md says what each is.")
    part: int = shown("Which part of it; each is told apart.")
    scenario: str = shown("Scenario of the loan.")
    severity: Severity = shown("How grave.")
    points: int = shown("Its points in the level of post-loan monitoring.")
    since: date = shown("Day of the evaluation that raised it.")
    until: date | None = shown("Day of the evaluation that found it over; null: it lasts.")
    known_at: datetime = shown("Instant up to which facts were known when it was raised.")
    text_zh: str = shown("说明 (Chinese).")
    text_en: str = shown("The same in English.")
    condition: str = shown("The condition that held.", _EVIDENCE)
    evidence: list[SignalEvidence] = shown("What its names stood for.", _EVIDENCE)
    evaluation_id: strawberry.ID = shown("The evaluation that raised it; `node(id)` finds it.")
