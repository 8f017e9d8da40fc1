"""A customer who links somebody else's shop is noticed: what the simulated platforms say of their account's owner, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from connectors.sandbox.sections import Source
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.store.embedded import Urls
from tests.e2e.case import ShortJourney, on_stage, small_seller

OWN = (SourceKind.SHOP, SourceKind.PAYMENT, SourceKind.REGISTRATION)
OTHERS = OWN[:2]
"""A register is asked by the customer's own code; a shop and a payment account know who logs in, and not for whom."""
STRANGER = {
    "kind": "ORG",
    "name": "杭州路过小店",
    "uscc": "92330110MA2XXX028W",
    "person": {"name": "陆某", "residentId": "339998199003071235"},
}


class LinkingJourney(ShortJourney):
    """A few platforms, and little of them. ``who`` is the customer (None: the persona); whose platforms he logs in to is the persona's business."""

    who: Mapping[str, Any] | None = None

    @property
    def asked(self) -> tuple[SourceKind, ...]:
        return OTHERS if self.who else OWN

    @property
    def sources(self) -> dict[SourceKind, Source]:
        return {kind: source for kind, source in super().sources.items() if kind in self.asked}

    async def register(self) -> None:
        if self.who is None:
            return await super().register()
        made = await self.partner.mutate("CreateCustomer", {"input": self.who})
        self.customer_id = CustomerId(UUID(made["customer"]["id"]))

    async def owners(self) -> dict[str, str]:
        found = (await self.risk.query("AccountOwners", {"id": str(self.customer_id)}))["customer"]
        return {one["connector"]: one["owner"] for one in found["connections"]}


@pytest.mark.parametrize("whose", ["his own", "somebody else's"])
async def test_whose_accounts_a_customer_links(urls: Urls, tmp_path: Path, whose: str) -> None:
    persona = small_seller()
    async with on_stage(tmp_path, urls, persona) as stage:
        journey = LinkingJourney(stage, persona, date(2025, 12, 1))
        journey.who = STRANGER if whose == "somebody else's" else None
        await journey.register()
        assert await journey.consent() == []
        assert set((await journey.owners()).values()) == {"UNKNOWN"}, "nothing was said yet"
        assert {state.verdict for state in await journey.sync(quiet=True)} == {"COMPLETE"}
        found = await journey.owners()
        if whose == "his own":
            assert found == {"alipay": "IS_A_PARTY", "cn_public_records": "MATCHES", "taobao": "IS_A_PARTY"}
            return
        assert found == {"alipay": "DIFFERS", "taobao": "DIFFERS"}
        person = persona.responsible
        wife = {"name": person.name, "residentId": person.resident_id}
        added = await journey.partner.mutate(
            "AddParty", {"input": {"customerId": str(journey.customer_id), "role": "SPOUSE", "person": wife}}
        )
        assert await journey.owners() == {"alipay": "IS_A_PARTY", "taobao": "IS_A_PARTY"}
        ended = {"customerId": str(journey.customer_id), "partyId": added["partyId"], "reason": "said by mistake"}
        former = await journey.partner.mutate("EndParty", {"input": ended})
        assert [one["role"] for one in cast(list[Any], former["customer"]["formerParties"])] == ["SPOUSE"]
        assert await journey.owners() == found
