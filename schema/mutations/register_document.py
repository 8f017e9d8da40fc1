"""registerDocument."""

from __future__ import annotations

from typing import Annotated, Any, cast

import strawberry

from hub import errors
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
from schema.trusted import faults


@strawberry.input(description="A document that a client may ask by its digest.")
class RegisterDocumentInput:
    client_id: strawberry.ID = shown("The client.")
    document: str = shown("The document, one operation with its fragments, exactly as its digest is made of it (UTF-8).")

    def value(self) -> services.RegisterDocument:
        return services.RegisterDocument(client_id=str(self.client_id), document=self.document)


@strawberry.type(description="The client can ask for it.", directives=[ANYONE])
class DocumentRegistered:
    sha256: str = shown("Its SHA-256, in small hexadecimal digits: the `documentId` of a request.")


Asked = Annotated[RegisterDocumentInput, strawberry.argument(description="The client and the document.")]
RegisterDocumentResult = Annotated[
    DocumentRegistered | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RegisterDocumentResult", description="The digest, or why not."),
]


@asked("Stores a reviewed document for a client. Clients cannot store documents themselves.", access("clients:write", DataKind.CLIENT))
async def register_document(info: HubInfo, idempotency_key: Key, input: Asked) -> RegisterDocumentResult:
    async def run() -> DocumentRegistered:
        found = faults(cast(Any, info.schema).core, input.document)
        if found:
            raise errors.InvalidInput(f"Line {found[0].line}: {found[0].message}", remedy=found[0].remedy)
        done = await call(info, idempotency_key, info.context.services.register_document, input.value())
        return DocumentRegistered(sha256=done)

    return await outcome(run)  # type: ignore[no-any-return]
