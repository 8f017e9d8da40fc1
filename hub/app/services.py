"""What mutations do: the contract's port of services, filled from the rooms. One transaction each, together with its idempotency key.

Each that is about a customer stands in the access log before its answer leaves, and so does each that a missing consent kept from its effect.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from hub.access.audit import AccessLog, ChainKeys
from hub.access.clients import find_client
from hub.app.calling import Calling
from hub.app.clients import ClientServices
from hub.app.consents import ConsentServices
from hub.app.disputes import DisputeServices
from hub.app.identity import IdentityServices, visible
from hub.app.lending import LendingServices
from hub.app.policies import PolicyServices, PolicySteps
from hub.app.portfolios import PortfolioServices
from hub.app.reference import ReferenceServices
from hub.credit.evaluate import Request
from hub.credit.models.reach import Reach, unreachable
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.facts import BehaviourSession
from hub.domain.identifiers import CustomerId, PersonalId
from hub.domain.periods import china_day
from hub.errors import ConsentMissing, HubError, InvalidInput, NotAllowed, NotFound
from hub.link.manage import ManageRequest, ManageService
from hub.link.service import PARTNER_APP, LinkRequest, LinkService
from hub.store.database import Database, Write
from hub.store.dossier.objections import Open, open_objections
from hub.store.evaluations import Asked, effective_policy, evaluate_customer
from hub.store.idempotency import Answer
from hub.sync.context import Equipment
from hub.sync.received import Received, consent_for, receive
from schema import services as contract

MOST_SESSIONS, LONGEST_NUMBER, LONGEST_NAME = 500, 128, 256
LARGEST_AMOUNT, EARLIEST = Decimal(10) ** 12, date(2000, 1, 1)
SESSION_STREAM = "behaviour_sessions"


@dataclass(frozen=True)
class HubServices:
    """See the module. ``links`` serves the hosted pages; ``models`` reaches those that policies name."""

    equipment: Equipment
    links: LinkService
    models: Reach = unreachable

    @property
    def database(self) -> Database:
        return self.equipment.database

    @property
    def clock(self) -> Clock:
        return self.equipment.clock

    @cached_property
    def log(self) -> AccessLog:
        """The process's access log: reads are grouped with what mutations note."""
        return AccessLog(self.database, ChainKeys.of(self.equipment.vault.keys))

    @property
    def calling(self) -> Calling:
        return Calling(self.database, self.log, self.clock, self.equipment.blind)

    @property
    def identity(self) -> IdentityServices:
        return IdentityServices(self.equipment, self.calling)

    @property
    def consents(self) -> ConsentServices:
        return ConsentServices(self.equipment, self.calling)

    @property
    def clients(self) -> ClientServices:
        return ClientServices(self.equipment.vault.keys, self.calling)

    @property
    def policies(self) -> PolicyServices:
        return PolicyServices(PolicySteps(self.equipment.vault.keys, self.clock), self.calling)

    def port(self) -> contract.Services:
        identity, consents, clients, policies = self.identity, self.consents, self.clients, self.policies
        lending = LendingServices(self.equipment, self.calling)
        reference, disputes = ReferenceServices(self.equipment.vault.keys, self.calling), DisputeServices(self.equipment, self.calling)
        return contract.Services(
            create_customer=identity.create_customer,
            add_party=identity.add_party,
            end_party=identity.end_party,
            merge_customers=identity.merge_customers,
            split_customer=identity.split_customer,
            create_link_session=self.create_link_session,
            create_manage_session=self.create_manage_session,
            record_behaviour_sessions=self.record_behaviour_sessions,
            evaluate=self.evaluate,
            record_loan_status=lending.record_loan_status,
            record_loan_statuses=lending.record_loan_statuses,
            withdraw_consent=consents.withdraw,
            pause_consent=consents.pause,
            resume_consent=consents.resume,
            narrow_consent=consents.narrow,
            register_client=clients.register,
            update_client=clients.update,
            add_client_key=clients.add_key,
            retire_client_key=clients.retire_key,
            disable_client=clients.disable,
            enable_client=clients.enable,
            revoke_client_tokens=clients.revoke_tokens,
            register_document=clients.register_document,
            draft_policy=policies.draft,
            try_policy_draft=policies.try_out,
            publish_policy_draft=policies.publish,
            discard_policy_draft=policies.discard,
            approve_policy_version=policies.approve,
            end_policy_version=policies.end,
            screen_portfolio=PortfolioServices(self.equipment.vault.keys, self.calling).screen,
            erase_customer=identity.erase_customer,
            reveal_personal_field=identity.reveal_personal_field,
            load_reference=reference.load_reference,
            load_relations=reference.load_relations,
            reproduce_evaluation=reference.reproduce_evaluation,
            raise_dispute=disputes.raise_dispute,
            request_human_review=disputes.request_human_review,
            reveal_dispute=disputes.reveal_dispute,
            resolve_dispute=disputes.resolve_dispute,
        )

    async def create_link_session(self, call: contract.Call, asked: contract.CreateLinkSession) -> contract.LinkMade:
        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            await _check_return(tx, call, asked.return_url, asked.purpose)
            if not asked.sources or not asked.scenarios:
                raise InvalidInput("A link asks for at least one source and one scenario.")
            for scenario in asked.scenarios:
                await effective_policy(tx, scenario, self.clock.today())
            sources = tuple(dict.fromkeys(asked.sources))
            request = LinkRequest(
                call.caller.client_id, customer_id, sources, asked.scenarios, asked.purpose, asked.return_url, asked.renew
            )
            return {"link": str(await self.links.create(tx, request))}

        answer = await self.calling.as_client(call, effect, "createLinkSession", asked.customer_id, asked.purpose)
        return contract.LinkMade(str(answer["link"]), self.links.url_of(UUID(answer["link"])))

    async def create_manage_session(self, call: contract.Call, asked: contract.CreateManageSession) -> contract.LinkMade:
        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            await _check_return(tx, call, asked.return_url)
            request = ManageRequest(call.caller.client_id, customer_id, call.caller.purpose, asked.return_url)
            return {"link": str(await ManageService(self.links, self.log).create(tx, request))}

        answer = await self.calling.as_client(call, effect, "createManageSession", asked.customer_id)
        return contract.LinkMade(str(answer["link"]), self.links.url_of(UUID(answer["link"])))

    async def record_behaviour_sessions(self, call: contract.Call, asked: contract.RecordBehaviourSessions) -> contract.SessionsRecorded:
        _check_sessions(asked, self.clock.today())
        received = await self._permitted(call, asked)

        async def effect(tx: Write) -> Answer:
            if isinstance(received, HubError):
                raise received
            # As the hub: a version that has outlived its consent, which a client's transaction does not see, lives under its key and is to be found there.
            counts = await receive(self.equipment, tx, received)
            return {"stored": counts.stored, "unchanged": counts.unchanged}

        answer = await self.calling.for_client(call, effect, "recordBehaviourSessions", asked.customer_id)
        return contract.SessionsRecorded(int(answer["stored"]), int(answer["unchanged"]))

    async def _permitted(self, call: contract.Call, asked: contract.RecordBehaviourSessions) -> Received | HubError:
        """Asked as the caller, before the page's own transaction begins, which asks for the consent once more and holds it. What is refused is told to whoever
        has not had an answer under his key yet."""
        try:
            async with self.database.write(self.calling.scope(call)) as mine:
                received = _received(await visible(mine, asked.customer_id), call, asked)
                await consent_for(self.equipment, mine, received)
        except (NotFound, ConsentMissing) as error:
            return error
        return received

    async def evaluate(self, call: contract.Call, asked: contract.Evaluate) -> contract.Evaluated:
        now = self.clock.now()
        known_at = asked.known_at or now
        if known_at > now:
            raise InvalidInput("knownAt lies in the future: what will be known then is not known now.", remedy="Leave it out for now.")
        if asked.requested_amount is not None and not 0 < asked.requested_amount < LARGEST_AMOUNT:
            raise InvalidInput("The requested amount must be more than nothing, and less than a trillion yuan.")
        if asked.as_of is not None and not EARLIEST <= asked.as_of <= self.clock.today() + timedelta(days=366):
            raise InvalidInput(f"asOf lies between {EARLIEST} and a year from today.")
        objected = await self._objected(asked.customer_id, known_at)

        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            kept = await evaluate_customer(
                tx,
                Asked(
                    customer_id=customer_id,
                    scenario=asked.scenario,
                    request=Request(asked.purpose, asked.requested_amount),
                    as_of=asked.as_of or self.clock.today(),
                    known_at=known_at,
                    grantee=self.equipment.grantee,
                    purpose=call.caller.purpose,
                    app=call.caller.app,
                    what_if=known_at < now or asked.as_of not in (None, self.clock.today()),
                    read_at=now,
                    objected=objected,
                ),
                self.models,
            )
            return {"customer": str(customer_id), "evaluation": str(kept.evaluation_id)}

        answer = await self.calling.as_client(call, effect, "evaluate", asked.customer_id)
        return contract.Evaluated(str(answer.get("customer", asked.customer_id)), str(answer["evaluation"]))

    async def _objected(self, named: str, known_at: datetime) -> Open | None:
        """Whoever objected as another customer that is one with this one has objected, though his app may see this one alone (PIPL 24)."""
        with suppress(ValueError):
            customer_id = CustomerId(UUID(named))
            async with self.database.work() as tx:
                return (await open_objections(tx, [customer_id], known_at)).get(customer_id)
        return None


async def _check_return(tx: Write, call: contract.Call, url: str, purpose: str | None = None) -> None:
    """A browser is sent back to a registered address only, compared as a whole; and is asked for no ``purpose`` that is none of its client's: whoever opens the
    page of one sees who looked for it, and withdraws. Raises InvalidInput, NotAllowed."""
    known = await find_client(tx, call.caller.client_id)
    if known is None or url not in known.return_urls:
        raise InvalidInput("The return URL is not registered for this client.", remedy="Use one of its registered addresses.")
    if purpose is not None and purpose not in known.purposes:
        raise NotAllowed("This client is not registered for that purpose.", remedy="Ask for a purpose of its own.")


def _check_sessions(asked: contract.RecordBehaviourSessions, today: date) -> None:
    if not EARLIEST <= asked.complete_from <= asked.complete_until <= today:
        raise InvalidInput("completeFrom lies after completeUntil, or a day of them is not one of the past.")
    if len(asked.sessions) > MOST_SESSIONS:
        raise InvalidInput(f"At most {MOST_SESSIONS} sessions go in one call.", remedy="Send them in several calls.")
    if len({one.session_number for one in asked.sessions}) < len(asked.sessions):
        raise InvalidInput("Two sessions have the same number.", remedy="A number names one session.")
    # By its place, never by its number: what is sent does not come back in an error's text.
    for place, one in enumerate(asked.sessions, 1):
        if one.at.tzinfo is None:
            raise InvalidInput(f"Session {place}: its time has no offset.", remedy="Write it like 2026-01-05T20:00:00+08:00.")
        if not asked.complete_from <= china_day(one.at) <= asked.complete_until:
            raise InvalidInput(f"Session {place} is not of the days that are said to be complete.")
        if not (
            0 < len(one.session_number) <= LONGEST_NUMBER and 0 < len(one.device) <= LONGEST_NAME and 0 < len(one.city) <= LONGEST_NAME
        ):
            raise InvalidInput("A session has a number of at most 128 characters, and a device and a city of at most 256.")
        if one.paste_ratio is not None and not 0 <= one.paste_ratio <= 1:
            raise InvalidInput(f"Session {place}: pasteRatio is a share from 0 to 1.")


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
