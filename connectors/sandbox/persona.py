"""A persona: one invented customer's underlying reality, without naming a platform.

The format is ``persona/1``. Money is decimal text in yuan and becomes Decimal here; a float is refused. How a persona expands into single
records is decided once, in the ``expand_*`` modules beside this one.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from connectors.sandbox import sections
from hub.domain.enums import SourceKind
from hub.errors import PersonaInvalid


class Persona(sections.Part):
    format: Literal["persona/1"]
    id: str
    title: str
    scenario: str
    as_of: date
    known_at: datetime
    request: sections.RequestSection | None = None
    reference: dict[str, Any]
    people: dict[str, sections.Person]
    business: sections.Business | None = None
    subject_person: str | None = None
    sources: dict[SourceKind, sections.Source]
    tax: sections.Tax | None = None
    financials: sections.Financials | None = None
    invoices: sections.Invoices | None = None
    relations: sections.Relations | None = None
    shop: sections.ShopSection | None = None
    ledger: sections.Ledger | None = None
    social_insurance: sections.SocialInsurance | None = None
    housing_fund: sections.HousingFund | None = None
    bureau: sections.Bureau | None = None
    identity: sections.Identity | None = None
    device: sections.Device | None = None
    public_records: tuple[sections.PublicRecordRow, ...] = ()
    procurement: sections.Procurement | None = None
    farm: sections.Farm | None = None

    def person(self, key: str) -> sections.Person:
        return self.people[key]

    def holder(self, key: str) -> tuple[str, str]:
        """Identifier and name of a holder: a key of ``people``, or "business"."""
        if key == "business" and self.business:
            return self.business.uscc, self.business.name
        return self.people[key].resident_id, self.people[key].name

    @property
    def responsible(self) -> sections.Person:
        """The operator or legal representative; the subject himself when there is no business."""
        return self.people[self.business.responsible if self.business else self.subject_person or ""]


def load(path: Path) -> Persona:
    """Reads a persona file. Raises PersonaInvalid with the place and the reason of the first fault."""
    try:
        return Persona.model_validate(json.loads(path.read_text("utf-8")))
    except OSError:
        raise PersonaInvalid(f"There is no persona file at {path}.", remedy="Name a JSON file of the format persona/1.") from None
    except ValueError as error:
        raise PersonaInvalid(f"{path.name} is not a persona: {_first_fault(error)}.", remedy="The format is persona/1.") from None


def _first_fault(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_input=False, include_url=False)[0]
        return f"at {'.'.join(str(part) for part in fault['loc']) or 'the top'}: {fault['msg']}"
    return f"it is not JSON ({error})"
