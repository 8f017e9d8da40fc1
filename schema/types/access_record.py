"""AccessRecord: one line of a customer's access log (查询记录)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from hub.domain.audit import AccessOutcome
from schema.access import DataKind, access, shown
from schema.types.node import Node

ACCESS_LOG = access("access:read", DataKind.PROFILE)


@strawberry.type(
    description="One time that somebody asked for something of the customer: who, what, what for, and under which consents (征信业管理条例 22).",
    directives=[ACCESS_LOG],
)
class AccessRecord(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    at: datetime = shown("When (real time). The record was durable before the answer left.")
    client_id: str = shown("The client that asked.")
    purpose: str = shown("The purpose its token named; empty for an operator.")
    operation: str = shown("Name of the operation; empty where it had none.")
    document_sha256: str = shown("SHA-256 (hex) of the document.")
    fields: list[str] = shown("What was asked for, as coordinates of this contract: `Customer.orders`, `Mutation.evaluate`.")
    consents: list[strawberry.ID] = shown(
        "The consents in force that it was read under; `node(id)` finds them. None where what was asked for needs none."
    )
    terms: list[str] = shown("Versions of these consents' texts.")
    withheld: list[str] = shown("Kinds of source that were asked for and that no consent opened: nothing of them was read.")
    outcome: AccessOutcome = shown("What came of it.")
