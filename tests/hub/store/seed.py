"""Puts a customer into the store row by row, as a complete sync would leave it: for tests that read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range

from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind
from hub.domain.facts import FieldType, spec_of
from hub.domain.identifiers import CustomerId, birth_date, new_id
from hub.store.database import Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.tables import connection, consent, customer, party, raw_page, sync_window
from tests.hub.credit.orders_and_plots_of import hashed

GRANTEE, PURPOSE, SCENARIO = "a lender", "CREDIT_APPROVAL", "S03"
STREAMS = {
    SourceKind.TAX: ("TaxReturn", "TaxPayment", "PersonalIncome"),
    SourceKind.SOCIAL_INSURANCE: ("SocialInsuranceContribution", "EmployerSocialInsuranceMonth"),
    SourceKind.HOUSING_FUND: ("HousingFundAccount", "HousingFundEntry"),
    SourceKind.BUREAU: ("CreditAccount", "RepaymentMonth", "CreditInquiry"),
    SourceKind.REGISTRATION: ("BusinessRegistration",),
    SourceKind.FINANCIALS: ("FinancialStatement",),
    SourceKind.INVOICE: ("Invoice",),
    SourceKind.SETTLEMENT: ("Settlement",),
    SourceKind.PAYMENT: ("PaymentAccount", "PaymentTransaction"),
    SourceKind.IDENTITY: ("IdentityVerification", "HouseholdRegistration"),
    SourceKind.DEVICE: ("BehaviourSession",),
    SourceKind.PUBLIC_RECORD: ("PublicRecord",),
    SourceKind.SHOP: ("Order", "Refund", "ShopMonthlySummary"),
}


@dataclass
class Seed:
    """A customer in the store. ``synced_at`` is when its facts became known and its windows complete."""

    tx: Write
    synced_at: datetime
    customer_id: CustomerId = field(default_factory=lambda: CustomerId(new_id()))
    connections: dict[SourceKind, UUID] = field(default_factory=dict)

    async def subject(self, uscc: str | None, resident_id: str) -> None:
        own = uscc or resident_id
        row = {"kind": "ORG" if uscc else "PERSON", "name_masked": "*", "uscc": uscc, "subject_hash": hashed(own)}
        await self.tx.execute(insert(customer), {"customer_id": self.customer_id, **row, "created_at": self.synced_at})
        who = [("SUBJECT", own)] + ([("OPERATOR", resident_id)] if uscc else [])
        for role, identifier in who:
            born = None if identifier == uscc else birth_date(identifier)
            row = {"role": role, "name_masked": "*", "id_hash": hashed(identifier), "id_masked": "*", "birth_on": born, "identity": b""}
            await self.tx.execute(insert(party), {"customer_id": self.customer_id, "party_id": new_id(), **row})

    async def connect(self, kind: SourceKind, *, status: str = "ACTIVE", connector: str | None = None) -> UUID:
        """A connection of its own for a source, with nothing fetched yet."""
        self.connections[kind] = new_id()
        row = {"connector": connector or f"platform_{kind.lower()}", "status": status, "created_at": self.synced_at}
        await self.tx.execute(insert(connection), {"customer_id": self.customer_id, "connection_id": self.connections[kind], **row})
        return self.connections[kind]

    async def allow(self, kind: SourceKind, *, status: str = "ACTIVE", **more: Any) -> None:
        row = {
            "customer_id": self.customer_id,
            "consent_id": new_id(),
            "source": kind,
            "connector": f"platform_{kind.lower()}",
            "grantee": GRANTEE,
            "purpose": PURPOSE,
            "scenarios": [SCENARIO],
            "data_from": date(2015, 1, 1),
            "data_to": date(2026, 12, 31),
            "status": status,
            "expires_at": datetime(2026, 7, 1, tzinfo=UTC),
            "data_life_days": 730,
            "written": True,
            "adverse_notice": True,
            "text_version": "t",
            "text_hash": "t",
            "evidence": {},
            "changed_at": self.synced_at,
        }
        await self.tx.execute(insert(consent), row | more)

    async def window(
        self,
        kind: SourceKind,
        kinds: Iterable[str],
        covered: Iterable[tuple[date, date]],
        *,
        state: str = "DONE",
        completed_at: datetime | None = None,
    ) -> None:
        days = [Range(first, last + timedelta(days=1), bounds="[)") for first, last in covered]
        row = {
            "customer_id": self.customer_id,
            "connection_id": self.connections[kind],
            "stream": "+".join(kinds).lower(),
            "first_day": days[0].lower if days else date(2020, 1, 1),
            "last_day": days[-1].upper if days else date(2020, 1, 1),
            "source": kind,
            "kinds": list(kinds),
            "state": state,
            "covered": days if state == "DONE" else None,
            "run_id": new_id(),
            "completed_at": completed_at or self.synced_at,
        }
        await self.tx.execute(insert(sync_window), row)

    async def facts(self, *facts: Any, known_from: datetime | None = None, known_to: datetime | None = None, version: int = 1) -> None:
        """Fact versions, on a page of their own of each connection."""
        pages, rows = dict[SourceKind, UUID](), defaultdict[type, list[dict[str, Any]]](list)
        for position, fact in enumerate(facts):
            spec = spec_of(type(fact))
            if spec.source not in pages:
                pages[spec.source] = await self._page(self.connections[spec.source])
            envelope = {
                "customer_id": self.customer_id,
                "fact_id": new_id(),
                "source_key": spec.source_key(fact),
                "version": version,
                "occurred_on": spec.occurred_on(fact),
                "known_from": known_from or self.synced_at,
                "known_to": known_to,
                "connection_id": self.connections[spec.source],
                "consent_id": new_id(),
                "page_id": pages[spec.source],
                "position": position,
                "content_hash": b"",
            }
            rows[type(fact)].append(envelope | _columns(fact))
        for cls, found in rows.items():
            for start in range(0, len(found), 1000):
                await self.tx.execute(insert(FACT_TABLES[cls.__name__]), found[start : start + 1000])

    async def _page(self, connection_id: UUID) -> UUID:
        page_id = new_id()
        row = {
            "connection_id": connection_id,
            "consent_id": new_id(),
            "run_id": new_id(),
            "stream": "s",
            "first_day": date(2025, 1, 1),
            "request": {},
            "status": 200,
            "fetched_at": self.synced_at,
            "sha256": "",
            "size": 0,
            "body": b"",
        }
        await self.tx.execute(insert(raw_page), {"customer_id": self.customer_id, "page_id": page_id, **row})
        return page_id


def _columns(fact: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in spec_of(type(fact)).fields:
        value = getattr(fact, one.name)
        if one.kind is FieldType.PERSONAL:
            found |= {f"{one.name}_hash": value, f"{one.name}_masked": None if value is None else "*"}
        elif one.kind is FieldType.LINES:
            found[one.name] = json.loads(json.dumps({line: str(amount) for line, amount in value.items()}))
        else:
            found[one.name] = value
    return found


async def seed_persona(tx: Write, persona: Persona, facts: Iterable[Any]) -> Seed:
    """A persona after a complete sync: its subject, a consented connection per source, its windows and its facts."""
    seed = Seed(tx, persona.known_at - timedelta(hours=1))
    await seed.subject(persona.business.uscc if persona.business else None, persona.responsible.resident_id)
    for kind in persona.sources:
        await seed.connect(kind)
        await seed.allow(kind)
        await persona_windows(seed, persona, kind)
    await seed.facts(*facts)
    return seed


async def persona_windows(seed: Seed, persona: Persona, kind: SourceKind) -> None:
    reach = Reach(persona, kind)
    for name in STREAMS[kind]:
        first, last = None, None
        begun = reach.source.orders_from if reach.source else None
        if begun and name in ("Order", "Refund"):
            first = date.fromisoformat(f"{begun}-01")
        if begun and name == "ShopMonthlySummary":
            last = date.fromordinal(date.fromisoformat(f"{begun}-01").toordinal() - 1)
        if begun or name != "ShopMonthlySummary":
            await seed.window(kind, [name], reach.intervals(first, last))
