"""Who is evaluated, and what the store holds about his sources: consents, connections, windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE
from sqlalchemy.dialects.postgresql import UUID as UUIDS

from hub.connect.message import Interval
from hub.consent.grants import as_given
from hub.credit.dossier import SubjectProfile
from hub.credit.sources import HeldConnection, HeldConsent, HeldWindow, Holdings
from hub.domain.enums import ConnectionStatus, CustomerCategory, SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.parties import RESPONSIBLE, in_role
from hub.store.tables import connection, consent, customer, party

# A window that is read again loses what it had covered; that it had, at an instant before, is told by ``window_before``.
_WINDOWS = text(
    """
    SELECT customer_id, connection_id, source, kinds, coalesce(bool_or(served), true) AS served, range_agg(covered) FILTER (WHERE covered IS NOT NULL) AS covered
    FROM (
        SELECT customer_id, connection_id, source, stream, kinds, state <> 'NOT_SERVED' AS served,
            CASE WHEN state = 'DONE' AND completed_at <= :known_at THEN covered END AS covered
        FROM sync_window WHERE customer_id = ANY (:customers)
        UNION ALL SELECT customer_id, connection_id, source, stream, kinds, NULL, covered
        FROM window_before WHERE customer_id = ANY (:customers) AND completed_at <= :known_at AND replaced_at > :known_at
    ) AS w
    GROUP BY customer_id, connection_id, source, stream, kinds
    """
).columns(covered=DATEMULTIRANGE)


_IN_ROLE = text(" and ".join(in_role("party", ":as_of", ":known_at")))


@dataclass(frozen=True, slots=True)
class Subject:
    """Who it is, and the ids of the parties that told it."""

    profile: SubjectProfile
    parties: tuple[str, ...]


async def load_subjects(
    tx: Read | Write, customers: Sequence[CustomerId], as_of: date, known_at: datetime, named: Sequence[UUID] | None = None
) -> dict[CustomerId, Subject]:
    """The subjects and the persons behind them: those in their role by what was known, or those that are ``named``. Raises NotFound."""
    mine = (await tx.execute(select(customer).where(customer.c.customer_id == any_(_uuids(customers))))).all()
    if len(mine) < len(set(customers)):
        raise NotFound("There is no such customer.")
    theirs = select(party).where(party.c.customer_id == any_(_uuids(customers))).order_by(party.c.party_id)
    chosen = theirs.where(_IN_ROLE) if named is None else theirs.where(party.c.party_id.in_(named))
    parties = _by_customer(await tx.execute(chosen, {"as_of": as_of, "known_at": known_at} if named is None else {}))
    return {CustomerId(row.customer_id): _subject(row, parties[row.customer_id]) for row in mine}


def _subject(mine: Row[Any], parties: Sequence[Row[Any]]) -> Subject:
    return Subject(_profile(mine, parties), tuple(str(one.party_id) for one in parties))


def _profile(mine: Row[Any], parties: Sequence[Row[Any]]) -> SubjectProfile:
    person = next((one for one in parties if one.role in RESPONSIBLE), None)
    if person is None and mine.kind == "PERSON":
        person = next((one for one in parties if one.role == "SUBJECT"), None)
    return SubjectProfile(
        is_business=mine.kind == "ORG",
        uscc=mine.uscc,
        own_hash=mine.subject_hash,
        responsible_hash=person.id_hash if person else None,
        birth_on=person.birth_on if person else None,
        residence_city=None,
        is_farmer=mine.category == CustomerCategory.FARMER,
    )


async def load_holdings(tx: Read | Write, customers: Sequence[CustomerId], known_at: datetime) -> dict[CustomerId, Holdings]:
    """The customers' consents, connections and windows. A connection gives the sources that were consented for its platform."""
    consents = await _consents(tx, customers)
    connections = _by_customer(await tx.execute(select(connection).where(connection.c.customer_id == any_(_uuids(customers)))))
    windows = _by_customer(await tx.execute(_WINDOWS, {"customers": list(customers), "known_at": known_at}))
    return {one: _holdings(consents[one], connections[one], [_window(row) for row in windows[one]]) for one in customers}


async def load_consents(tx: Read | Write, customers: Sequence[CustomerId]) -> dict[CustomerId, Holdings]:
    """The customers' consents alone: whether anything of them may be read at all."""
    consents = await _consents(tx, customers)
    return {one: _holdings(consents[one], (), ()) for one in customers}


async def _consents(tx: Read | Write, customers: Sequence[CustomerId]) -> dict[Any, list[Row[Any]]]:
    return _by_customer(await tx.execute(select(consent).where(consent.c.customer_id == any_(_uuids(customers)))))


def _holdings(consents: Sequence[Row[Any]], connections: Sequence[Row[Any]], windows: Sequence[HeldWindow]) -> Holdings:
    asked = {(row.connector, SourceKind(row.source)) for row in consents}
    held = [
        HeldConnection(
            row.connection_id,
            frozenset(
                {source for connector, source in asked if connector == row.connector}
                | {one.source for one in windows if one.connection_id == row.connection_id}
            ),
            ConnectionStatus(row.status),
        )
        for row in connections
    ]
    return Holdings([HeldConsent(as_given(row._mapping), row.changed_at) for row in consents], held, windows)


def _uuids(customers: Sequence[CustomerId]) -> ColumnElement[Any]:
    return literal(list(customers), ARRAY(UUIDS(as_uuid=True)))


def _by_customer(rows: Iterable[Row[Any]]) -> dict[Any, list[Row[Any]]]:
    found = defaultdict[Any, list[Row[Any]]](list)
    for row in rows:
        found[row.customer_id].append(row)
    return found


def _window(row: Any) -> HeldWindow:
    covered = tuple(Interval(one.lower, one.upper - timedelta(days=1)) for one in row.covered or ())
    return HeldWindow(row.connection_id, SourceKind(row.source), frozenset(row.kinds or [""]), covered, row.served)
