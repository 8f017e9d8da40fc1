"""行为会话."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.DEVICE, key=("session_number",), occurred="at")
class BehaviourSession:
    """行为会话: one session of the customer in a partner app. Fraud prevention only; barred from score and price."""

    session_number: str = about("Number of the session at the partner app.")
    at: datetime = about("Start of the session.")
    device: PersonalId = about("Device identifier.")
    city: str = about("City of the IP address.", sensitivity=Sensitivity.C2)
    form_seconds: int | None = about("Seconds spent on the form (录入速度).", unit=Unit.SECONDS)
    paste_ratio: Decimal | None = about("Pasted share of the input.", unit=Unit.RATIO)
