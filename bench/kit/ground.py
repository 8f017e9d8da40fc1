"""The ground of a run: a folder, what the hub works with there, and customers who consented and are connected."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert

from hub.connect import Connector, Grant
from hub.consent import grants as consents
from hub.consent.terms import Offer
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Database, Write
from hub.store.tables import connection
from hub.sync import grants
from hub.sync.context import Equipment
from hub.vault import Blind, FileKeys, Vault

NOON = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
"""The hub's business day in every run."""
GRANTEE = "试验银行"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """One that PostgreSQL, which may run as a user of its own, can enter."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as made:
        path = Path(made).resolve()
        path.chmod(0o755)
        yield path


def equipment(home: Path, database: Database, connectors: Mapping[str, Connector], configs: Mapping[str, Mapping[str, str]]) -> Equipment:
    keys = FileKeys(home / "keys.json")
    return Equipment(database, Vault(keys), Blind(keys.blind), Clock(lambda: NOON), GRANTEE, connectors, configs)


def id_number(number: int) -> str:
    """A resident identity number with its check character (GB 11643)."""
    body = f"110105{date(1950, 1, 1) + timedelta(days=number // 1000):%Y%m%d}{number % 1000:03}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


async def enlist(made: Equipment, tx: Write, number: int) -> CustomerId:
    """The customer of this number."""
    new = NewCustomer("PERSON", "甲某", None, NewPerson("甲某", id_number(number)))
    return await create_customer(tx, made.vault, made.blind, new, ["test"], NOON)


async def connect(made: Equipment, tx: Write, customer_id: CustomerId, name: str, grant: Grant) -> UUID:
    """The customer consents to a platform and is connected to it. Nothing is due."""
    source: SourceKind = made.connectors[name].manifest.sources[0]
    offer = Offer(source, name, name, GRANTEE, "CREDIT_APPROVAL", ("S03",), made.clock.today())
    consent_id = await consents.ask(tx, customer_id, name, offer, NOON, "test")
    await consents.give(tx, customer_id, consent_id, {"how": "test"}, NOON)
    connection_id = new_id()
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": name, "status": "ACTIVE", "created_at": NOON}
    await tx.execute(insert(connection), row)
    await grants.keep(made, tx, customer_id, connection_id, grant)
    return connection_id
