"""现场核验的经营地."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.IDENTITY, key=("verified_on",), occurred="verified_on")
class VerifiedPlace:
    """经营地核验: the operating place of a business as verified on the spot."""

    city: str = about("City of the operating place.")
    latitude: float = about("Operating place.", unit=Unit.DEGREE)
    longitude: float = about("Operating place.", unit=Unit.DEGREE)
    verified_on: date = about("Day of the verification.")
