"""Monthly totals for months whose single orders the platform no longer serves: our extension, page-less and small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from connectors.taobao.fields import count, money, month, text
from connectors.taobao.gateway import PLATFORM, call, complete_days, covered_of, result_of, rows_of
from hub.connect import Context, ContractBroken, Json, NoData, Page, Record, Request, Response, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import ShopMonthlySummary
from hub.domain.periods import add_months, first_day, last_day, month_of

METHOD = "taobao.zx.shop.months.get"


@dataclass(frozen=True, slots=True)
class MonthlySummaries:
    """Covers exactly the months it serves; none at all is out of reach, not zero."""

    name: str = "monthly_summary"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (ShopMonthlySummary,)
    window_days: int | None = None
    look_back_days: int = 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        """One window of whole months, so that nothing outside the range is asked for."""
        last = complete_days(context, last)
        start = first if first.day == 1 else first_day(add_months(month_of(first), 1))
        end = last if last == last_day(month_of(last)) else first_day(month_of(last)) - timedelta(days=1)
        return windows.whole(self.name, start, end) if start <= end else []

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return call(METHOD, start_month=f"{window.first:%Y-%m}", end_month=f"{window.last:%Y-%m}")

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "zx_shop_months_get_response")
        rows = rows_of(found, "months", "month")
        covered = covered_of(found, window)
        if not rows and not covered:
            raise NoData("no month is served as a summary", covered=False)
        total = found.get("total_results")
        if not isinstance(total, int):
            raise ContractBroken("a list without total_results")
        return Page(tuple(rows), total=total, covered=covered)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield ShopMonthlySummary(
            platform=PLATFORM,
            shop_number=text(record, "sid"),
            month=month(record, "month"),
            paid_orders=count(record, "paid_orders"),
            gmv=money(record, "gmv"),
            refunds=money(record, "refund_fee"),
        )
