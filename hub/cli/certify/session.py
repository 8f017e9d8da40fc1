"""What the checks of one trial share: the platform, one authorised customer, everything read once."""

from __future__ import annotations

from hub.cli.certify.reading import Exchange, Reading, examples, read_everything
from hub.cli.certify.trial import Candidate, Customer, Failed, Trial
from hub.connect import Connector


class Session:
    """A customer or a reading that failed fails again for every check that needs it."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self._customer: Customer | None = None
        self._reading: Reading | Failed | None = None

    @property
    def candidate(self) -> Candidate:
        return self.trial.candidate

    @property
    def connector(self) -> Connector:
        return self.trial.connector

    async def customer(self) -> Customer:
        if self._customer is None:
            self._customer = await self.trial.customer()
        return self._customer

    async def reading(self) -> Reading:
        """Raises Failed."""
        if self._reading is None:
            try:
                self._reading = await read_everything(await self.customer())
            except Failed as failure:
                self._reading = failure
        if isinstance(self._reading, Failed):
            raise Failed(f"There is nothing to look at: {self._reading}")
        return self._reading

    async def examples(self) -> list[Exchange]:
        return examples(await self.reading())
