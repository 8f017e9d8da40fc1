"""Who is evaluated, and what the store holds about his sources: consents, connections, windows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

from hub.connect.message import Interval
from hub.consent.grants import as_given
from hub.credit.dossier import SubjectProfile
from hub.credit.sources import HeldConnection, HeldConsent, HeldWindow, Holdings
from hub.domain.enums import ConnectionStatus, CustomerCategory, SourceKind
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.dossier.moment import Moment
from hub.store.parties import RESPONSIBLE, in_role
from hub.store.tables import connection, consent, customer, party

# A window that is read again loses what it had covered; that it had, at an instant before, is told by ``window_before``.
_WINDOWS = text(
    """
    SELECT connection_id, source, kinds, coalesce(bool_or(served), true) AS served, range_agg(covered) FILTER (WHERE covered IS NOT NULL) AS covered
    FROM (
        SELECT connection_id, source, stream, kinds, state <> 'NOT_SERVED' AS served,
            CASE WHEN state = 'DONE' AND completed_at <= :known_at THEN covered END AS covered
        FROM sync_window WHERE customer_id = :customer_id
        UNION ALL SELECT connection_id, source, stream, kinds, NULL, covered
        FROM window_before WHERE customer_id = :customer_id AND completed_at <= :known_at AND replaced_at > :known_at
    ) AS w
    GROUP BY connection_id, source, stream, kinds
    """
).columns(covered=DATEMULTIRANGE)


_IN_ROLE = text(" and ".join(in_role("party", ":as_of", ":known_at")))


async def load_subject_profile(tx: Read | Write, moment: Moment) -> SubjectProfile:
    """The subject and the person behind it. Raises NotFound."""
    mine = (await tx.execute(select(customer).where(customer.c.customer_id == moment.customer_id))).first()
    if mine is None:
        raise NotFound("There is no such customer.")
    theirs = select(party).where(party.c.customer_id == moment.customer_id, _IN_ROLE).order_by(party.c.party_id)
    parties = (await tx.execute(theirs, {"as_of": moment.as_of, "known_at": moment.known_at})).all()
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


async def load_holdings(tx: Read | Write, moment: Moment) -> Holdings:
    """The customer's consents, connections and windows. A connection gives the sources that were consented for its platform."""
    consents = (await tx.execute(select(consent).where(consent.c.customer_id == moment.customer_id))).mappings().all()
    connections = (await tx.execute(select(connection).where(connection.c.customer_id == moment.customer_id))).all()
    windows = [_window(row) for row in await tx.execute(_WINDOWS, {"customer_id": moment.customer_id, "known_at": moment.known_at})]
    asked = {(row["connector"], SourceKind(row["source"])) for row in consents}
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
    return Holdings([HeldConsent(as_given(row), row["changed_at"]) for row in consents], held, windows)


def _window(row: Any) -> HeldWindow:
    covered = tuple(Interval(one.lower, one.upper - timedelta(days=1)) for one in row.covered or ())
    return HeldWindow(row.connection_id, SourceKind(row.source), frozenset(row.kinds or [""]), covered, row.served)
