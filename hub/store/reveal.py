"""One personal value of a customer in plain text, for whoever must have it: out of the sealed identity of a party, and on the access log before it is answered.

Everything else that the hub answers is masked. What is revealed is kept nowhere: neither with the idempotency key nor in a log.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import func, insert, select

from hub.domain.enums import PersonalField
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotFound
from hub.store.database import Write
from hub.store.tables import access_log, party
from hub.vault import Place, Vault

_MEMBER = {PersonalField.NAME: "name", PersonalField.IDENTIFIER: "identifier"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose, in which role, and who asks for which purpose. ``request_sha256`` is the digest of the question."""

    customer_id: CustomerId
    role: str
    field: PersonalField
    client_id: str
    purpose: str
    request_sha256: str


async def reveal(tx: Write, vault: Vault, wanted: Wanted) -> str:
    """The value, in plain text. Its line on the access log is in this transaction, which must be committed before anybody is answered. Raises NotFound, SecretMissing."""
    mine = (party.c.customer_id == wanted.customer_id, party.c.role == wanted.role)
    row = (await tx.execute(select(party.c.party_id, party.c.identity).where(*mine))).first()
    if row is None:
        raise NotFound("There is no such party.", remedy="A customer's parties are among its fields.")
    sealer = await vault.sealer(tx, wanted.customer_id)
    identity = orjson.loads(sealer.open(Place("party", "identity", str(row.party_id)), row.identity))
    await _log(tx, wanted)
    return str(identity[_MEMBER[wanted.field]])


async def _log(tx: Write, wanted: Wanted) -> None:
    line = {"customer_id": wanted.customer_id, "log_id": new_id(), "client_id": wanted.client_id, "purpose": wanted.purpose}
    line |= {
        "operation": "revealPersonalField",
        "document_sha256": wanted.request_sha256,
        "fields": [f"Party.{_MEMBER[wanted.field]}"],
        "outcome": "REVEALED",
    }
    await tx.execute(insert(access_log).values(**line, at=func.now()))
