"""异议: what a customer objects to, kept with the value and shown with it wherever it is read (征信业管理条例 25; GB/T 35273 8.3).

An objection is about a fact, about a whole kind of facts, about one value of an evaluation, or about its result. What the customer says, and what is answered, is sealed with the customer's key. It must be
answered within :data:`ANSWER_DAYS` days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, text, update

from hub.access.audit.chain import Secrets
from hub.access.audit.events import audited
from hub.domain.enums import DisputeState
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Read, Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.merging import parts_of
from hub.store.tables import dispute, evaluation, feature_value
from hub.store.view.binding import bound_node
from hub.vault import Place, Vault

ANSWER_DAYS = 20
"""征信业管理条例, article 25: the answer is due within twenty days of the objection."""
LONGEST = 2_000
EVALUATION = "Evaluation"
MOST_OPEN = 50
"""So many objections that a customer raised on his page can be open before it takes no more. What apps passed on does not count: none keeps him from objecting."""
_TIMED = 7
"""The version of the ids that :func:`new_id` makes: they come in the order of their time."""


@dataclass(frozen=True, slots=True)
class Objection:
    """``about`` is the id of a fact or of an evaluation, as the contract answers it; ``feature_id`` names one value of an evaluation. ``decisions_only``: a fact is
    nothing that can be objected to like this."""

    about: str
    feature_id: str | None
    statement: str
    decisions_only: bool = False


async def raise_dispute(tx: Write, vault: Vault, customer_id: CustomerId, said: Objection, actor: str, now: datetime) -> Row[Any]:
    """Keeps an objection; as the asking client, who sees what it is about. Raises NotFound, InvalidInput."""
    statement = checked(said.statement, "What the customer says")
    owner, kind, key = await _owned(tx, customer_id, said.about)
    if said.decisions_only and kind != EVALUATION:
        raise _absent()
    source_key = await _found(tx, owner, (kind, key), said.feature_id)
    dispute_id = new_id()
    await _kept(tx, vault, (owner, dispute_id), (kind, key, source_key, said.feature_id), statement, actor, now)
    return await the_dispute(tx, owner, dispute_id)


About = tuple[str, UUID, str | None, str | None]
"""Kind, what it is about (of a whole kind: whose), the fact's key, the feature."""


async def _kept(tx: Write, vault: Vault, named: tuple[CustomerId, UUID], about: About, statement: str, actor: str, now: datetime) -> None:
    (owner, dispute_id), (kind, key, source_key, feature_id) = named, about
    sealer = await vault.sealer(tx, owner)
    row = {
        "customer_id": owner,
        "dispute_id": dispute_id,
        "kind": kind,
        "about": key,
        "source_key": source_key,
        "feature_id": feature_id,
        "state": DisputeState.OPEN.value,
        "statement": sealer.seal(Place("dispute", "statement", str(dispute_id)), statement.encode()),
        "raised_at": now,
        "raised_by": actor,
        "due_on": china_day(now) + timedelta(days=ANSWER_DAYS),
    }
    await tx.execute(insert(dispute), row)


@dataclass(frozen=True, slots=True)
class KindObjection:
    """About everything of a kind: what the customer says on a page of the hub's own, where no single fact is shown. ``once`` is its id, new with each form: a form that is
    sent twice is one objection."""

    kind: str
    statement: str
    once: UUID


_HOLDERS = "SELECT DISTINCT customer_id FROM {table} WHERE customer_id = ANY(:parts) AND known_to IS NULL ORDER BY 1"


async def object_to_kind(tx: Write, vault: Vault, parts: Sequence[CustomerId], said: KindObjection, actor: str, now: datetime) -> None:
    """Keeps an objection with each part of a customer that has facts of the kind, as the hub. Audited. Raises InvalidInput."""
    statement, table = checked(said.statement, "What the customer says"), FACT_TABLES.get(said.kind)
    found = [] if table is None else (await tx.execute(text(_HOLDERS.format(table=table.name)), {"parts": list(parts)})).scalars().all()
    mine = select(dispute.c.dispute_id, dispute.c.state).where(dispute.c.customer_id.in_(parts), dispute.c.raised_by == actor)
    before = {row.dispute_id: row.state for row in await tx.execute(mine)}
    if said.once in before:
        return
    if not found or said.once.version != _TIMED or list(before.values()).count(DisputeState.OPEN) >= MOST_OPEN:
        raise InvalidInput("Nothing of this kind is there, or too much is open.", remedy="Name a kind of fact that was fetched.")
    for owner, dispute_id in zip(found, (said.once, *(new_id() for _ in found[1:])), strict=True):
        await _kept(tx, vault, (CustomerId(owner), dispute_id), (said.kind, owner, None, None), statement, actor, now)
    after = {"kind": said.kind, "disputes": [str(said.once)], "due_on": china_day(now) + timedelta(days=ANSWER_DAYS)}
    await audited(tx, vault.keys, actor=actor, action="dispute.raise", subject=f"customer:{parts[0]}", after=after)


async def disputes_of(tx: Read | Write, parts: Sequence[CustomerId]) -> Sequence[Row[Any]]:
    """Those of a customer, the newest first, as many as a page shows."""
    newest = (dispute.c.raised_at.desc(), dispute.c.dispute_id.desc())
    return (await tx.execute(select(dispute).where(dispute.c.customer_id.in_(parts)).order_by(*newest).limit(2 * MOST_OPEN))).all()


def checked(text: str, what: str) -> str:
    """Raises InvalidInput."""
    if not 0 < len(text.strip()) <= LONGEST:
        raise InvalidInput(f"{what} has 1 to {LONGEST:,} characters.")
    return text.strip()


async def _owned(tx: Write, customer_id: CustomerId, about: str) -> tuple[CustomerId, str, UUID]:
    """Whose it is: the customer's, or of one that was merged into it."""
    kind, owner, key = bound_node(about)
    if kind not in (*FACT_TABLES, EVALUATION) or key is None or owner not in await parts_of(tx, customer_id):
        raise _absent()
    return CustomerId(owner), kind, key


def _absent() -> NotFound:
    return NotFound("This customer has no such fact or evaluation.", remedy="Name it by the id that this contract answered.")


async def _found(tx: Write, owner: CustomerId, named: tuple[str, UUID], feature_id: str | None) -> str | None:
    """The key under which later versions of a fact come; None of an evaluation. Raises NotFound, InvalidInput."""
    kind, key = named
    if kind != EVALUATION:
        if feature_id is not None:
            raise InvalidInput("A fact has no features.", remedy="Leave featureId out, or name an evaluation.")
        table = FACT_TABLES[kind]
        row = (await tx.execute(select(table.c.source_key).where(table.c.customer_id == owner, table.c.fact_id == key))).first()
    else:
        of, name = (evaluation, None) if feature_id is None else (feature_value, feature_value.c.feature_id == feature_id)
        wanted = select(of.c.evaluation_id).where(of.c.customer_id == owner, of.c.evaluation_id == key)
        row = (await tx.execute(wanted if name is None else wanted.where(name))).first()
    if row is None:
        raise _absent()
    return None if kind == EVALUATION else str(row[0])


async def the_dispute(tx: Read | Write, customer_id: UUID, dispute_id: UUID) -> Row[Any]:
    """Raises NotFound."""
    row = (await tx.execute(select(dispute).where(dispute.c.customer_id == customer_id, dispute.c.dispute_id == dispute_id))).first()
    if row is None:
        raise NotFound("There is no such dispute.", remedy="`disputes` lists those that there are.")
    return row


async def statement_of(tx: Read | Write, vault: Vault, row: Row[Any]) -> tuple[str, str | None]:
    """What the customer says, and what was answered, in plain text: for whoever writes a line on the access log before he hands it on. Raises SecretMissing."""
    sealer, name = await vault.sealer(tx, CustomerId(row.customer_id)), str(row.dispute_id)
    said = sealer.open(Place("dispute", "statement", name), row.statement).decode()
    return said, None if row.note is None else sealer.open(Place("dispute", "note", name), row.note).decode()


async def resolve_dispute(
    tx: Write, vault: Vault, named: tuple[UUID, UUID], became: tuple[DisputeState, str], *, actor: str, now: datetime, secrets: Secrets
) -> Row[Any]:
    """Answers an objection (``named`` by customer and id), as the hub: what became of it, and a note. Audited. Raises NotFound, InvalidInput."""
    (customer_id, dispute_id), (state, note) = named, became
    if state is DisputeState.OPEN:
        raise InvalidInput("An answer says that something was corrected, or that it is kept.", remedy="Answer CORRECTED or KEPT.")
    note = checked(note, "A note")
    mine = (dispute.c.customer_id == customer_id, dispute.c.dispute_id == dispute_id)
    await tx.execute(select(dispute.c.dispute_id).where(*mine).with_for_update())
    row = await the_dispute(tx, customer_id, dispute_id)
    if row.state != DisputeState.OPEN:
        raise InvalidInput("The dispute was answered before.", remedy="A customer who objects to the answer raises another one.")
    sealer = await vault.sealer(tx, CustomerId(customer_id))
    sealed = sealer.seal(Place("dispute", "note", str(dispute_id)), note.encode())
    await tx.execute(update(dispute).where(*mine).values(state=state.value, note=sealed, resolved_at=now, resolved_by=actor))
    about = {"kind": row.kind, "about": row.about, "feature": row.feature_id}
    before, after = (
        {**about, "state": row.state, "due_on": row.due_on},
        {**about, "state": state.value, "in_time": china_day(now) <= row.due_on},
    )
    await audited(tx, secrets, actor=actor, action="dispute.resolve", subject=f"dispute:{dispute_id}", before=before, after=after)
    return await the_dispute(tx, customer_id, dispute_id)
