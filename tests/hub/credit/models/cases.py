"""Cases by hand: a dossier of :mod:`tests.hub.credit.made`, what the lender knows, and what the models say of it. As-of is 2026-01-20, M0 is 2025-12."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request, evaluate
from hub.credit.models.declare import Case, Result
from hub.credit.models.lender import NOBODY, Contact, Loan, Origin, Watch
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.run import Complete, case_of, complete
from hub.credit.models.triggers import Fired, looked
from hub.credit.policy import Policy, load_policy
from hub.domain.models import LoanState, ModelSlot

GRANTED = date(2025, 6, 1)


def loan(scenario: str = "S03", **values: Any) -> Loan:
    base = Loan(
        number="L-1",
        scenario=scenario,
        state=LoanState.ACTIVE,
        status_on=date(2026, 1, 19),
        granted_on=GRANTED,
        matures_on=date(2026, 5, 31),
        granted=Decimal(100_000),
        balance=Decimal(50_000),
        due=Decimal(0),
        days_past_due=0,
        contact=Contact(reachable=True),
    )
    return replace(base, **values)


def watched(*loans: Loan, origin: Origin | None = None, connections: int = 1) -> Watch:
    return Watch(True, loans or (loan(),), origin, connections)


async def whole(
    dossier: Dossier, watch: Watch = NOBODY, policy: Policy | str = "S03", reach: Reach = unreachable, request: Request | None = None
) -> Complete:
    found = load_policy(policy) if isinstance(policy, str) else policy
    return await complete(dossier, found, request or Request(), watch, reach, "c-1")


async def said(dossier: Dossier, watch: Watch = NOBODY, policy: Policy | str = "S03") -> dict[ModelSlot, Result]:
    return {one.slot: one for one in (await whole(dossier, watch, policy)).results}


def value(result: Result, name: str) -> Any:
    """The value of an output, or why there is none."""
    return result[name].missing or result[name].value


def case(dossier: Dossier, watch: Watch, scenario: str = "S03", **features: Any) -> Case:
    """``features`` take the place of what the dossier gives."""
    found = case_of(evaluate(dossier, load_policy(scenario), Request()), watch)
    if not features:
        return found
    changed = {name: msgspec.structs.replace(found.found.features[name], value=one, missing=None) for name, one in features.items()}
    made = replace(found.found, features={**found.found.features, **changed})
    names = {**{name: found.names[name] for name in found.names}, **{name: _known(found, name, one) for name, one in features.items()}}
    return replace(found, found=made, names=names)


def _known(found: Case, name: str, one: Any) -> Any:
    return msgspec.structs.replace(found.names[name], value=one, missing=None)


def parts(one: Case) -> dict[str, Fired]:
    return {found.key: found for found in looked(one)}
