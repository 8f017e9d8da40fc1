"""What administrators do about portfolios: as the hub, which sees every customer; audited, with the digest of the document."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from hub.access.audit import audited
from hub.access.audit.chain import Secrets
from hub.app.calling import Calling
from hub.errors import InvalidInput, PolicyInvalid
from hub.store.database import Write
from hub.store.evaluations import portfolios
from hub.store.idempotency import Answer
from schema import services as contract

LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class PortfolioServices:
    """See the module."""

    secrets: Secrets
    calling: Calling

    async def screen(self, call: contract.Call, asked: contract.ScreenPortfolio) -> str:
        """Begins a screening; workers go on with it."""
        try:
            document = orjson.loads(asked.document) if len(asked.document) <= LARGEST else None
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"The document is no JSON: {error}.") from None
        if not isinstance(document, dict):
            raise InvalidInput(f"The document is a JSON object of at most {LARGEST} characters.")

        async def effect(tx: Write) -> Answer:
            clock, actor = self.calling.clock, call.caller.client_id
            try:
                found = await portfolios.begin(tx, document, actor, clock.now(), clock.today())
            except PolicyInvalid as error:
                raise InvalidInput(error.message, remedy=error.remedy) from None
            subject, after = f"portfolio:{found.portfolio.id}", portfolios.told(found)
            await audited(tx, self.secrets, actor=actor, action="portfolio.screen", subject=subject, after=after)
            return {"screening": str(found.screening_id)}

        return str((await self.calling.as_hub(call, effect))["screening"])
