"""What a catalogue may say. A fault has its path, what is wrong, and the remedy.

First the form: which members there are, and what kind of value each has. Then, of the lender's own loans, whether they say what the policies of their scenarios say: a
product that promises what its policy never gives is a fault of the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hub.credit import policies
from hub.credit.policy import Policy, load_policy
from hub.credit.products.catalogue import AXES, OWN, PEERS
from hub.credit.shape import GUARANTEES, LONGEST_TERM, REPAYMENTS
from hub.domain.classifications import fault_of_industry
from hub.domain.enums import CustomerType, IndustryCluster, ProductKind
from hub.domain.identifiers import Unsound
from hub.domain.periods import day_of

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str]
Faults = Iterator[Fault]
Rules = Callable[[str], Policy | None]
"""The policy of a scenario; None: nobody knows one."""

MOST, LONGEST, MOST_GROUPS = 100, 100, 20
PURPOSES = ("OPERATING", "CONSUMPTION")
OTHER_GUARANTEES = ("MORTGAGE", "PLEDGE")
"""What peers ask for beside what the scenarios know."""
_WORDS: Mapping[str, tuple[str, ...]] = {
    "customer_types": tuple(CustomerType),
    "overlays": ("NEW_CITIZEN",),
    "clusters": tuple(IndustryCluster),
    "product_classes": ("HIGH_TECH", "LIGHT_ASSET", "TRADITIONAL"),
}
_ELEMENTS = ("limit", "terms", "rate", "repayment", "guarantee")
_MEMBERS = ("kind", "name_zh", "name_en", "scenario", *_ELEMENTS, "purposes", "eligible")
_OF_PEERS = (*_MEMBERS, "peer", "seen_on")
_CODE, _AMOUNT = re.compile(r"[A-Z][A-Z0-9_]{0,39}"), re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_LEAD = re.compile(r"^[A-Z](?=[a-z ])")
_SCENARIO = re.compile(r"[A-Z][A-Z0-9_]{1,15}")
_BRANCH = re.compile(r"(?:^|[?:])\s*(\d+(?:\.\d+)?)\s*(?=$|:)")
"""A plain amount that an expression may come to."""


def of_the_package(scenario: str) -> Policy | None:
    """The policy that comes with this version of the hub."""
    return load_policy(scenario) if scenario in policies.names() else None


def own_products(document: Any, at: Path) -> Faults:
    """The form of ``products``."""
    yield from _catalogue(document, at, _MEMBERS)


def peer_products(document: Any, at: Path) -> Faults:
    """The form of ``peer_products``: whose it is, and when somebody looked."""
    yield from _catalogue(document, at, _OF_PEERS)
    for code, one in _objects(document):
        yield from _name(one, (*at, code), "peer")
        if not _is_day(one.get("seen_on")):
            yield (*at, code, "seen_on"), "it is no day", "Write the day on which the public terms were looked at, like 2026-03-31."


def _catalogue(document: Any, at: Path, members: tuple[str, ...]) -> Faults:
    if not isinstance(document, dict) or len(document) > MOST:
        yield at, f"it is no object of at most {MOST} products by their codes", 'Write it like {"S03": {"kind": "LOAN", ...}}.'
        return
    for code, one in document.items():
        here = (*at, code)
        if not _CODE.fullmatch(code):
            yield here, "it is no code of a product", "Write 1 to 40 capital letters, digits and _, a letter first."
        if not isinstance(one, dict):
            yield here, "it is no object", f"It has {', '.join(members)}."
        else:
            yield from _product(one, here, members)


def _objects(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = document.items() if isinstance(document, dict) else ()
    return ((code, one) for code, one in rows if isinstance(one, dict))


def _product(one: Mapping[str, Any], at: Path, members: tuple[str, ...]) -> Faults:
    for name in one.keys() - set(members):
        yield (*at, name), "it is not known here", f"A product has {', '.join(members)}."
    if one.get("kind") not in tuple(ProductKind):
        yield (*at, "kind"), "it is no kind of product", f"It is one of {', '.join(ProductKind)}."
    yield from _name(one, at, "name_zh")
    yield from _name(one, at, "name_en")
    if "scenario" in one and not (isinstance(one["scenario"], str) and _SCENARIO.fullmatch(one["scenario"])):
        yield (*at, "scenario"), "it is no scenario", 'Write its id, like "S03".'
    if one.get("kind") == ProductKind.LOAN:
        for name in _ELEMENTS:
            if name not in one:
                yield at, f"{name} is missing", "A loan has all five elements: limit, terms, rate, repayment, guarantee."
    yield from _elements(one, at)
    yield from _list_of(one, at, "purposes", PURPOSES)
    yield from _eligible(one.get("eligible"), (*at, "eligible"))


def _name(one: Mapping[str, Any], at: Path, name: str) -> Faults:
    value = one.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST:
        yield (*at, name), "it is no short text", f"Write 1 to {LONGEST} characters in quotes."


def _elements(one: Mapping[str, Any], at: Path) -> Faults:
    if "limit" in one:
        yield from _range(one["limit"], (*at, "limit"), None, 'Write yuan as texts, lowest and highest, like ["1000", "500000"].')
    if "rate" in one:
        yield from _range(one["rate"], (*at, "rate"), Decimal(100), 'Write percent a year with all costs, like ["3.70", "8.00"].')
    terms = one.get("terms", [1])
    whole = isinstance(terms, list) and terms and all(type(term) is int and 0 < term <= LONGEST_TERM for term in terms)
    if not whole or any(low >= high for low, high in pairwise(terms)):
        yield (*at, "terms"), "it is no ascending list of months", "Write the terms that are offered, like [6, 12]."
    yield from _list_of(one, at, "repayment", REPAYMENTS, some=True)
    yield from _list_of(one, at, "guarantee", (*GUARANTEES, *OTHER_GUARANTEES), some=True)


def _range(value: Any, at: Path, most: Decimal | None, remedy: str) -> Faults:
    said = value if isinstance(value, list) else []
    ends = [Decimal(end) for end in said if isinstance(end, str) and _AMOUNT.fullmatch(end)]
    if len(said) != 2 or len(ends) != 2 or (most is not None and max(ends) > most):
        yield at, "it is no pair of amounts", remedy
    elif ends[0] > ends[1]:
        yield at, "the lowest is above the highest", "Exchange them."


def _list_of(one: Mapping[str, Any], at: Path, name: str, words: tuple[str, ...], *, some: bool = False) -> Faults:
    if name not in one:
        return
    values = one[name]
    if not isinstance(values, list) or (some and not values):
        yield (*at, name), "it is no list", f"Write some of {', '.join(words)}."
        return
    for place, value in enumerate(values):
        if value not in words:
            yield (*at, name, place), "it is none of the words", f"It is one of {', '.join(words)}."
        elif value in values[:place]:
            yield (*at, name, place), "it is listed before", "Take it out."


def _eligible(groups: Any, at: Path) -> Faults:
    if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
        yield (
            at,
            f"it is no list of at most {MOST_GROUPS} groups",
            'Write whom it is for, like [{"product_classes": ["LIGHT_ASSET"]}]; [] is everybody.',
        )
        return
    for place, group in enumerate(groups):
        here = (*at, place)
        if not isinstance(group, dict) or not group:
            yield here, "it is no group", f"Name axes: {', '.join(AXES)}."
            continue
        for name in group.keys() - set(AXES):
            yield (*here, name), "it is not known here", f"A group names {', '.join(AXES)}."
        for name, words in _WORDS.items():
            yield from _list_of(group, here, name, words, some=True)
        yield from _industries(group.get("industries", ["F"]), (*here, "industries"))


def _industries(prefixes: Any, at: Path) -> Faults:
    known = isinstance(prefixes, list) and prefixes and all(isinstance(one, str) for one in prefixes)
    if not known:
        yield at, "it is no list of prefixes of an industry code (GB/T 4754)", 'Write a section letter and up to four digits, like ["F52"].'
        return
    for place, one in enumerate(prefixes):
        yield from told((*at, place), fault_of_industry(one))


def told(at: Path, fault: Unsound | None) -> Faults:
    """A fault of a value, at its place."""
    if fault is not None:
        yield at, _LEAD.sub(lambda first: first[0].lower(), fault.message).rstrip("."), fault.remedy


def _is_day(text: Any) -> bool:
    day = day_of(text)
    return day is not None and day.year >= 2000


def contradictions(documents: Mapping[str, Any], at: Path, rules: Rules) -> Faults:
    """Where catalogues of a sound form do not say what the policies say."""
    for code, one in _objects(documents.get(OWN)):
        yield from _own(one, (*at, OWN, code), rules)
    for code, one in _objects(documents.get(PEERS)):
        if "scenario" in one and rules(one["scenario"]) is None:
            yield (*at, PEERS, code, "scenario"), "there is no policy for it", "Name a scenario of the institution's own, or none."


def _own(one: Mapping[str, Any], at: Path, rules: Rules) -> Faults:
    if one["kind"] != ProductKind.LOAN:
        return
    policy = rules(one["scenario"]) if "scenario" in one else None
    if policy is None:
        yield (*at, "scenario"), "there is no policy that decides this loan", "Name the scenario whose policy does; publish it first."
        return
    most, longest = highest(policy), _longest(policy)
    if most is not None and Decimal(one["limit"][1]) > most:
        yield (
            (*at, "limit", 1),
            f"the policy of {policy.id} caps the product at {most:f}",
            "Lower it, or publish a policy with a higher cap.",
        )
    if longest is not None and one["terms"][-1] > longest:
        yield (*at, "terms"), f"the policy of {policy.id} gives at most {longest} months", "Take out what is longer."
    for name, given in (("repayment", policy.repayment), ("guarantee", policy.guarantee)):
        for place, word in enumerate(one[name]):
            if word not in given:
                yield (*at, name, place), f"the policy of {policy.id} does not offer it", f"It offers {', '.join(given)}."


def highest(policy: Policy) -> Decimal | None:
    """The most that the cap PRODUCT of a policy comes to, in whichever case; None where it is no plain amount."""
    cap = policy.caps.get("PRODUCT", "")
    found = [Decimal(one) for one in _BRANCH.findall(cap)]
    return max(found) if len(found) == cap.count("?") + 1 else None


def _longest(policy: Policy) -> int | None:
    return int(policy.base_term) + policy.term_bonus if policy.base_term.isdigit() else None
