"""What to ask: order a report, poll it, read a section of it. Unsigned; :func:`sign` adds the access token."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self

from hub.connect import Context, Json, Reauthorise, Request, Window


@dataclass(frozen=True, slots=True)
class Place:
    """``report`` is its number once ordered, ``page`` the next page of the section, 0 while the report is not ready.

    ``attempt`` counts reports that failed or were gone, ``seen`` the records already handed out, those of earlier reports included;
    ``base`` only the latter.
    """

    report: str = ""
    page: int = 0
    attempt: int = 0
    seen: int = 0
    base: int = 0

    @classmethod
    def of(cls, cursor: Json | None) -> Self:
        return cls(**(cursor or {}))

    def cursor(self) -> Json:
        return asdict(self)

    def again(self) -> Place:
        """From a new order on."""
        return Place(attempt=self.attempt + 1, seen=self.seen, base=self.seen)


def request(context: Context, section: str, window: Window, at: Place) -> Request:
    if not at.report:
        return order(context, window, at.attempt)
    if not at.page:
        return Request("GET", f"/reports/{at.report}")
    size = context.config.get("page_size") or "100"
    return Request("GET", f"/reports/{at.report}/sections/{section}", query=(("page", str(at.page)), ("page_size", size)))


def order(context: Context, window: Window, attempt: int) -> Request:
    """One report per consent, range and business day.

    Every look-up leaves an inquiry in the borrower's file. The three streams therefore order with the same idempotency key and are
    given the same report, and so is a second run of the day.
    """
    subject = {"uscc": context.subject.uscc, "resident_id": context.subject.resident_id}
    content = {
        "authorization_no": _authorization(context),
        "purpose": context.config.get("purpose") or "01",
        "written_consent": True,
        "adverse_notice": True,
        "subject": {name: value for name, value in subject.items() if value},
        "from": window.first.isoformat(),
        "to": window.last.isoformat(),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    # The key is kept as evidence, so no identifier may be hashed into it: the authorisation number stands for the person.
    parts = (_authorization(context), content["purpose"], window.first, window.last, context.today, attempt)
    key = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    headers = (("Content-Type", "application/json; charset=utf-8"), ("Idempotency-Key", key))
    return Request("POST", "/reports", headers=headers, body=body)


def sign(context: Context, request: Request) -> Request:
    """Adds the access token."""
    if context.grant is None:
        raise Reauthorise("there is no authorisation")
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}")


def _authorization(context: Context) -> str:
    return context.grant.extra.get("sqbh", "") if context.grant else ""
