"""学历."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.IDENTITY, key=("person", "level"), occurred=None)
class EducationRecord:
    """学历: education of a person as verified by the register of graduates."""

    person: PersonalId = about("Resident ID of the person.")
    level: str = about("BELOW_HIGH, HIGH, COLLEGE, BACHELOR, MASTER or DOCTOR.")
    verified: bool = about("Whether the register confirmed it. An unverified record gives no feature.")
    graduated_on: date | None = about("Day of graduation.")
