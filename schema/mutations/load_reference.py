"""loadReference."""

from __future__ import annotations

from typing import Annotated

import strawberry

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


@strawberry.input(description="A reference file.")
class LoadReferenceInput:
    document: str = shown(
        "JSON: `source`, `effective_from`, perhaps `effective_to`, and `documents` by name; `hub reference check --help` shows one. Faults are told by line and path."
    )

    def value(self) -> services.LoadReference:
        return services.LoadReference(self.document)


@strawberry.type(description="A version that was written.", directives=[REFERENCE_WRITE])
class LoadedVersion:
    name: str = shown("Which document.")
    version: int = shown("Its new version.")
    sha256: str = shown("SHA-256 (hex) over its canonical JSON.")


@strawberry.type(description="What was loaded. Documents that say what their last version says are left as they are.", directives=[ANYONE])
class ReferenceLoaded:
    versions: list[LoadedVersion] = shown("The new versions.")
    faults: list[LoadFault] = shown("Every fault, in the order of the lines. If there is one, nothing was loaded.")


Asked = Annotated[LoadReferenceInput, strawberry.argument(description="The file.")]
LoadReferenceResult = Annotated[
    ReferenceLoaded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("LoadReferenceResult", description="The new versions, or what is wrong."),
]


@asked(
    "Loads what the lender knows or has configured, as new versions of its documents: all of them or none. Evaluations made before go on naming theirs.",
    REFERENCE_WRITE,
)
async def load_reference(info: HubInfo, idempotency_key: Key, input: Asked) -> LoadReferenceResult:
    async def run() -> ReferenceLoaded:
        done = await call(info, idempotency_key, info.context.services.load_reference, input.value())
        versions = [LoadedVersion(name=one.name, version=one.version, sha256=one.sha256) for one in done.versions]
        return ReferenceLoaded(versions=versions, faults=shown_faults(done.faults))

    return await outcome(run)  # type: ignore[no-any-return]
