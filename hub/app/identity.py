"""Who a customer is, as mutations change it: made known, parties added and ended, customers merged, split and erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from hub.access.audit import audited
from hub.app.calling import Calling
from hub.domain.audit import Accessed, AccessOutcome
from hub.domain.enums import CustomerCategory, PartyRole
from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput, NotAllowed, NotFound
from hub.store.customers import NewCustomer, NewParty, NewPerson, create_customer
from hub.store.database import Scope, Write
from hub.store.erasure import erase_customer
from hub.store.idempotency import Answer
from hub.store.identity_events import checked_reason
from hub.store.merging import merge_customers, parts_of, split_customer, surviving
from hub.store.parties import add_party, end_party
from hub.store.reveal import Wanted, reveal
from hub.store.tables import client, party
from hub.sync.context import Equipment
from schema import services as contract

LONGEST_REASON = 200
"""Characters of why somebody is erased: it stands in the tombstone."""


@dataclass(frozen=True, slots=True)
class IdentityServices:
    """See the module."""

    equipment: Equipment
    calling: Calling

    async def create_customer(self, call: contract.Call, asked: contract.CreateCustomer) -> str:
        """Done as the hub, since who claims the same may be known already without being visible to the caller yet."""
        new, equipment = _new_customer(asked), self.equipment

        async def effect(tx: Write) -> Answer:
            seen_by = sorted({call.caller.client_id, *await _internal_clients(tx)})
            now, actor = equipment.clock.now(), call.caller.client_id
            return {"customer": str(await create_customer(tx, equipment.vault, equipment.blind, new, seen_by, now, actor))}

        answer = await self.calling.as_hub(call, effect)
        await self.calling.note(call, "createCustomer", str(answer["customer"]))
        return str(answer["customer"])

    async def add_party(self, call: contract.Call, asked: contract.AddParty) -> contract.PartyChanged:
        new, equipment = NewParty(PartyRole(asked.role), _person(asked.person), asked.since), self.equipment

        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            now, actor = equipment.clock.now(), call.caller.client_id
            made = await add_party(tx, equipment.vault, equipment.blind, customer_id, new, now, actor)
            return {"customer": str(customer_id), "party": str(made)}

        answer = await self.calling.as_client(call, effect, "addParty", asked.customer_id)
        return contract.PartyChanged(str(answer["customer"]), str(answer["party"]))

    async def end_party(self, call: contract.Call, asked: contract.EndParty) -> contract.PartyChanged:
        reason = checked_reason(asked.reason)

        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            owner, party_id = await _party(tx, customer_id, asked.party_id)
            await end_party(tx, owner, party_id, asked.until, reason, self.equipment.clock.now(), call.caller.client_id)
            return {"customer": str(customer_id), "party": str(party_id)}

        answer = await self.calling.as_client(call, effect, "endParty", asked.customer_id)
        return contract.PartyChanged(str(answer["customer"]), str(answer["party"]))

    async def merge_customers(self, call: contract.Call, asked: contract.MergeCustomers) -> contract.CustomersMerged:
        reason, from_id, into_id = checked_reason(asked.reason), _uuid(asked.from_id), _uuid(asked.into_id)

        async def effect(tx: Write) -> Answer:
            await merge_customers(tx, from_id, into_id, reason, self.equipment.clock.now(), call.caller.client_id)
            await self._audited(tx, call, "customer.merge", from_id, {"into": str(into_id), "reason": reason})
            return {"from": str(from_id), "into": str(into_id)}

        answer = await self.calling.as_hub(call, effect)
        return contract.CustomersMerged(str(answer["from"]), str(answer["into"]))

    async def split_customer(self, call: contract.Call, asked: contract.SplitCustomer) -> contract.CustomersMerged:
        reason, customer_id = checked_reason(asked.reason), _uuid(asked.customer_id)

        async def effect(tx: Write) -> Answer:
            left = await split_customer(tx, customer_id, reason, self.equipment.clock.now(), call.caller.client_id)
            await self._audited(tx, call, "customer.split", customer_id, {"reason": reason}, before={"into": str(left)})
            return {"from": str(customer_id), "into": str(left)}

        answer = await self.calling.as_hub(call, effect)
        return contract.CustomersMerged(str(answer["from"]), str(answer["into"]))

    async def erase_customer(self, call: contract.Call, asked: contract.EraseCustomer) -> contract.CustomerErased:
        """Done as the hub: an admin sees no customer."""
        if not 0 < len(asked.reason.strip()) <= LONGEST_REASON:
            raise InvalidInput(f"A reason has 1 to {LONGEST_REASON} characters.")
        customer_id = CustomerId(_uuid(asked.customer_id))

        async def effect(tx: Write) -> Answer:
            note = f"{call.caller.client_id}: {asked.reason.strip()}"
            erased = await erase_customer(tx, self.equipment.vault, self.equipment.clock, customer_id, note, call.caller.client_id)
            return {"customer": str(erased.customer_id), "keys": erased.keys}

        answer = await self.calling.as_hub(call, effect)
        return contract.CustomerErased(str(answer["customer"]), int(answer["keys"]))

    async def reveal_personal_field(self, call: contract.Call, asked: contract.RevealPersonalField) -> str:
        """The key remembers what was asked, never the value: who asks again is shown it again, and logged again, before the answer leaves. Raises NotAllowed for a
        token without a purpose: what it is for could not be logged."""
        if not call.caller.purpose:
            raise NotAllowed("A personal value is shown for a purpose, and the token names none.", remedy="Ask for a token with one.")

        async def noted(tx: Write) -> Answer:
            return {"customer": str(await visible(tx, asked.customer_id)), "field": asked.field}

        answer = await self.calling.as_client(call, noted, "revealPersonalField", asked.customer_id)
        party_id = None if asked.party_id is None else _uuid(asked.party_id, "party")
        wanted = Wanted(CustomerId(UUID(str(answer["customer"]))), asked.role, asked.field, party_id)
        async with self.equipment.database.write(Scope.of(call.caller)) as tx:
            await visible(tx, str(wanted.customer_id))
            found = await reveal(tx, self.equipment.vault, wanted, self.equipment.clock.now())
        named = (call.caller.client_id, call.caller.purpose, call.operation, call.document_sha256)
        await self.calling.log.write([Accessed(found.customer_id, *named, (wanted.told,), outcome=AccessOutcome.REVEALED)])
        return found.value

    async def _audited(
        self,
        tx: Write,
        call: contract.Call,
        action: str,
        customer_id: UUID,
        after: Mapping[str, str],
        before: Mapping[str, str] | None = None,
    ) -> None:
        """The chain's event, beside the customer's own history: what operators do is nothing that anybody may take back unseen."""
        keys, actor = self.equipment.vault.keys, call.caller.client_id
        await audited(tx, keys, actor=actor, action=action, subject=f"customer:{customer_id}", before=before, after=after)


async def visible(tx: Write, text: str) -> CustomerId:
    """The customer, if the asking client may see it; one that was merged is answered for by the one it was merged into, if the client sees that one, too.

    What is absent, foreign or no id is answered alike. Raises NotFound.
    """
    try:
        found = await surviving(tx, UUID(text))
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such customer.", remedy="Use the id that createCustomer gave.")
    return found


async def _party(tx: Write, customer_id: CustomerId, text: str) -> tuple[CustomerId, UUID]:
    """A party of the customer, or of one merged into it, and whose it is."""
    party_id = _uuid(text, "party")
    parts = await parts_of(tx, customer_id)
    owner = select(party.c.customer_id).where(party.c.customer_id.in_(parts), party.c.party_id == party_id)
    found = (await tx.execute(owner)).scalar()
    if found is None:
        raise NotFound("There is no such party.")
    return CustomerId(found), party_id


def _uuid(text: str, what: str = "customer") -> UUID:
    """A party's id comes bare, or as ``parties`` shows it: ``Party:<customer>:<id>``."""
    try:
        return UUID(text.rpartition(":")[2] if text.startswith("Party:") else text)
    except ValueError:
        raise NotFound(f"There is no such {what}.") from None


def _new_customer(asked: contract.CreateCustomer) -> NewCustomer:
    if asked.person is None:
        raise InvalidInput("The person behind the customer is missing.")
    category = None if asked.category is None else CustomerCategory(asked.category)
    people = tuple(NewParty(PartyRole(one.role), _person(one.person), one.since) for one in asked.people)
    return NewCustomer(asked.kind, asked.name, asked.uscc, _person(asked.person), category, people)


def _person(asked: contract.PersonInput) -> NewPerson:
    return NewPerson(asked.name, asked.resident_id, asked.residence_city)


async def _internal_clients(tx: Write) -> list[str]:
    """The institution's own risk systems see every customer."""
    return list((await tx.execute(select(client.c.client_id).where(client.c.audience == "INTERNAL"))).scalars())
