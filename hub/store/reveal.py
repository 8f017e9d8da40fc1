"""One personal value of a customer in plain text, for whoever must have it: out of the sealed identity of a party.

Everything else that the hub answers is masked. What is revealed is kept nowhere: neither with the idempotency key nor in a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, select, text

from hub.domain.enums import PersonalField
from hub.domain.identifiers import CustomerId
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.merging import parts_of
from hub.store.parties import in_role
from hub.store.tables import party
from hub.vault import Place, Vault

_MEMBER = {PersonalField.NAME: "name", PersonalField.IDENTIFIER: "identifier"}
_IN_ROLE = text(" and ".join(in_role("party", ":day", ":instant")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose, and in which role. ``party_id`` says which party, if several have the role or if it is over; None: the one that has it now."""

    customer_id: CustomerId
    role: str
    field: PersonalField
    party_id: UUID | None = None

    @property
    def told(self) -> str:
        """What stands on the access log."""
        return f"Party.{_MEMBER[self.field]}"


@dataclass(frozen=True, slots=True)
class Revealed:
    """The value in plain text, and the customer it was told of: the asked one, or one merged into it."""

    customer_id: CustomerId
    value: str


async def reveal(tx: Write, vault: Vault, wanted: Wanted, now: datetime) -> Revealed:
    """For whoever writes a line on the access log before he hands it on. Raises NotFound, InvalidInput, SecretMissing."""
    row = await _the_one(tx, wanted, now)
    owner = CustomerId(row.customer_id)
    sealer = await vault.sealer(tx, owner)
    identity = orjson.loads(sealer.open(Place("party", "identity", str(row.party_id)), row.identity))
    return Revealed(owner, str(identity[_MEMBER[wanted.field]]))


async def _the_one(tx: Write, wanted: Wanted, now: datetime) -> Row[Any, Any, Any]:
    """The party that is meant, of the customer or of one merged into it. Where several could be meant, none is guessed."""
    of_the_role = (party.c.customer_id.in_(await parts_of(tx, wanted.customer_id)), party.c.role == wanted.role)
    query = select(party.c.customer_id, party.c.party_id, party.c.identity).where(*of_the_role)
    if wanted.party_id is None:
        query = query.where(_IN_ROLE.bindparams(day=china_day(now), instant=now))
    else:
        query = query.where(party.c.party_id == wanted.party_id)
    rows = (await tx.execute(query)).all()
    if not rows:
        raise NotFound(
            "There is no such party.",
            remedy="`parties` and `formerParties` of a customer name those that there are; a former one needs partyId.",
        )
    if len(rows) > 1:
        raise InvalidInput("Several parties have this role.", remedy="Name one by partyId, as `parties` tells it.")
    return rows[0]
