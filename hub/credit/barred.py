"""What no decision may look at, and what a price may not be made of: a dated document (domain brief, section 7).

``fraud_only`` are features for fraud prevention and monitoring; ``never`` are words that no name may have, with the law that says so. A price follows from the grade and the
tier of the verified scenario by the engine's own table, and a policy has no place for another (PIPL 24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from hub.credit.policies import document

Fault = tuple[tuple[str | int, ...], str, str]
GRADES = frozenset("ABCD")
_OF_PRICE = frozenset({"lpr", "floor", "discount", "ftp", "opex", "lgd", "spreads"})


@cache
def fraud_only() -> frozenset[str]:
    """Features of devices and sessions."""
    return frozenset(document("barred")["fraud_only"])


def barred_fault(names: Iterable[str]) -> str | None:
    """The first of some names that no decision may look at."""
    for name in names:
        if name in fraud_only():
            return f"names {name!r}, which is for fraud prevention and monitoring only (requirements)"
        if law := law_against(name):
            return f"names {name!r}, which no decision may look at ({law})"
    return None


def law_against(name: str) -> str | None:
    """The law that bars a name; a word of it counts as a whole: ``sex`` bars ``owner_sex`` and not ``essex``."""
    spelled = f"_{name.lower()}_"
    return next((str(law) for word, law in document("barred")["never"].items() if f"_{word}_" in spelled), None)


def price_faults(policy_document: Mapping[str, Any]) -> Iterator[Fault]:
    """Members of a policy that would make a price of its own."""
    for name in policy_document:
        if name in document("barred")["price"]:
            yield (
                (name,),
                "a price depends on the grade and on the tier of the verified scenario, by the engine's table, and on nothing else (PIPL 24)",
                "Leave it out.",
            )


def table_faults(engine: Mapping[str, Any]) -> Iterator[Fault]:
    """Of the engine's own table: it knows grades, and no other kind of customer."""
    strange = set(engine["price"]) - _OF_PRICE - {"source"}
    if strange or set(engine["price"]["spreads"]) != GRADES:
        yield (
            ("price",),
            f"it has other members than {', '.join(sorted(_OF_PRICE))}, or its spreads are not by grade alone (PIPL 24)",
            "Correct it.",
        )
