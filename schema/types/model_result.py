"""ModelResult: what one of the six models says of an evaluation."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from hub.domain.enums import MissingReason, Unit
from hub.domain.models import ModelFault, ModelKind, ModelSlot
from schema.access import DataKind, access, shown

_RESULT = access("enhancement:read", DataKind.RESULT)


@strawberry.type(
    description="One output of a model: a number or a text, or the reason why there is neither. `docs/reference/models.md` lists them.",
    directives=[_RESULT],
)
class ModelValue:
    name: str = shown("Name, for example `engagement`.")
    unit: Unit = shown("Unit of the number: YUAN, RATIO (0 to 1), SCORE (points), DAYS, COUNT, TIMES. ENUM and BOOL are texts.")
    number: Decimal | None = shown("The number, rounded half up: yuan to 2 places, RATIO and TIMES to 4.")
    text: str | None = shown("A word, `true` or `false`, or a time of day.")
    missing_reason: MissingReason | None = shown("Why there is no value. Null is never zero.")


@strawberry.type(
    description="六大模型: what one of the six models says. The default formulas are the hub's own and published; a policy may name a model of the institution instead.",
    directives=[_RESULT],
)
class ModelResult:
    slot: ModelSlot = shown("What the model is for.")
    kind: ModelKind = shown("Whose answer this is.")
    model_id: str = shown("The model that answered, for example `hub.score`.")
    version: str = shown("Its version; of an ONNX file the SHA-256 of its content.")
    wanted: str | None = shown("The model that the policy names. Null: it names none.")
    fallback: bool = shown(
        "The model that the policy names did not answer, so that the default formula did. Such a score goes to a person (REFER_MANUAL)."
    )
    fault: ModelFault | None = shown("Why it did not.")
    values: list[ModelValue] = shown("Its outputs.")
    reason_codes: list[str] = shown("Reasons that a model of the institution gave, codes of the reason catalogue.")
    warnings: list[str] = shown("Warnings that it gave.", access("evidence:read", DataKind.EVIDENCE))
    request_sha256: str | None = shown("SHA-256 (hex) of what it was asked.", access("evidence:read", DataKind.EVIDENCE))
