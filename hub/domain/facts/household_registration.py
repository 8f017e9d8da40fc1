"""户籍."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.IDENTITY, key=("person",), occurred=None)
class HouseholdRegistration:
    """户籍: where a person is registered and lives. Decides the new-citizen (新市民) overlay; hukou is barred from score and price."""

    person: PersonalId = about("Resident ID of the person.")
    name: PersonalId = about("Name of the person.")
    hukou_city: str = about("City of the household registration.", sensitivity=Sensitivity.C2)
    hukou_since: date = about("Day of the household registration in that city.", sensitivity=Sensitivity.C2)
    residence_city: str = about("City of residence.", sensitivity=Sensitivity.C2)
    home_latitude: float | None = about("Home, where known.", unit=Unit.DEGREE, sensitivity=Sensitivity.C2)
    home_longitude: float | None = about("Home, where known.", unit=Unit.DEGREE, sensitivity=Sensitivity.C2)
