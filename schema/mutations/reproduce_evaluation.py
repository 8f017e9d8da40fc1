"""reproduceEvaluation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.enum(
    description="What came of making an evaluation once more. NOT_REPRODUCIBLE: what it read may not be read any more, or is gone by the law."
)
class ReproductionVerdict(StrEnum):
    EQUAL = "EQUAL"
    DIFFERENT = "DIFFERENT"
    NOT_REPRODUCIBLE = "NOT_REPRODUCIBLE"


_EVIDENCE = access("evidence:read", DataKind.EVIDENCE)


@strawberry.input(description="Which evaluation.")
class ReproduceEvaluationInput:
    evaluation_id: strawberry.ID = shown("The `id` of an evaluation.")

    def value(self) -> services.ReproduceEvaluation:
        return services.ReproduceEvaluation(str(self.evaluation_id))


@strawberry.type(description="Where the two part first.", directives=[_EVIDENCE])
class ReproductionDifference:
    where: str = shown("Table, row and column, for example `feature_value ss_cv.number`.")
    kept: str | None = shown("What was kept.")
    made: str | None = shown("What is made now.")
    cause: str = shown("Why, as far as it can be told.")


@strawberry.type(description="It was made once more and compared byte for byte, or may not be.", directives=[ANYONE])
class EvaluationReproduced:
    verdict: ReproductionVerdict = shown("What came of it.")
    sentence: str = shown("The same in a sentence.")
    kept_sha256: str | None = shown("SHA-256 (hex) over what was kept, as canonical JSON.")
    made_sha256: str | None = shown("SHA-256 (hex) over what was made now.")
    difference: ReproductionDifference | None = shown("Of DIFFERENT: the first one.")


Asked = Annotated[ReproduceEvaluationInput, strawberry.argument(description="The evaluation.")]
ReproduceEvaluationResult = Annotated[
    EvaluationReproduced | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ReproduceEvaluationResult", description="What came of it, or why it was not tried."),
]


@asked(
    "Makes a stored evaluation once more, from what it was made from, whatever came since, and compares the two byte for byte. Changes nothing.",
    _EVIDENCE,
)
async def reproduce_evaluation(info: HubInfo, idempotency_key: Key, input: Asked) -> ReproduceEvaluationResult:
    async def run() -> EvaluationReproduced:
        done = await call(info, idempotency_key, info.context.services.reproduce_evaluation, input.value())
        parted = done.difference
        told = (
            None if parted is None else ReproductionDifference(where=parted.where, kept=parted.kept, made=parted.made, cause=parted.cause)
        )
        verdict, shas = ReproductionVerdict(done.verdict), {"kept_sha256": done.kept_sha256, "made_sha256": done.made_sha256}
        return EvaluationReproduced(verdict=verdict, sentence=done.sentence, difference=told, **shas)

    return await outcome(run)  # type: ignore[no-any-return]
