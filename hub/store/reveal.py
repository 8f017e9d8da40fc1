"""One personal value of a customer in plain text, for whoever must have it: out of the sealed identity of a party.

Everything else that the hub answers is masked. What is revealed is kept nowhere: neither with the idempotency key nor in a log.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import select

from hub.domain.enums import PersonalField
from hub.domain.identifiers import CustomerId
from hub.errors import NotFound
from hub.store.database import Write
from hub.store.tables import party
from hub.vault import Place, Vault

_MEMBER = {PersonalField.NAME: "name", PersonalField.IDENTIFIER: "identifier"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose, and in which role."""

    customer_id: CustomerId
    role: str
    field: PersonalField

    @property
    def told(self) -> str:
        """What stands on the access log."""
        return f"Party.{_MEMBER[self.field]}"


async def reveal(tx: Write, vault: Vault, wanted: Wanted) -> str:
    """The value, in plain text, for whoever writes a line on the access log before he hands it on. Raises NotFound, SecretMissing."""
    mine = (party.c.customer_id == wanted.customer_id, party.c.role == wanted.role)
    row = (await tx.execute(select(party.c.party_id, party.c.identity).where(*mine))).first()
    if row is None:
        raise NotFound("There is no such party.", remedy="A customer's parties are among its fields.")
    sealer = await vault.sealer(tx, wanted.customer_id)
    identity = orjson.loads(sealer.open(Place("party", "identity", str(row.party_id)), row.identity))
    return str(identity[_MEMBER[wanted.field]])
