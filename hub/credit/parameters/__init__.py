"""Dated parameters of the feature catalogue and of the sources: numbers that are configuration, not code (domain brief, head and 5.1); and what things are called."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from hub.domain.enums import SourceKind

CURRENT = "2026-01-01"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What formulas and source states need to know beside the facts.

    ``staleness`` is the most days from data end to as-of by source; TAX has none, its periods decide (``tax_due_day`` of the month
    after the period, ``tax_grace_days`` after it). ``minimum_months`` maps the length of a window to the covered months it needs.
    ``vat_by_section`` holds the general VAT rates by section letter.
    """

    version: str
    staleness: dict[SourceKind, int]
    rating_days: int
    identity_days: int
    tax_due_day: int
    tax_grace_days: int
    minimum_months: dict[int, int]
    vat_small_scale: Decimal
    vat_by_section: dict[str, Decimal]
    vat_other: Decimal
    industry_risk: dict[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """What a feature or a scenario is called, in Chinese and in English."""

    zh: str
    en: str


@cache
def words(what: str, version: str = CURRENT) -> dict[str, Words]:
    """The words of all ``features``, of all ``scenarios``, or of the ``inputs`` that rules of eligibility ask for, by their ids."""
    document: dict[str, Any] = orjson.loads((files(__package__) / f"words.{version}.json").read_bytes())
    return {name: Words(**said) for name, said in document[what].items()}


@cache
def parameters(version: str = CURRENT) -> Parameters:
    """The document of a version."""
    document: dict[str, Any] = orjson.loads((files(__package__) / f"features.{version}.json").read_bytes())
    vat, tax = document["vat"], document["tax"]
    return Parameters(
        version=version,
        staleness={SourceKind(kind): days for kind, days in document["staleness_days"].items()},
        rating_days=document["rating_days"],
        identity_days=document["identity_days"],
        tax_due_day=tax["due_day"],
        tax_grace_days=tax["grace_days"],
        minimum_months={int(length): least for length, least in document["minimum_months"].items()},
        vat_small_scale=Decimal(vat["small_scale"]),
        vat_by_section={section: Decimal(rate) for rate, sections in vat["general"].items() for section in sections},
        vat_other=Decimal(vat["other"]),
        industry_risk=document["industry_risk"],
    )
