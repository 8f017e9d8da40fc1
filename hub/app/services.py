"""What mutations do: the contract's port of services, filled from the rooms. One transaction each, together with its idempotency key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hub.access.clients import NewClient, find_client, register_client
from hub.app.consents import ConsentServices, visible
from hub.credit.evaluate import Request
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.facts import BehaviourSession
from hub.domain.identifiers import CustomerId, PersonalId
from hub.domain.periods import china_day
from hub.errors import InvalidInput
from hub.link.service import PARTNER_APP, LinkRequest, LinkService
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Database, Scope, Write
from hub.store.evaluations import Asked, effective_policy, evaluate_customer
from hub.store.idempotency import Answer, OnceKey, once
from hub.store.tables import client
from hub.store.view.binding import bound_customer
from hub.sync.context import Equipment
from hub.sync.received import Received, receive
from schema import services as contract
from schema.access import AUDIENCES

MOST_SESSIONS, LONGEST_NUMBER, LONGEST_NAME = 500, 128, 256
LARGEST_AMOUNT, EARLIEST = Decimal(10) ** 12, date(2000, 1, 1)
SESSION_STREAM = "behaviour_sessions"


@dataclass(frozen=True, slots=True)
class HubServices:
    """See the module. ``links`` serves the hosted pages."""

    equipment: Equipment
    links: LinkService

    @property
    def consents(self) -> ConsentServices:
        return ConsentServices(self.equipment, self.once)

    @property
    def database(self) -> Database:
        return self.equipment.database

    @property
    def clock(self) -> Clock:
        return self.equipment.clock

    def port(self) -> contract.Services:
        return contract.Services(
            create_customer=self.create_customer,
            create_link_session=self.create_link_session,
            record_behaviour_sessions=self.record_behaviour_sessions,
            evaluate=self.evaluate,
            withdraw_consent=self.withdraw_consent,
            pause_consent=self.consents.pause,
            resume_consent=self.consents.resume,
            narrow_consent=self.consents.narrow,
            register_client=self.register_client,
        )

    async def create_customer(self, call: contract.Call, asked: contract.CreateCustomer) -> str:
        """Done as the hub, since whoever is known already may not be visible to the caller yet."""
        if asked.person is None:
            raise InvalidInput("The person behind the customer is missing.")
        person = NewPerson(asked.person.name, asked.person.resident_id, asked.person.residence_city)
        new = NewCustomer(asked.kind, asked.name, asked.uscc, person)

        async def effect(tx: Write) -> Answer:
            seen_by = {call.caller.client_id, *await _internal_clients(tx)}
            equipment = self.equipment
            made = await create_customer(tx, equipment.vault, equipment.blind, new, sorted(seen_by), self.clock.now())
            return {"customer": str(made)}

        async with self.database.work() as tx:
            answer = await once(tx, _key(call), lambda: effect(tx))
        return str(answer["customer"])

    async def create_link_session(self, call: contract.Call, asked: contract.CreateLinkSession) -> contract.LinkMade:
        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            known = await find_client(tx, call.caller.client_id)
            if known is None or asked.return_url not in known.return_urls:
                raise InvalidInput("The return URL is not registered for this client.", remedy="Use one of its registered addresses.")
            if not asked.sources or not asked.scenarios:
                raise InvalidInput("A link asks for at least one source and one scenario.")
            for scenario in asked.scenarios:
                await effective_policy(tx, scenario, self.clock.today())
            sources = tuple(dict.fromkeys(asked.sources))
            request = LinkRequest(
                call.caller.client_id, customer_id, sources, asked.scenarios, asked.purpose, asked.return_url, asked.renew
            )
            return {"link": str(await self.links.create(tx, request))}

        answer = await self.once(call, effect)
        return contract.LinkMade(str(answer["link"]), self.links.url_of(UUID(answer["link"])))

    async def record_behaviour_sessions(self, call: contract.Call, asked: contract.RecordBehaviourSessions) -> contract.SessionsRecorded:
        _check_sessions(asked, self.clock.today())

        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            counts = await receive(self.equipment, tx, _received(customer_id, call, asked))
            return {"stored": counts.stored, "unchanged": counts.unchanged}

        answer = await self.once(call, effect, asked.customer_id)
        return contract.SessionsRecorded(int(answer["stored"]), int(answer["unchanged"]))

    async def evaluate(self, call: contract.Call, asked: contract.Evaluate) -> contract.Evaluated:
        known_at = asked.known_at or self.clock.now()
        if known_at > self.clock.now():
            raise InvalidInput("knownAt lies in the future: what will be known then is not known now.", remedy="Leave it out for now.")
        if asked.requested_amount is not None and not 0 < asked.requested_amount < LARGEST_AMOUNT:
            raise InvalidInput("The requested amount must be more than nothing, and less than a trillion yuan.")
        if asked.as_of is not None and not EARLIEST <= asked.as_of <= self.clock.today() + timedelta(days=366):
            raise InvalidInput(f"asOf lies between {EARLIEST} and a year from today.")

        async def effect(tx: Write) -> Answer:
            kept = await evaluate_customer(
                tx,
                Asked(
                    customer_id=await visible(tx, asked.customer_id),
                    scenario=asked.scenario,
                    request=Request(asked.purpose, asked.requested_amount),
                    as_of=asked.as_of or self.clock.today(),
                    known_at=known_at,
                    grantee=self.equipment.grantee,
                    purpose=call.caller.purpose,
                ),
            )
            return {"evaluation": str(kept.evaluation_id)}

        answer = await self.once(call, effect, asked.customer_id)
        return contract.Evaluated(asked.customer_id, str(answer["evaluation"]))

    async def withdraw_consent(self, call: contract.Call, asked: contract.WithdrawConsent) -> contract.ConsentWithdrawn:
        return contract.ConsentWithdrawn(await self.consents.withdraw(call, asked))

    async def register_client(self, call: contract.Call, asked: contract.RegisterClient) -> str:
        new = NewClient(
            asked.client_id, asked.name, asked.audience, asked.scopes, asked.purposes, asked.jwks, asked.return_urls, asked.bearer
        )

        async def effect(tx: Write) -> Answer:
            return {"client": await register_client(tx, new, AUDIENCES)}

        return str((await self.once(call, effect))["client"])

    async def once(self, call: contract.Call, effect: Callable[[Write], Awaitable[Answer]], about: str | None = None) -> Answer:
        """The effect in a transaction of the caller's own, under row-level security. ``about``: the customer it is all about."""
        async with self.database.write(
            Scope(call.caller.client_id, call.caller.purpose, self.clock.now(), bound_customer(about or ""))
        ) as tx:
            return await once(tx, _key(call), lambda: effect(tx))


def _key(call: contract.Call) -> OnceKey:
    return OnceKey(call.caller.client_id, call.key, call.request_sha256)


async def _internal_clients(tx: Write) -> list[str]:
    """The institution's own risk systems see every customer."""
    return list((await tx.execute(select(client.c.client_id).where(client.c.audience == "INTERNAL"))).scalars())


def _check_sessions(asked: contract.RecordBehaviourSessions, today: date) -> None:
    if not EARLIEST <= asked.complete_from <= asked.complete_until <= today:
        raise InvalidInput("completeFrom lies after completeUntil, or a day of them is not one of the past.")
    if len(asked.sessions) > MOST_SESSIONS:
        raise InvalidInput(f"At most {MOST_SESSIONS} sessions go in one call.", remedy="Send them in several calls.")
    if len({one.session_number for one in asked.sessions}) < len(asked.sessions):
        raise InvalidInput("Two sessions have the same number.", remedy="A number names one session.")
    for one in asked.sessions:
        if one.at.tzinfo is None:
            raise InvalidInput(f"Session {one.session_number}: its time has no offset.", remedy="Write it like 2026-01-05T20:00:00+08:00.")
        if not asked.complete_from <= china_day(one.at) <= asked.complete_until:
            raise InvalidInput(f"Session {one.session_number[:LONGEST_NUMBER]} is not of the days that are said to be complete.")
        if not (
            0 < len(one.session_number) <= LONGEST_NUMBER and 0 < len(one.device) <= LONGEST_NAME and 0 < len(one.city) <= LONGEST_NAME
        ):
            raise InvalidInput("A session has a number of at most 128 characters, and a device and a city of at most 256.")
        if one.paste_ratio is not None and not 0 <= one.paste_ratio <= 1:
            raise InvalidInput(f"Session {one.session_number}: pasteRatio is a share from 0 to 1.")


def _received(customer_id: CustomerId, call: contract.Call, asked: contract.RecordBehaviourSessions) -> Received:
    facts = [
        BehaviourSession(
            session_number=one.session_number,
            at=one.at,
            device=PersonalId(one.device),
            city=one.city,
            form_seconds=one.form_seconds,
            paste_ratio=one.paste_ratio,
        )
        for one in asked.sessions
    ]
    body: list[dict[str, Any]] = [{name: getattr(one, name) for name in one.__slots__} for one in asked.sessions]
    return Received(
        customer_id=customer_id,
        connector=PARTNER_APP,
        source=SourceKind.DEVICE,
        stream=SESSION_STREAM,
        kinds=(BehaviourSession.__name__,),
        facts=facts,
        first=asked.complete_from,
        last=asked.complete_until,
        purpose=call.caller.purpose,
        request={"mutation": "recordBehaviourSessions", "client": call.caller.client_id},
        body=body,
    )
