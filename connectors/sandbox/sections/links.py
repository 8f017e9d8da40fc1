"""What a persona's blocks owe each other, beyond the types of each: a holder is somebody, a flow has an account, no month is told twice.

Such a persona could be expanded only by guessing, so it is refused. Each fault is the rest of a sentence that begins with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hub.domain.periods import Month, add_months

if TYPE_CHECKING:
    from connectors.sandbox.persona import Persona
    from connectors.sandbox.sections.tax import VatReturns


def faults(persona: Persona) -> Iterator[str]:
    """Every contradiction, in the order of the sections."""
    if (persona.business is None) == (persona.subject_person is None):
        yield "the top: a persona has either a business or a subject_person"
    yield from _unknown("people", _persons(persona), persona.people)
    yield from _unknown(
        "people, and it has no such business", _holders(persona), {*persona.people, *(["business"] if persona.business else [])}
    )
    yield from _ledger(persona)
    yield from _parties(persona)
    yield from _months(persona)


def _unknown(where: str, named: Iterable[tuple[str, str]], known: Iterable[str]) -> Iterator[str]:
    names = frozenset(known)
    return (f"{place}: {name!r} is no key of {where}" for place, name in named if name not in names)


def _persons(persona: Persona) -> Iterator[tuple[str, str]]:
    if persona.business:
        yield "business.responsible", persona.business.responsible
    if persona.subject_person is not None:
        yield "subject_person", persona.subject_person
    for number, income in enumerate(persona.tax.personal_income if persona.tax else ()):
        yield f"tax.personal_income[{number}].person", income.person
    for number, stint in enumerate(persona.social_insurance.persons if persona.social_insurance else ()):
        yield f"social_insurance.persons[{number}].person", stint.person
    for number, row in enumerate(persona.housing_fund.accounts if persona.housing_fund else ()):
        yield f"housing_fund.accounts[{number}].person", row.person
    for number, check in enumerate(persona.identity.checks if persona.identity else ()):
        yield f"identity.checks[{number}].person", check.person


def _holders(persona: Persona) -> Iterator[tuple[str, str]]:
    if persona.business:
        yield "business.registered_to", persona.business.registered_to
    if persona.tax:
        yield "tax.holder", persona.tax.holder
    if persona.shop:
        yield "shop.owner", persona.shop.owner
    for number, account in enumerate(persona.ledger.accounts if persona.ledger else ()):
        yield f"ledger.accounts[{number}].holder", account.holder
    for number, debt in enumerate(persona.bureau.accounts if persona.bureau else ()):
        yield f"bureau.accounts[{number}].of", debt.of
    if persona.farm:
        yield "farm.register_holder", persona.farm.register_holder
        yield "farm.policy_holder", persona.farm.policy_holder


def _ledger(persona: Persona) -> Iterator[str]:
    if persona.ledger is None:
        return
    accounts = persona.ledger.accounts
    yield from (
        f"ledger.accounts: {name!r} is there {count} times" for name, count in Counter(one.id for one in accounts).items() if count > 1
    )
    if sum(one.role == "SETTLEMENT" for one in accounts) > 1:
        yield "ledger.accounts: more than one has the role SETTLEMENT"
    flows = ((f"ledger.flows[{number}].account", flow.account) for number, flow in enumerate(persona.ledger.flows))
    yield from _unknown("ledger.accounts", flows, [one.id for one in accounts])


def _parties(persona: Persona) -> Iterator[str]:
    section = persona.invoices
    parties = section.parties if section else {}
    named: list[tuple[str, str]] = []
    if section:
        for side, streams in (("output", section.output), ("input", section.input)):
            named += [(f"invoices.{side}[{number}]", share.party) for number, stream in enumerate(streams) for share in stream.split]
        named += [(f"invoices.red[{number}].party", one.party) for number, one in enumerate(section.red)]
        named += [(f"invoices.void[{number}].party", void.party) for number, void in enumerate(section.void)]
    related = persona.relations.related if persona.relations else ()
    named += [(f"relations.related[{number}].party", edge.party) for number, edge in enumerate(related)]
    yield from _unknown("invoices.parties", named, parties)
    if persona.procurement:
        orders = ((f"procurement.orders[{number}].buyer", one.buyer) for number, one in enumerate(persona.procurement.orders))
        yield from _unknown("procurement.buyers", orders, persona.procurement.buyers)
        yield from _twice("procurement.orders", (f"{one.buyer} {one.id}" for one in persona.procurement.orders))
    if persona.farm:
        yield from _twice("farm.plots", (f"{one.id} {one.season} {one.crop}" for one in persona.farm.plots))


def _months(persona: Persona) -> Iterator[str]:
    """Months and periods that are told twice, and lists of one block that do not go together."""
    rows = persona.shop.months if persona.shop else ()
    yield from _twice("shop.months", (str(add_months(row.month, offset)) for row in rows for offset in range(row.for_months)))
    tax = persona.tax
    yield from _twice("tax.vat_returns", (month for block in (tax.vat_returns if tax else ()) for month in _filed_months(block)))
    for number, block in enumerate(tax.vat_returns if tax else ()):
        if block.exempt is not None and len(block.exempt) != len(block.declared):
            yield f"tax.vat_returns[{number}]: declared and exempt are not of the same length"
    if tax and tax.withholding and len(tax.withholding.headcount) != len(tax.withholding.wages):
        yield "tax.withholding: headcount and wages are not of the same length"
    employer = persona.social_insurance.employer if persona.social_insurance else None
    if employer and len(employer.headcount) != len(employer.base):
        yield "social_insurance.employer: headcount and base are not of the same length"


def _filed_months(block: VatReturns) -> Iterator[str]:
    quarterly = "Q" in block.first
    first = Month(f"{block.first[:4]}-{int(block.first[5:]) * 3 - 2:02d}" if quarterly else block.first)
    return (str(add_months(first, offset)) for offset in range(len(block.declared) * (3 if quarterly else 1)))


def _twice(place: str, told: Iterable[str]) -> Iterator[str]:
    return (f"{place}: {name} is told {count} times" for name, count in Counter(told).items() if count > 1)
