"""What administrators do about portfolios: as the hub, which sees every customer; audited, with the digest of the document."""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.audit import audited
from hub.access.audit.chain import Secrets
from hub.app.calling import Calling
from hub.credit.portfolio_faults import check_portfolio
from hub.errors import InvalidInput
from hub.store.database import Write
from hub.store.evaluations import portfolios
from hub.store.idempotency import Answer
from schema import services as contract


@dataclass(frozen=True, slots=True)
class PortfolioServices:
    """See the module."""

    secrets: Secrets
    calling: Calling

    async def screen(self, call: contract.Call, asked: contract.ScreenPortfolio) -> str:
        """Begins a screening; workers go on with it."""
        document, faults = check_portfolio(asked.document)
        if faults:
            raise InvalidInput(" ".join(one.sentence() for one in faults), remedy="Nothing was kept.")

        async def effect(tx: Write) -> Answer:
            clock, actor = self.calling.clock, call.caller.client_id
            found = await portfolios.begin(tx, document, actor, clock.now(), clock.today())
            subject, after = f"portfolio:{found.portfolio.id}", portfolios.told(found)
            await audited(tx, self.secrets, actor=actor, action="portfolio.screen", subject=subject, after=after)
            return {"screening": str(found.screening_id)}

        return str((await self.calling.as_hub(call, effect))["screening"])
