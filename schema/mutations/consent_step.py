"""What the mutations of a given consent have in common: whose it is and to what, and the consent as it stands afterwards."""

from __future__ import annotations

import strawberry

from hub.domain.enums import SourceKind
from schema.access import DataKind, access, asked, shown
from schema.mutations.calling import HubInfo
from schema.services import ConsentChanged
from schema.stored import read_node
from schema.types.consent import Consent


@strawberry.input
class OfSource:
    customer_id: strawberry.ID = shown("The customer.")
    source: SourceKind = shown("Kind of source, for the purpose of the asking token.")


@strawberry.type
class Stepped:
    id: strawberry.Private[str]

    @asked("The consent.", access("customers:read", DataKind.CONSENT))
    async def consent(self, info: HubInfo) -> Consent:
        return await read_node(info, "Consent", self.id)  # type: ignore[no-any-return]


def node_of(done: ConsentChanged) -> str:
    """The id of the consent's node."""
    return f"Consent:{done.customer_id}:{done.consent_id}"
