"""The streams: which service gives which facts, over which windows.

:class:`Service` is a stream over one data service; :class:`FundEntries` first asks for the accounts and then walks from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from connectors.cn_social import normalise as facts
from connectors.cn_social import reading, requests
from connectors.cn_social.requests import Place
from hub.connect import Context, ContractBroken, Json, Page, Record, Request, Response, Stream, Window
from hub.connect.windows import whole
from hub.domain.enums import SourceKind
from hub.domain.facts import (
    EmployerSocialInsuranceMonth,
    HousingFundAccount,
    HousingFundEntry,
    SocialInsuranceContribution,
    SocialInsuranceEnrolment,
)

_EMPTY = {"jedw": "1", "rows": [], "pages": 0, "total": 0}


@dataclass(frozen=True)
class Service:
    """``longest`` is the most months of one question; None: a state, asked for whole."""

    name: str
    path: str
    source: SourceKind
    fact: type
    read_row: Callable[[Context, Record], Any]
    longest: int | None = None
    look_back_days: int = 0
    of_business: bool = False

    @property
    def facts(self) -> tuple[type, ...]:
        return (self.fact,)

    @property
    def window_days(self) -> int | None:
        return 0 if self.longest is None else self.longest * 31

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        if self.of_business and not context.subject.uscc:
            return []
        return whole(self.name, first, last) if self.longest is None else requests.slices(self.name, first, last, self.longest)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return requests.ask(context, self.path, {} if self.longest is None else requests.months(window), self.place(context, cursor))

    def place(self, context: Context, cursor: Json | None) -> Place:
        return Place.of(cursor)

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        at, found = self.place(context, cursor), reading.answer(context, response)
        if found.outcome == "ACCEPTED":
            return reading.accepted(at, found)
        if found.outcome.startswith("TASK_"):
            return Page(next=at.restarted().cursor(), restart=True)
        return self.outcome(context, window, at, found)

    def outcome(self, context: Context, window: Window, at: Place, found: reading.Answer) -> Page:
        """Rows, or the answer that the centre knows nothing."""
        return reading.unknown_here(window, found.data) if found.outcome == "NO_RECORD" else reading.rows(at, window, found.data)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield self.read_row(context, record)


@dataclass(frozen=True)
class FundEntries(Service):
    """Bookings are asked for by account number, so the first question of a window is for the accounts."""

    accounts_path: str = "hf/account/query"

    def place(self, context: Context, cursor: Json | None) -> Place:
        at = Place.of(cursor)
        if at.accounts and requests.opened(context, at.accounts) is None:
            return replace(at.restarted(), account=0, accounts="")
        return at

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        at = self.place(context, cursor)
        numbers = requests.opened(context, at.accounts)
        if numbers is None:
            return requests.ask(context, self.accounts_path, {}, at)
        return requests.ask(context, self.path, {"grzh": numbers[at.account], **requests.days(window)}, at)

    def outcome(self, context: Context, window: Window, at: Place, found: reading.Answer) -> Page:
        numbers = requests.opened(context, at.accounts)
        if numbers is None:
            return self._accounts(context, window, at, found)
        data = found.data if found.outcome == "OK" else _without_rows(found.data)
        page = reading.rows(at, window, data)
        if page.next is not None or at.account + 1 == len(numbers):
            return page
        return Page(page.records, next=at.next_account(at.seen + len(page.records)).cursor(), covered=page.covered)

    def _accounts(self, context: Context, window: Window, at: Place, found: reading.Answer) -> Page:
        listed = super().outcome(context, window, replace(at, page=1, snapshot=""), found)
        if listed.next is not None:
            raise ContractBroken("a person has more accounts than one page")
        if not listed.records:
            return replace(listed, total=at.seen)
        numbers = [str(record.get("grzh", "")) for record in listed.records]
        start = replace(at, page=1, snapshot="", task="", account=0, accounts=requests.sealed(context, numbers), base=at.seen)
        return Page(next=start.cursor())


def _without_rows(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**_EMPTY, "kzsj": "-", **data}


SOCIAL, FUND = SourceKind.SOCIAL_INSURANCE, SourceKind.HOUSING_FUND

STREAMS: tuple[Stream, ...] = (
    Service("contributions", "si/contribution/query", SOCIAL, SocialInsuranceContribution, facts.contribution, 120, 366),
    Service("enrolments", "si/enrolment/query", SOCIAL, SocialInsuranceEnrolment, facts.enrolment),
    Service("employer_months", "si/employer/query", SOCIAL, EmployerSocialInsuranceMonth, facts.employer_month, 36, 186, of_business=True),
    Service("fund_accounts", "hf/account/query", FUND, HousingFundAccount, facts.fund_account),
    FundEntries("fund_entries", "hf/entry/query", FUND, HousingFundEntry, facts.fund_entry, 36, 31),
)
