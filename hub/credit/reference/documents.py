"""The reference documents: what each of them is called and may say. A fault has its path, what is wrong, and the remedy.

lender                  the lender's own name, as bureaus and banks write it
margin_bands            gross margin by industry prefix: [low, high], shares of 1
core_enterprises        codes of core enterprises
approved_buyers         codes of buyers whose orders are financed
prohibited_industries   industry prefixes that are not financed
social_insurance_base   floor and ceiling of the city's contribution base, yuan a month
service_area            cities that a local lender serves, as registers name them
joint_lending           tier_1_net_capital and loans_in_all (yuan), most_of_capital_per_partner, most_of_loans_in_all, least_funded_by_partner (shares of 1)
crops                   by name: yield_norm (kg per mu), price (yuan per kg), input_cost (yuan per mu)
products                the lender's own products by code (:mod:`hub.credit.products`)
peer_products           likewise those of other institutions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.credit.concentration import LIMITS
from hub.credit.dossier import Crop, Reference, Related
from hub.credit.products.catalogue import OWN, PEERS
from hub.credit.products.checking import Rules, contradictions, of_the_package, own_products, peer_products, told
from hub.domain.classifications import fault_of_city, fault_of_industry
from hub.domain.identifiers import Unsound, fault_of_uscc
from hub.domain.money import ZERO

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str]
Faults = Iterator[Fault]

LONGEST = 200
MOST_ENTRIES = 10_000
_NAME = re.compile(r"[^\W\d_](?:[\w ()（）·-]{0,38}[\w)）])?")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_CROP = ("yield_norm", "price", "input_cost")


def faults_of(documents: Mapping[str, Any], at: Path = (), rules: Rules = of_the_package) -> Faults:
    """Every fault of some documents by name. ``rules``: the policies that products are held against, once their form is sound."""
    found = list(_misshapen(documents, at))
    yield from found
    if not found:
        yield from contradictions(documents, at, rules)


def _misshapen(documents: Mapping[str, Any], at: Path) -> Faults:
    for name, document in documents.items():
        if name not in NAMES:
            yield (*at, name), "there is no reference document of this name", f"Known are {', '.join(NAMES)}."
        else:
            yield from NAMES[name](document, (*at, name))


def _text(value: Any, at: Path) -> Faults:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST or not value.isprintable():
        yield at, "it is no text", f"Write 1 to {LONGEST} characters in quotes."


def _bands(value: Any, at: Path) -> Faults:
    if not isinstance(value, dict):
        yield at, "it is no object", 'Write it like {"F52": ["0.15", "0.35"]}.'
        return
    for prefix, band in value.items():
        here = (*at, prefix)
        yield from told(here, fault_of_industry(prefix))
        if not isinstance(band, list | tuple) or len(band) != 2:
            yield here, "it is no pair of a low and a high share", 'Write it like ["0.15", "0.35"].'
            continue
        shares = [_number(one) for one in band]
        for place, share in enumerate(shares):
            if share is None or share > 1:
                yield (*here, place), "it is no share from 0 to 1", 'Write a decimal text, like "0.15".'
        if None not in shares and shares[0] > shares[1]:  # type: ignore[operator]
            yield here, "the low share is above the high one", "Put the lower one first."


def _industries(value: Any, at: Path) -> Faults:
    yield from _each(value, at, fault_of_industry)


def _joint(value: Any, at: Path) -> Faults:
    yield from _members(value, at, LIMITS)
    if not isinstance(value, dict):
        return
    for name in LIMITS:
        number, is_share = _number(value.get(name)), name.startswith(("most", "least"))
        if number is not None and (number > 1 if is_share else number == 0):
            yield (
                (*at, name),
                "it is no share from 0 to 1" if is_share else "it is nothing",
                'Write a decimal text, like "0.25" or "5000000000".',
            )


def _cities(value: Any, at: Path) -> Faults:
    yield from _each(value, at, fault_of_city)


def _codes(value: Any, at: Path) -> Faults:
    yield from _each(value, at, fault_of_uscc)


def _each(values: Any, at: Path, fault_of: Callable[[str], Unsound | None]) -> Faults:
    """A list of texts that are what they should be, each once."""
    found = set[str]()
    for place, one in enumerate(values) if isinstance(values, list | tuple) else ():
        here = (*at, place)
        if not isinstance(one, str):
            yield here, "it is no text", "Write it in quotes."
        elif one in found:
            yield here, "it is listed before", "Take it out."
        else:
            found.add(one)
            yield from told(here, fault_of(one))
    if not isinstance(values, list | tuple) or len(values) > MOST_ENTRIES:
        yield at, f"it is no list of at most {MOST_ENTRIES:,} entries", "Write it in square brackets."


def _base(value: Any, at: Path) -> Faults:
    yield from _members(value, at, ("floor", "ceiling"))
    if isinstance(value, dict):
        low, high = _number(value.get("floor")), _number(value.get("ceiling"))
        if low is not None and high is not None and low > high:
            yield at, "the floor is above the ceiling", "Exchange them."


def _crops(value: Any, at: Path) -> Faults:
    if not isinstance(value, dict):
        yield at, "it is no object", 'Write it like {"rice": {"yield_norm": "450", "price": "2.8", "input_cost": "600"}}.'
        return
    for name, one in value.items():
        if not _NAME.fullmatch(name):
            yield (
                (*at, name),
                "it is no name of a crop",
                "Write it as land registers and insurers do: letters first, at most 40, without blanks at the ends.",
            )
        yield from _members(one, (*at, name), _CROP)


def _members(value: Any, at: Path, names: tuple[str, ...]) -> Faults:
    """An object of exactly these amounts."""
    if not isinstance(value, dict):
        yield at, "it is no object", f"It has {', '.join(names)}."
        return
    for name in value.keys() - set(names):
        yield (*at, name), "it is not known here", f"It has {', '.join(names)}."
    for name in names:
        if name not in value:
            yield at, f"{name} is missing", f"It has {', '.join(names)}."
        elif _number(value[name]) is None:
            yield (*at, name), "it is no amount", 'Write a decimal text that is not negative, like "4250.00".'


def _number(value: Any) -> Decimal | None:
    """An exact amount: a decimal text, or one that is a Decimal already. A JSON number may have been a float on its way."""
    if isinstance(value, Decimal):
        return value if value >= 0 else None
    return Decimal(value) if isinstance(value, str) and _AMOUNT.fullmatch(value) else None


NAMES: Mapping[str, Callable[[Any, Path], Faults]] = {
    "lender": _text,
    "margin_bands": _bands,
    "core_enterprises": _codes,
    "approved_buyers": _codes,
    "prohibited_industries": _industries,
    "social_insurance_base": _base,
    "service_area": _cities,
    "joint_lending": _joint,
    "crops": _crops,
    OWN: own_products,
    PEERS: peer_products,
}


def reference_of(documents: Mapping[str, Any], related: tuple[Related, ...] | None) -> Reference:
    """The values of documents without a fault."""
    base = documents.get("social_insurance_base")
    crops = documents.get("crops", {})
    return Reference(
        lender=str(documents.get("lender", "")),
        margin_bands={prefix: (_exact(low), _exact(high)) for prefix, (low, high) in documents.get("margin_bands", {}).items()},
        core_enterprises=frozenset(documents.get("core_enterprises", ())),
        approved_buyers=frozenset(documents.get("approved_buyers", ())),
        prohibited_industries=frozenset(documents.get("prohibited_industries", ())),
        insurance_base=(_exact(base["floor"]), _exact(base["ceiling"])) if base else None,
        related=related,
        service_area=frozenset(documents["service_area"]) if "service_area" in documents else None,
        crops={name: Crop(*(_exact(one[member]) for member in _CROP)) for name, one in crops.items()},
    )


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return ZERO
