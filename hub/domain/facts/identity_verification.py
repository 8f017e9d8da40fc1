"""身份核验."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.IDENTITY, key=("person", "method", "checked_on"), occurred="checked_on")
class IdentityVerification:
    """身份核验: the result of one identity check. Only the result is kept, never an image."""

    person: PersonalId = about("Resident ID of the person checked.")
    method: str = about("TWO_FACTOR, THREE_FACTOR or FACE_LIVENESS.")
    result: str = about("MATCH, MISMATCH or UNAVAILABLE. UNAVAILABLE is not MISMATCH.")
    checked_on: date = about("Day of the check.")
