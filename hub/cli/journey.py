"""One customer's way through the hub, as a partner app, a browser and a risk system would go it: everything over HTTP.

The demo, ``hub evaluate`` and the end-to-end tests are this journey with different audiences.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from connectors.sandbox.expand_device import device_sessions
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Source
from hub.cli.browser import authorise_everything
from hub.cli.caller import Caller
from hub.cli.progress import State, watch
from hub.cli.stage import RETURN_URL, Stage
from hub.consent import grants
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import HubError


class Journey:
    """See the module. Call the steps in their order."""

    def __init__(self, stage: Stage, persona: Persona) -> None:
        self.stage, self.persona = stage, persona
        self.partner: Caller = stage.partner
        self.risk: Caller = stage.risk
        self.customer_id = CustomerId(UUID(int=0))

    async def register(self) -> None:
        """The partner app makes the customer known."""
        business, person = self.persona.business, self.persona.responsible
        who = {"name": person.name, "residentId": person.resident_id, "residenceCity": person.residence_city}
        kind = {"kind": "ORG", "name": business.name, "uscc": business.uscc} if business else {"kind": "PERSON", "name": person.name}
        made = await self.partner.mutate("CreateCustomer", {"input": {**kind, "person": who}})
        self.customer_id = CustomerId(UUID(made["customer"]["id"]))

    async def consent(self) -> list[str]:
        """The partner asks for a link; the customer walks it in a browser. Returns platforms that could not be reached."""
        asked = {"customerId": str(self.customer_id), "sources": sorted(self.sources), "scenarios": [self.persona.scenario]}
        link = await self.partner.mutate("CreateLinkSession", {"input": {**asked, "purpose": "CREDIT_APPROVAL", "returnUrl": RETURN_URL}})
        wanted = await self._wanted_consents()
        async with self.stage.browser() as browser:
            return await authorise_everything(browser, link["url"], login=self.persona.id, wants=wanted.__contains__)

    @property
    def sources(self) -> dict[SourceKind, Source]:
        """What the hub can connect today of what the persona names."""
        known = {source for connector in self.stage.connectors.values() for source in connector.manifest.sources} | {SourceKind.DEVICE}
        return {kind: source for kind, source in self.persona.sources.items() if kind in known}

    async def _wanted_consents(self) -> set[str]:
        async with self.stage.database.work() as tx:
            rows = await grants.consents_of(tx, self.customer_id)
        return {str(row["consent_id"]) for row in rows if self.sources[SourceKind(row["source"])].consent != "NEVER"}

    async def send_sessions(self) -> None:
        """The partner app sends its device and behaviour sessions, if the customer let it."""
        source = self.sources.get(SourceKind.DEVICE)
        if source is None or source.consent == "NEVER" or self.persona.device is None:
            return
        first, last, sessions = device_sessions(self.persona)
        await self.partner.mutate(
            "RecordBehaviourSessions",
            {"input": {"customerId": str(self.customer_id), "sessions": sessions, "completeFrom": str(first), "completeUntil": str(last)}},
        )

    async def sync(self, *, quiet: bool) -> list[State]:
        """The worker fetches what is due; returns how each connection ended."""
        self.stage.start_worker()
        return await watch(self.stage.database, self.customer_id, quiet=quiet)

    async def end_consents(self) -> None:
        """Consents that the persona says were withdrawn or ran out, end now that the data is there."""
        async with self.stage.database.work() as tx:
            for row in await grants.consents_of(tx, self.customer_id):
                source = self.sources[SourceKind(row["source"])]
                at = self.stage.clock.now() - timedelta(
                    days=0 if source.consent_changed_on is None else (self.persona.as_of - source.consent_changed_on).days
                )
                if source.consent == "REVOKED" and row["status"] == "ACTIVE":
                    await grants.withdraw(tx, self.customer_id, row["consent_id"], at)
                elif source.consent == "EXPIRED" and row["status"] == "ACTIVE":
                    await grants.expire(tx, self.customer_id, row["consent_id"], at)

    async def evaluate(self) -> str:
        """The risk system asks for an evaluation; returns its id."""
        request = self.persona.request
        asked = {
            "customerId": str(self.customer_id),
            "scenario": self.persona.scenario,
            "purpose": request.purpose if request else "OPERATING",
            "requestedAmount": f"{request.amount}" if request and request.amount is not None else None,
            "asOf": str(self.persona.as_of),
            "knownAt": self.persona.known_at.isoformat(),
        }
        made = await self.risk.mutate("Evaluate", {"input": asked})
        return cast(str, made["evaluation"]["id"])

    async def ask(self, name: str, **variables: Any) -> dict[str, Any]:
        """One of the example queries of the contract, as the risk system asks it."""
        return await self.risk.query(name, {"id": str(self.customer_id), "scenario": self.persona.scenario, **variables})

    async def walk(self, *, quiet: bool) -> list[State]:
        """Every step up to the evaluation."""
        await self.register()
        await self.consent()
        await self.send_sessions()
        ended = await self.sync(quiet=quiet)
        await self.end_consents()
        if not ended and any(source.consent != "NEVER" for source in self.sources.values()):
            raise HubError("No connection was made, so there is nothing to evaluate.", remedy="Check the persona's sources.")
        await self.evaluate()
        return ended
