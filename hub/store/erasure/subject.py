"""The erasure of a whole subject (PIPL 47; GDPR 17): its key first, which makes every copy of what it sealed unreadable, backups included.

The key is destroyed at the key service before the database hears of it: what is cut short between the two is unreadable already, and :func:`reapply` finishes it. One
transaction then takes the names, codes and hashes and everybody's sight of the customer; pages, facts and the rest follow within minutes, by the worker's duty.
What stays says that there was a customer and what was decided, and nothing about whom: consents without their evidence, decisions, the access log, tombstones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import text

from hub.access.audit.events import audited
from hub.consent import grants
from hub.consent.retention import retention
from hub.domain.clock import Clock
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotFound
from hub.store.database import Database, Write
from hub.store.relations import forget
from hub.store.tables import customer
from hub.vault import Vault

AT_ONCE = ("party", "customer_relation", "customer_client", "credential", "revocation", "authorisation_attempt", "link_session", "refusal")
"""What goes with the key, in one transaction: who it is, who may see it, what could still be fetched with."""

_LOCK = text("SELECT erased_on, uscc FROM customer WHERE customer_id = :customer FOR UPDATE")
_KEYS = text("SELECT key_id FROM data_key WHERE customer_id = :customer")
_DESTROY = text(
    "UPDATE data_key SET wrapped = NULL, destroyed_at = coalesce(destroyed_at, clock_timestamp()) WHERE customer_id = :customer"
)
REAPPLIED = "their key was destroyed before: the erasure had been cut short, or a backup from before it was restored"
STAYS = ("customer_id", "kind", "created_at", "erased_on")
"""Of the customer's own row. Every other column is emptied: a new one, too, unless it is named here."""
_EMPTIED = ", ".join(
    f"{one.name} = {'NULL' if one.nullable else chr(39) * 2}" for one in customer.columns if one.name not in (*STAYS, "subject_hash")
)
_MASK = text(f"""
    UPDATE customer SET {_EMPTIED}, subject_hash = 'erased:' || customer_id, erased_on = coalesce(erased_on, :today) WHERE customer_id = :customer
""")
_PROOFS = tuple(text(f"UPDATE {table} SET evidence = '{{}}' WHERE customer_id = :customer") for table in ("consent", "consent_app"))
# Somebody wrote it by hand. Of a merge it is told under the customer that was merged.
_REASONS = text("UPDATE identity_event SET reason = NULL WHERE (customer_id = :customer OR other_id = :customer) AND reason IS NOT NULL")
_DISCONNECT = text("""
    UPDATE connection SET status = 'DISCONNECTED', ended_at = coalesce(ended_at, clock_timestamp()), ended_reason = coalesce(ended_reason, 'CONSENT_ENDED'),
        epoch = epoch + 1, due_at = NULL, lease_until = NULL, grant_expires_at = NULL, account_hash = NULL, holder_hash = NULL, holder_link = NULL,
        last_fault = NULL, last_fault_detail = NULL
    WHERE customer_id = :customer
""")
_TODAY = text("SELECT set_config('hub.today', :today, true)")
_STONE = text("""
    INSERT INTO tombstone (customer_id, tombstone_id, reason, due_on, done_on, rows, pages_sha256, note)
    VALUES (:customer, :id, 'SUBJECT_ERASED', :due, hub_today(), CAST(CAST(:rows AS text) AS jsonb), encode(sha256(''), 'hex'), :note)
""")
_AGAIN = text("""
    SELECT s.customer_id FROM customer s WHERE s.customer_id = ANY(:destroyed)
        AND (s.erased_on IS NULL OR EXISTS (SELECT 1 FROM data_key k WHERE k.customer_id = s.customer_id AND k.wrapped IS NOT NULL))
""")


@dataclass(frozen=True, slots=True)
class Erased:
    """``rows`` that went at once, by table; ``keys`` that were destroyed, 0 where the subject had been erased before."""

    customer_id: CustomerId
    keys: int
    rows: dict[str, int]


async def erase_customer(tx: Write, vault: Vault, clock: Clock, customer_id: CustomerId, note: str, actor: str = "operator") -> Erased:
    """Erases a subject: see the module. To repeat it does no harm. ``note`` says who asked for it and why; ``actor`` is who did it, for the audit chain, which is
    locked until the commit: whatever else there is to do comes before. Raises NotFound.
    """
    mine, today = {"customer": customer_id}, clock.today()
    found = (await tx.execute(_LOCK, mine)).first()
    if found is None:
        raise NotFound("There is no such customer.")
    keys = list((await tx.execute(_KEYS, mine)).scalars())
    for key_id in keys:
        vault.keys.destroy(customer_id, key_id)
    vault.forget(customer_id)
    await tx.execute(_TODAY, {"today": today.isoformat()})
    await tx.execute(_DESTROY, mine)
    await _end_consents(tx, customer_id, clock)
    for statement in (*_PROOFS, _DISCONNECT):
        await tx.execute(statement, mine)
    rows = await _gone(tx, customer_id, AT_ONCE)
    if edges := await forget(tx, customer_id, found.uscc):
        rows["relation"] = edges
    await tx.execute(_MASK, {**mine, "today": today})
    await tx.execute(_REASONS, mine)
    await _stone(tx, customer_id, found.erased_on or today, {"data_key.wrapped": len(keys), **rows}, note)
    erased = Erased(customer_id, 0 if found.erased_on else len(keys), rows)
    told = {"reason": note, "keys": erased.keys}
    await audited(tx, vault.keys, actor=actor, action="customer.erase", subject=f"customer:{customer_id}", after=told)
    return erased


async def _end_consents(tx: Write, customer_id: CustomerId, clock: Clock) -> None:
    """Nothing is fetched or read under them any more, whatever becomes of the rest. A renewal ends before the consent that would end it."""
    rows = await grants.consents_of(tx, customer_id)
    for row in sorted(rows, key=lambda row: row["status"] in grants.GIVEN):
        if row["status"] in grants.OPEN:
            await grants.withdraw(tx, customer_id, row["consent_id"], clock.now(), actor="erasure")


async def erase_rest(tx: Write, customer_id: CustomerId) -> dict[str, int]:
    """What is left of an erased subject once its pages are gone: connections, runs, windows. Nothing of a customer who was not erased."""
    erased_on = (await tx.execute(_LOCK, {"customer": customer_id})).scalar()
    if erased_on is None:
        return {}
    rules = retention()
    tables = {*rules.of_class("SUBJECT"), *rules.of_class("EVENT"), *rules.of_class("CONSENT")} - {"raw_page", "fact_mark"}
    rows = await _gone(tx, customer_id, sorted(tables))
    if rows:
        await _stone(tx, customer_id, erased_on, rows, None)
    return rows


async def reapply(database: Database, vault: Vault, clock: Clock) -> int:
    """Erases whom the register of destroyed keys knows and the database does not: a backup brought them back, or their erasure was cut short. Returns how many customers."""
    async with database.work() as tx:
        found = [CustomerId(one) for one in (await tx.execute(_AGAIN, {"destroyed": list(vault.keys.destroyed)})).scalars()]
    for customer_id in found:
        async with database.work() as tx:
            await erase_customer(tx, vault, clock, customer_id, REAPPLIED, actor="clock")
    return len(found)


async def _gone(tx: Write, customer_id: CustomerId, tables: Any) -> dict[str, int]:
    """Deletes a customer's rows of some tables."""
    rows = {}
    for table in tables:
        count = (await tx.execute(text(f"DELETE FROM {table} WHERE customer_id = :customer"), {"customer": customer_id})).rowcount
        if count:
            rows[table] = count
    return rows


async def _stone(tx: Write, customer_id: CustomerId, due: date, rows: dict[str, int], note: str | None) -> None:
    values = {"customer": customer_id, "id": new_id(), "due": due, "rows": orjson.dumps(rows).decode(), "note": note}
    await tx.execute(_STONE, values)
