"""What the models know beside a dossier: the lender's loans, active connections, and the evaluation that stood when the oldest open loan was granted.

Of many customers in a few statements, like the dossiers.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import Row, func, select, text, tuple_

from hub.credit.crosscheck.verdict import Tier
from hub.credit.models.lender import Loan, Origin, Watch
from hub.domain.enums import ConnectionStatus, Purpose
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.loans import Told, load_loans, named_loans
from hub.store.tables import connection, feature_value

COMPARED = ("ps_low_balance_days", "ss_refund_rate")
"""Features that a trigger compares with what they were."""
_ORIGINS = text("""
    SELECT a.place, v.customer_id, v.evaluation_id, v.as_of, v.known_at, v.tier
    FROM unnest(CAST(:places AS int[]), CAST(:customers AS uuid[]), CAST(:scenarios AS text[]), CAST(:named AS uuid[]), CAST(:granted AS date[]))
         AS a(place, customer_id, scenario, named, granted_on)
    CROSS JOIN LATERAL (
        SELECT * FROM evaluation e WHERE e.customer_id = a.customer_id AND e.scenario = a.scenario AND NOT e.what_if
            AND CASE WHEN a.named IS NULL THEN e.as_of <= a.granted_on AND e.known_at <= :known_at ELSE e.evaluation_id = a.named END
        ORDER BY e.as_of DESC, e.created_at DESC LIMIT 1) v
""")
_ACCOUNTS = text("""
    SELECT a.place, f.account_number_hash
    FROM unnest(CAST(:places AS int[]), CAST(:customers AS uuid[]), CAST(:instants AS timestamptz[])) AS a(place, customer_id, known_at)
    JOIN fact_payment_account f ON f.customer_id = a.customer_id AND f.role = 'SETTLEMENT'
        AND f.known_from <= a.known_at AND (f.known_to IS NULL OR f.known_to > a.known_at)
""")


@dataclass(frozen=True, slots=True)
class Looked:
    """A watch, the evaluation that its origin is of, and the words that told of the loans."""

    watch: Watch
    origin_id: UUID | None = None
    words: tuple[Told, ...] = ()

    def document(self) -> dict[str, Any]:
        """What an evaluation keeps of it: what tells of today only (connections, which decision stood), digests of what is read again, and which words it is."""
        loans = sorted((asdict(one) for one in self.watch.loans), key=lambda one: str(one["number"]))
        return {
            "loans": [len(loans), _sha256(loans)],
            "words": [[str(one.word), one.overdue and str(one.overdue)] for one in self.words],
            "connections": self.watch.connections,
            "origin": None if self.watch.origin is None else [str(self.origin_id), _sha256(asdict(self.watch.origin))],
        }


def _sha256(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


class Watched(Protocol):
    """Whose loans an evaluation is to know, for which scenario and under consents for which purpose, as of when."""

    @property
    def customer_id(self) -> CustomerId: ...
    @property
    def scenario(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def as_of(self) -> date: ...
    @property
    def known_at(self) -> datetime: ...
    @property
    def what_if(self) -> bool: ...


async def load_watches(tx: Read | Write, asked: Sequence[Watched]) -> list[Looked]:
    """Of evaluations of one day and one instant, in their order. Loans are watched under consents for POST_LOAN alone."""
    if not asked:
        return []
    customers = list(dict.fromkeys(one.customer_id for one in asked))
    loans = await load_loans(tx, customers, asked[0].as_of, asked[0].known_at)
    connections = await _connections(tx, customers, asked[0].known_at if asked[0].what_if else None)
    watches = [
        Watch(one.purpose == Purpose.POST_LOAN, tuple(loans.get(one.customer_id, ())), None, connections.get(one.customer_id, 0))
        for one in asked
    ]
    opened = {place: watch.of(one.scenario)[:1] for place, (one, watch) in enumerate(zip(asked, watches, strict=True)) if watch.monitoring}
    granted = [
        (place, asked[place].customer_id, loan, loans[asked[place].customer_id][loan].evaluation_id)
        for place, one in opened.items()
        for loan in one
    ]
    origins = await _origins(tx, granted, asked[0].known_at)
    words = [tuple(loans.get(one.customer_id, {}).values()) for one in asked]
    return [_with(watch, told, origins.get(place)) for place, (watch, told) in enumerate(zip(watches, words, strict=True))]


def _with(watch: Watch, words: tuple[Told, ...], found: tuple[UUID, Origin] | None) -> Looked:
    return Looked(watch, None, words) if found is None else Looked(replace(watch, origin=found[1]), found[0], words)


async def watch_again(tx: Read | Write, asked: Watched, kept: Mapping[str, Any]) -> Looked:
    """The watch of an evaluation that is made once more: loans by the words that told of them, and beside them what the evaluation kept (:meth:`Looked.document`). One
    of before kept no words: those that were known by its instant."""
    if "words" in kept:
        loans = await named_loans(tx, asked.customer_id, kept["words"])
    else:
        loans = (await load_loans(tx, [asked.customer_id], asked.as_of, asked.known_at)).get(asked.customer_id, {})
    watch, words = Watch(asked.purpose == Purpose.POST_LOAN, tuple(loans), None, kept["connections"]), tuple(loans.values())
    opened = watch.of(asked.scenario)[:1]
    if kept["origin"] is None or not opened:
        return Looked(watch, None, words)
    origins = await _origins(tx, [(0, asked.customer_id, opened[0], UUID(kept["origin"][0]))], asked.known_at)
    return _with(watch, words, origins.get(0))


async def _connections(tx: Read | Write, customers: Sequence[CustomerId], then: datetime | None) -> Mapping[CustomerId, int]:
    """How many are active; or were ``then``, as far as their rows tell: those that were there and had not ended. One that needs the customer anew is taken for such a one
    all along, since nobody keeps from when on it did."""
    c = connection.c
    alive = c.status == ConnectionStatus.ACTIVE
    if then is not None:
        ended_later = (c.status == ConnectionStatus.DISCONNECTED) & (c.ended_at > then)
        alive = (alive | ended_later) & (c.created_at <= then)
    mine = (c.customer_id.in_(customers), alive)
    rows = await tx.execute(select(connection.c.customer_id, func.count()).where(*mine).group_by(connection.c.customer_id))
    return {CustomerId(customer_id): count for customer_id, count in rows}


async def _origins(
    tx: Read | Write, granted: Sequence[tuple[int, CustomerId, Loan, UUID | None]], known_at: datetime
) -> Mapping[int, tuple[UUID, Origin]]:
    """By place the evaluation that the lender names, else the last decision of the scenario up to the day on which the loan was granted, of those made by then."""
    if not granted:
        return {}
    values = {
        "places": [place for place, *_ in granted],
        "customers": [customer_id for _, customer_id, *_ in granted],
        "scenarios": [loan.scenario for _, _, loan, _ in granted],
        "named": [named for *_, named in granted],
        "granted": [loan.granted_on for _, _, loan, _ in granted],
        "known_at": known_at,
    }
    rows = (await tx.execute(_ORIGINS, values)).all()
    if not rows:
        return {}
    features, accounts = await _features(tx, rows), await _accounts(tx, rows)
    return {
        row.place: (
            row.evaluation_id,
            Origin(
                row.as_of,
                Tier(row.tier) if row.tier else None,
                features.get(row.evaluation_id, {}),
                frozenset(accounts.get(row.place, ())) or None,
            ),
        )
        for row in rows
    }


async def _features(tx: Read | Write, rows: Iterable[Row[Any]]) -> Mapping[UUID, Mapping[str, Decimal]]:
    f = feature_value.c
    keys = {(row.customer_id, row.evaluation_id) for row in rows}
    wanted = select(f.evaluation_id, f.feature_id, f.number).where(
        tuple_(f.customer_id, f.evaluation_id).in_(keys), f.feature_id.in_(COMPARED)
    )
    found = defaultdict[UUID, dict[str, Decimal]](dict)
    for one in await tx.execute(wanted):
        if one.number is not None:
            found[one.evaluation_id][one.feature_id] = one.number
    return found


async def _accounts(tx: Read | Write, rows: Sequence[Row[Any]]) -> Mapping[int, set[str]]:
    values = {
        "places": [row.place for row in rows],
        "customers": [row.customer_id for row in rows],
        "instants": [row.known_at for row in rows],
    }
    found = defaultdict[int, set[str]](set)
    for one in await tx.execute(_ACCOUNTS, values):
        found[one.place].add(one.account_number_hash)
    return found
