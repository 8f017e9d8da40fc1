"""What mutations record of a lender's loans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hub.access.audit import audited
from hub.access.clients import registered_partner
from hub.app.calling import Calling
from hub.app.identity import visible
from hub.domain.audit import Accessed
from hub.domain.identifiers import CustomerId
from hub.errors import HubError, InvalidInput, NotFound
from hub.store.database import Write
from hub.store.evaluations import effective_policy
from hub.store.idempotency import Answer
from hub.store.loans import LoanWord, Recorded, record
from hub.sync.context import Equipment
from schema import services as contract

MOST, LONGEST_NUMBER, MOST_DAYS, MOST_CONTACTS = 100, 64, 36_500, 1_000
LARGEST, EARLIEST, LONGEST_TERM = Decimal(10) ** 12, date(1990, 1, 1), timedelta(days=366 * 50)


@dataclass(frozen=True, slots=True)
class LendingServices:
    """Kept as the hub, for its audit chain; whether the caller sees the customers is asked as the caller before."""

    equipment: Equipment
    calling: Calling

    async def record_loan_status(self, call: contract.Call, asked: contract.LoanStatus) -> contract.LoansRecorded:
        return await self._record(call, [asked], "recordLoanStatus")

    async def record_loan_statuses(self, call: contract.Call, asked: contract.RecordLoanStatuses) -> contract.LoansRecorded:
        return await self._record(call, asked.statuses, "recordLoanStatuses")

    async def _record(self, call: contract.Call, asked: Sequence[contract.LoanStatus], mutation: str) -> contract.LoansRecorded:
        words, seen = await self._permitted(call, asked)

        async def effect(tx: Write) -> Answer:
            if isinstance(seen, HubError):
                raise seen
            await _check_partners(tx, call, words)
            for scenario in {word.scenario for word in words}:
                await effective_policy(tx, scenario, self.equipment.clock.today())
            # In one order, whoever sends them: two calls about the same customers take turns.
            pairs = sorted(zip(seen, words, strict=True), key=lambda pair: (pair[0], pair[1].number, pair[1].status_on))
            now, actor = self.equipment.clock.now(), call.caller.client_id
            done = [(customer_id, word, await record(tx, customer_id, word, actor, now)) for customer_id, word in pairs]
            await self._audit(tx, actor, done)
            return {"customers": [str(one) for one in seen], "changed": sum(found.changed for _, _, found in done)}

        answer = await self.calling.as_hub(call, effect)
        customers = tuple(str(one) for one in answer["customers"])
        await self._note(call, mutation, customers)
        return contract.LoansRecorded(customers, int(answer["changed"]), len(customers) - int(answer["changed"]))

    async def _permitted(
        self, call: contract.Call, asked: Sequence[contract.LoanStatus]
    ) -> tuple[list[LoanWord], list[CustomerId] | HubError]:
        """What is refused is told to whoever has not had an answer under his key yet."""
        try:
            words = _words(asked, self.equipment.clock.today())
            async with self.equipment.database.write(self.calling.scope(call)) as tx:
                return words, [await visible(tx, one.customer_id) for one in asked]
        except (NotFound, InvalidInput) as error:
            return [], error

    async def _audit(self, tx: Write, actor: str, done: Sequence[tuple[CustomerId, LoanWord, Recorded]]) -> None:
        """Old and new values of what changed. The chain is locked until the commit, so this comes last."""
        for customer_id, word, found in done:
            if found.changed:
                subject, after = f"customer:{customer_id}", _plain(word.values())
                before = None if found.before is None else _plain(found.before)
                await audited(tx, self.equipment.vault.keys, actor=actor, action="loan.record", subject=subject, before=before, after=after)

    async def _note(self, call: contract.Call, mutation: str, customers: Sequence[str]) -> None:
        named = (call.caller.client_id, call.caller.purpose, call.operation, call.document_sha256)
        told = (f"Mutation.{mutation}",)
        await self.calling.log.write([Accessed(UUID(one), *named, told) for one in dict.fromkeys(customers)])


async def _check_partners(tx: Write, call: contract.Call, words: Sequence[LoanWord]) -> None:
    """A partner is a platform that is registered; an app speaks of its own loans alone. Raises InvalidInput."""
    named = {word.partner for word in words if word.partner is not None}
    known = {one for one in named if await registered_partner(tx, one)}
    if named - known or (call.caller.app is not None and named - {call.caller.client_id}):
        raise InvalidInput(
            "The partner of a joint loan is no platform that is registered here.",
            remedy="Name the client of the platform; an app names itself.",
        )


def _words(asked: Sequence[contract.LoanStatus], today: date) -> list[LoanWord]:
    """Raises InvalidInput."""
    if not 1 <= len(asked) <= MOST:
        raise InvalidInput(f"1 to {MOST} loans go in one call, {len(asked)} were sent.", remedy="Send them in several calls.")
    if len({(one.customer_id, one.number.strip(), one.status_on or today) for one in asked}) < len(asked):
        raise InvalidInput("Two of them speak of one loan on one day.", remedy="Say of each loan and day one thing.")
    return [_word(one, today) for one in asked]


def _word(asked: contract.LoanStatus, today: date) -> LoanWord:
    """Raises InvalidInput."""
    word = LoanWord(
        number=asked.number.strip(),
        scenario=asked.scenario,
        state=asked.state,
        status_on=asked.status_on or today,
        granted_on=asked.granted_on,
        matures_on=asked.matures_on,
        granted=asked.granted,
        balance=asked.balance,
        due=asked.due,
        days_past_due=asked.days_past_due,
        evaluation_id=_evaluation(asked.evaluation_id),
        reachable=asked.reachable,
        marketing=asked.marketing,
        contacts=asked.contacts,
        partner=asked.partner,
        partner_share=asked.partner_share,
    )
    for fits, why in _rules(word, today):
        if not fits:
            raise InvalidInput(why)
    return word


def _rules(word: LoanWord, today: date) -> Iterator[tuple[bool, str]]:
    """One after the other: what a later one asks, the earlier ones have made sure of."""
    amounts = (word.granted, word.balance, word.due)
    yield 0 < len(word.number) <= LONGEST_NUMBER, f"A number has 1 to {LONGEST_NUMBER} characters."
    yield (
        EARLIEST <= word.granted_on <= word.status_on <= today,
        f"grantedOn, statusOn and today follow each other, from {EARLIEST} on.",
    )
    latest = word.granted_on + LONGEST_TERM
    yield word.matures_on is None or word.granted_on < word.matures_on <= latest, "maturesOn lies up to 50 years after grantedOn."
    yield all(one.is_finite() and 0 <= one < LARGEST and one == round(one, 2) for one in amounts), "Amounts are yuan from 0, to two places."
    yield word.due <= word.balance, "What is due is a part of the balance."
    yield 0 <= word.days_past_due <= MOST_DAYS, "daysPastDue is not below 0."
    yield (word.due > 0) == (word.days_past_due > 0), "Something is due if and only if it is past due."
    share = word.partner_share
    yield (word.partner is None) == (share is None), "A joint loan has a partner, and the share that the partner funds."
    yield (
        share is None or (0 <= share < 1 and share == round(share, 4)),
        "partnerShare is a share of the loan, from 0 to below 1, to four places.",
    )
    yield word.contacts is None or 0 <= word.contacts <= MOST_CONTACTS, f"contacts lies between 0 and {MOST_CONTACTS}."


def _evaluation(text: str | None) -> UUID | None:
    """``Evaluation:<customer>:<id>``, as it was answered. Raises InvalidInput."""
    if text is None:
        return None
    try:
        return UUID(text.rpartition(":")[2])
    except ValueError:
        raise InvalidInput("evaluationId names no evaluation.") from None


def _plain(values: Any) -> dict[str, Any]:
    return {name: None if value is None else value if isinstance(value, bool | int) else str(value) for name, value in values.items()}
