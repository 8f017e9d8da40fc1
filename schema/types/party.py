"""Party."""

from __future__ import annotations

from datetime import date

import strawberry

from hub.domain.enums import Sensitivity
from schema.access import DataKind, access, shown
from schema.types.node import Node

_PERSONAL = access("customers:read", DataKind.PROFILE, Sensitivity.C2)


@strawberry.type(description="A person or business behind the customer, masked.", directives=[_PERSONAL])
class Party(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it, `endParty` takes it.")
    role: str = shown(
        "SUBJECT (the customer itself), OPERATOR (经营者), LEGAL_REP (法定代表人), CONTROLLER (实际控制人), SPOUSE (配偶) or GUARANTOR (保证人)."
    )
    name_masked: str = shown("Name, masked: the first character.", _PERSONAL)
    id_masked: str = shown(
        "USCC or resident ID, masked: 6 first and 4 last characters. The birth date between them is not shown elsewhere.", _PERSONAL
    )
    since: date | None = shown("First day in the role; null where it was not told.")
    until: date | None = shown("First day no longer in the role; null while it lasts.")
