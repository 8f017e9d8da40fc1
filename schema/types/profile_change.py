"""ProfileNews and ProfileChange: that something of a customer has changed, never what it is now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from schema.access import DataKind, access, shown

PROFILE_RULE = access("customers:read", DataKind.PROFILE)


@strawberry.enum(
    description="FACTS: facts came or changed. EVALUATION: one was made. CONSENT: one was asked for, given, narrowed, paused or ended. PARTIES: somebody took a"
    " role or left it. IDENTITY: the customer was merged or split. MONITORING: a warning about a running loan came, or is over."
    " CONNECTION: a platform's authorisation ends in 30, in 7 or in 1 days, each told once."
)
class ProfileChangeKind(StrEnum):
    FACTS = "FACTS"
    EVALUATION = "EVALUATION"
    CONSENT = "CONSENT"
    PARTIES = "PARTIES"
    IDENTITY = "IDENTITY"
    MONITORING = "MONITORING"
    CONNECTION = "CONNECTION"


@strawberry.type(
    description="That something changed. No data: ask for what you need, with `knownAt` if it must be that state.",
    directives=[PROFILE_RULE],
)
class ProfileChange:
    kind: ProfileChangeKind = shown("What kind of thing.")
    of: str = shown(
        "Of FACTS and CONNECTION the connector, of EVALUATION the scenario, of CONSENT the kind of source, of MONITORING the trigger (`T1`), else what happened (`IdentityEventKind`)."
    )
    known_at: datetime = shown("Read with this `knownAt`, or a later one, it is there.")
    at: datetime = shown("When it was written (real time).")


@strawberry.type(description="What has changed since the answer before.", directives=[PROFILE_RULE])
class ProfileNews:
    customer_id: strawberry.ID = shown("The customer; the one that answers for it where it was merged.")
    cursor: str = shown("Pass it as `after` to go on from here, up to seven days later: nothing is lost, nothing is told twice.")
    changes: list[ProfileChange] = shown(
        "Each kind and thing once, the last change of it, in order. Empty in the first answer, and where what changed is not for the asking client and purpose."
    )
