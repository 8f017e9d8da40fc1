"""A persona: one invented customer's underlying reality, without naming a platform.

The format is ``persona/1``. Money is decimal text in yuan and becomes Decimal here; a float is refused. What the format does not allow is refused with
the place of the fault, and so is what it allows but nobody could expand (:mod:`connectors.sandbox.sections.links`). How a persona expands into
single records is decided once, in the ``expand_*`` modules beside this one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from connectors.sandbox import sections
from connectors.sandbox.sections.links import faults
from hub.domain.enums import SourceKind
from hub.errors import PersonaInvalid

Name = Annotated[str, BeforeValidator(sections.text_of(r"[a-z0-9-]+", "a name of small letters, digits and hyphens"))]
Scenario = Annotated[str, BeforeValidator(sections.text_of(r"S(0[1-9]|1[0-2])", "a scenario from S01 to S12"))]


class Persona(sections.Part):
    format: Literal["persona/1"]
    id: Name
    title: str
    scenario: Scenario
    as_of: sections.Day
    known_at: sections.Moment
    request: sections.RequestSection | None = None
    reference: sections.ReferenceDocument
    people: Annotated[dict[str, sections.Person], Field(min_length=1)]
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

    @model_validator(mode="after")
    def _whole(self) -> Persona:
        fault = next(faults(self), None)
        if fault:
            raise ValueError(fault)
        return self

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


MAY_BE_NULL = re.compile(r"social_insurance\.persons\[[0-9]+\]\.employer")


class NullFound(ValueError):
    """A null where the format has none."""


def load(path: Path) -> Persona:
    """Reads a persona file. Raises PersonaInvalid with the place and the reason of the first fault."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError:
        raise PersonaInvalid(f"There is no persona file at {path}.", remedy="Name a JSON file of the format persona/1.") from None
    except ValueError:
        raise PersonaInvalid(
            f"{path.name} is not a persona: it is not UTF-8 text.", remedy="The format is persona/1, JSON in UTF-8."
        ) from None
    try:
        document = json.loads(text, parse_constant=_no_constant)
        _refuse_nulls(document, "")
        return Persona.model_validate(document)
    except (ValueError, RecursionError) as error:
        raise PersonaInvalid(f"{path.name} is not a persona: {_first_fault(error)}.", remedy="The format is persona/1.") from None


def _refuse_nulls(value: Any, place: str) -> None:
    """What is not known is left out of a persona. The one null of the format is the employer of a flexible enrolment."""
    if value is None and not MAY_BE_NULL.fullmatch(place):
        raise NullFound(place)
    children = value.items() if isinstance(value, dict) else ()
    entries = enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        _refuse_nulls(child, f"{place}.{name}" if place else str(name))
    for number, child in entries:
        _refuse_nulls(child, f"{place}[{number}]")


def _no_constant(name: str) -> Any:
    """Python's reader takes NaN and Infinity; JSON knows no such numbers."""
    raise ValueError(f"{name} is no number")


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return sections.fault_of(error)
    if isinstance(error, NullFound):
        return f"at {error or 'the top'}: null; what is not known is left out"
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"it is not JSON ({error})"
