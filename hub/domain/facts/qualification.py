"""资质."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.REGISTRATION, key=("kind", "number"), occurred=None)
class Qualification:
    """资质: a qualification of a business, such as high-tech or specialized-and-sophisticated (专精特新)."""

    kind: str = about("HIGH_TECH, TECH_SME, SPECIALIZED_PROV, LITTLE_GIANT, PATENT or SOFTWARE_COPYRIGHT.")
    number: str = about("Certificate number, or the kind itself where the register gives none.")
    valid_from: date | None = about("First day of validity.")
    valid_to: date | None = about("Last day of validity. Expired is not absent.")
