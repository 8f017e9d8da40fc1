"""``hub evaluate --customer`` and ``--evaluation``: from the log as it was known, and once more. What is read stands in the access log, as any client's reads do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from rich.markup import escape

from hub.access.audit import AccessLog, ChainKeys
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.processes import OPERATOR, with_runtime
from hub.cli.runtime import Runtime
from hub.credit.evaluate import Request
from hub.domain.audit import Accessed
from hub.domain.enums import Purpose
from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput, NotFound
from hub.store.evaluations import Asked, evaluate_customer
from hub.store.evaluations.reproduce import DIFFERENT, EQUAL, NOT_REPRODUCIBLE, Reproduction, find_evaluation, forbidden_again, reproduce
from hub.store.evaluations.today import forbidden_today

CODES = {EQUAL: 0, DIFFERENT: 3, NOT_REPRODUCIBLE: 4}


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it was typed. ``purpose`` is that of the consents, ``money_for`` that of the loan."""

    customer: UUID
    scenario: str
    as_of: date | None
    known_at: str | None
    amount: str | None
    money_for: str
    purpose: Purpose


def once_more(named: str, home: Path | None, *, as_json: bool) -> None:
    """Exit code as :data:`CODES` says."""
    customer_id, evaluation_id = _ids(named)
    found: list[Reproduction] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            row = await find_evaluation(tx, evaluation_id, customer_id)
            found.append(await reproduce(tx, row, runtime.clock.now()))
        await _noted(runtime, found[0].customer_id, row.use_purpose or "", "hub evaluate --evaluation")

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(told(found[0]))
    else:
        console.print(escape(found[0].sentence), soft_wrap=True)
    if code := CODES[found[0].verdict]:
        raise typer.Exit(code)


def told(one: Reproduction) -> dict[str, Any]:
    """As JSON."""
    parted = one.difference
    return {
        "customer": str(one.customer_id),
        "evaluation": str(one.evaluation_id),
        "verdict": one.verdict,
        "sentence": one.sentence,
        "bytes": one.size,
        "keptSha256": one.was_sha256,
        "madeSha256": one.now_sha256,
        "difference": parted and {"where": parted.where, "kept": parted.was, "made": parted.now, "cause": parted.cause},
    }


class _Outlived(Exception):
    """What would be read has outlived its consent, and is to be erased: nothing is made of it."""


def of_customer(wanted: Wanted, home: Path | None, *, as_json: bool) -> None:
    """Exit code 4: consents of today forbid something that was allowed when it was known; what, is told."""
    found: list[dict[str, Any]] = []

    async def work(runtime: Runtime) -> None:
        asked = _asked(wanted, runtime)
        try:
            found.append(await _made(runtime, asked))
        except _Outlived as sealed:
            found.append({"evaluation": None, "whatIf": asked.what_if, "forbidden": [{"wasAllowed": True, "sentence": str(sealed)}]})
        await _noted(runtime, asked.customer_id, asked.purpose, "hub evaluate --customer")

    until.run(with_runtime(settings(home), work, named=True))
    if as_json:
        emit(found[0])
    else:
        paper.print_json(data=found[0])
        for one in found[0]["forbidden"]:
            console.print(escape(one["sentence"]), soft_wrap=True)
    if any(one["wasAllowed"] for one in found[0]["forbidden"]):
        raise typer.Exit(CODES[NOT_REPRODUCIBLE])


async def _made(runtime: Runtime, asked: Asked) -> dict[str, Any]:
    """By what was known then, as far as it may be read today: a withdrawal holds for whoever looks back, too. Raises _Outlived."""
    now = runtime.clock.now()
    async with runtime.database.work() as tx:
        kept = await evaluate_customer(tx, asked, runtime.models)
        row = await find_evaluation(tx, kept.evaluation_id, asked.customer_id)
        if not asked.what_if:
            return {**row.document, "evaluation": str(kept.evaluation_id), "whatIf": False, "forbidden": []}
        if sentences := await forbidden_again(tx, row, now):
            raise _Outlived(" ".join(sentences))
        states = kept.found.made.dossier.sources
        left = await forbidden_today(tx, asked, {kind: state.reason for kind, state in states.items()}, now)
    return {**row.document, "evaluation": str(kept.evaluation_id), "whatIf": True, "forbidden": [one.document() for one in left]}


def _asked(wanted: Wanted, runtime: Runtime) -> Asked:
    now, today = runtime.clock.now(), runtime.clock.today()
    known_at = instant(wanted.known_at) or now
    if known_at > now:
        raise InvalidInput("--known-at lies in the future: what will be known then is not known now.", remedy="Leave it out for now.")
    if wanted.money_for not in ("OPERATING", "CONSUMPTION"):
        raise InvalidInput("--money-for is OPERATING or CONSUMPTION.")
    return Asked(
        customer_id=CustomerId(wanted.customer),
        scenario=wanted.scenario,
        request=Request(wanted.money_for, _amount(wanted.amount)),
        as_of=wanted.as_of or today,
        known_at=known_at,
        grantee=runtime.settings.grantee,
        purpose=wanted.purpose.value,
        what_if=known_at < now or wanted.as_of not in (None, today),
        read_at=now,
    )


def instant(text: str | None) -> datetime | None:
    try:
        found = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min
    if found is not None and found.tzinfo is None:
        raise InvalidInput("--known-at is no instant with an offset.", remedy="Write it like 2026-01-20T10:00:00+08:00.")
    return found


def _amount(text: str | None) -> Decimal | None:
    try:
        found = None if text is None else Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if found is not None and not (found.is_finite() and 0 < found < Decimal(10) ** 12):
        raise InvalidInput("--amount is no amount in yuan.", remedy="Write it like 300000.")
    return found


def _ids(named: str) -> tuple[UUID | None, UUID]:
    """An id as the contract writes it (``Evaluation:<customer>:<id>``), or bare."""
    kind, _, rest = named.rpartition(":")
    try:
        customer = UUID(kind.removeprefix("Evaluation:")) if kind else None
        return customer, UUID(rest)
    except ValueError:
        raise NotFound("There is no such evaluation.", remedy="Use an id that `evaluate` or `evaluations` answered.") from None


async def _noted(runtime: Runtime, customer_id: CustomerId, purpose: str, command: str) -> None:
    log = AccessLog(runtime.database, ChainKeys.of(runtime.vault.keys))
    await log.write([Accessed(customer_id, OPERATOR, purpose, command, "", ("Evaluation",))])
