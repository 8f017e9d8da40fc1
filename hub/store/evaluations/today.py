"""Whether what an evaluation read may be read today: what is made once more from it is not made from what somebody may not see any more.

A dossier as known at an earlier instant is bounded by the consents as they are now, and by their end and the life of the data as they were then. Between the two, a
consent may have run out before anybody wrote it down, and facts may have outlived their life before they are erased.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from hub.consent.gate import Use
from hub.domain.identifiers import CustomerId
from hub.domain.periods import china_day
from hub.store.database import Read, Write

_KNOWN = "f.known_from <= v.known_at AND (f.known_to IS NULL OR f.known_to > v.known_at)"
_LIFE = "make_interval(days => c.data_life_days)"
_OUTLIVED = f"""SELECT 1 FROM fact f WHERE f.customer_id = v.customer_id AND f.kind = e.kind AND {_KNOWN}
    AND f.known_from + {_LIFE} > v.known_at AND f.known_from + {_LIFE} <= :now"""  # noqa: S608 -- our own text
_IN_FORCE = f"""SELECT 1 FROM consent c WHERE c.customer_id = v.customer_id AND c.source = e.source AND c.grantee = :grantee AND c.purpose = v.use_purpose
    AND c.status = 'ACTIVE' AND c.mode = ANY(:modes) AND v.scenario = ANY(c.scenarios) AND (c.kinds IS NULL OR e.kind = ANY(c.kinds))
    AND (c.expires_at IS NULL OR c.expires_at > :now) AND NOT EXISTS ({_OUTLIVED})"""  # noqa: S608
# A negative item that was over then was not read then.
_OVER = f"""SELECT 1 FROM item_due f WHERE f.customer_id = v.customer_id AND f.kind = e.kind AND {_KNOWN}
    AND f.erase_on <= :today AND f.erase_on > (v.known_at AT TIME ZONE 'Asia/Shanghai')::date"""  # noqa: S608
_READABLE = text(f"""
    SELECT NOT EXISTS (SELECT 1 FROM evaluation v JOIN (SELECT DISTINCT customer_id, evaluation_id, source, kind FROM feature_evidence) e USING (customer_id, evaluation_id)
        WHERE v.customer_id = :customer AND v.evaluation_id = :evaluation AND (NOT EXISTS ({_IN_FORCE}) OR EXISTS ({_OVER})))
""")  # noqa: S608


async def readable_today(tx: Read | Write, customer_id: CustomerId, evaluation_id: UUID, grantee: str, now: datetime) -> bool:
    """Whether consents in force let everything be read once more that the evaluation read."""
    modes = sorted(mode.value for mode in Use.READ.modes)
    mine = {"customer": customer_id, "evaluation": evaluation_id, "grantee": grantee}
    return bool((await tx.execute(_READABLE, {**mine, "now": now, "today": china_day(now), "modes": modes})).scalar_one())
