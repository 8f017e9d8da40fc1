"""How often a consent lets its data be fetched. A fetch is a cycle of runs: one that was parked or died goes on, and is no further one. A page that is pushed is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text

from hub.consent.gate import Ask, Fetches, Use, decide
from hub.domain.enums import FetchType
from hub.domain.identifiers import CustomerId
from hub.domain.periods import CHINA, china_day
from hub.errors import ConsentMissing
from hub.store.database import Read, Write
from hub.sync.context import Consented, Subjected
from hub.sync.quota import Park

_BEFORE = text("""
    SELECT consent_id, coalesce(sum(times) FILTER (WHERE day = :today), 0) AS today, sum(times) AS ever FROM consent_fetch
    WHERE customer_id = :customer AND consent_id = ANY(:consents) GROUP BY consent_id
""")
_NOTE = text("""
    INSERT INTO consent_fetch AS f (customer_id, consent_id, day, times) SELECT :customer, u.consent_id, :today, 1 FROM unnest(CAST(:consents AS uuid[])) AS u(consent_id)
    ON CONFLICT (customer_id, consent_id, day) DO UPDATE SET times = f.times + 1
""")
NEVER = Fetches(0, 0)


async def begin_fetch(tx: Write, customer_id: CustomerId, subjected: Subjected, business: datetime, *, anew: bool) -> Subjected:
    """The same connection with those consents only that allow what begins; ``anew``: a cycle does, else only what was never fetched before begins.

    What begins is counted. Raises Park until the next day, or ConsentMissing where a consent was good for one fetch.
    """
    before = await fetched_before(tx, customer_id, [one.consent_id for one in subjected.consents.values()], business)
    begins = {source: one for source, one in subjected.consents.items() if anew or one.consent_id not in before}
    refused = {source for source, one in begins.items() if not _allows(one, before.get(one.consent_id, NEVER), business)}
    left = {source: one for source, one in subjected.consents.items() if source not in refused}
    if refused and not left:
        raise _why(begins.values(), business)
    noted = [one.consent_id for source, one in begins.items() if source in left]
    if noted:
        await note_fetch(tx, customer_id, noted, business)
    return replace(subjected, consents=left)


async def note_fetch(tx: Write, customer_id: CustomerId, consents: Sequence[UUID], business: datetime) -> None:
    """One more fetch under each."""
    await tx.execute(_NOTE, {"customer": customer_id, "consents": list(consents), "today": china_day(business)})


async def fetched_before(tx: Read | Write, customer_id: CustomerId, consents: Sequence[UUID], business: datetime) -> Mapping[UUID, Fetches]:
    """By consent; one that is not there was never fetched under."""
    values = {"customer": customer_id, "today": china_day(business), "consents": list(consents)}
    return {row.consent_id: Fetches(int(row.today), int(row.ever)) for row in await tx.execute(_BEFORE, values)}


def _allows(one: Consented, before: Fetches, business: datetime) -> bool:
    given = one.given
    return decide(given, Ask(given.source, given.grantee, given.purpose, use=Use.FETCH, before=before), business).allowed


def _why(refused: Iterable[Consented], business: datetime) -> Park | ConsentMissing:
    if all(one.given.fetch is FetchType.ONETIME for one in refused):
        return ConsentMissing("The customer consented to one fetch, and that was made.", remedy="Ask the customer again.")
    midnight = datetime.combine(china_day(business) + timedelta(days=1), time(), CHINA)
    return Park((midnight - business).total_seconds(), "no consent of this connection allows another fetch today")
