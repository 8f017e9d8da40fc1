"""Tax returns (SBXX) as facts. The rows of one return (SBUUID) make one fact.

Rows with BNLJBZ = Y are year-to-date columns and are never read as the period; what a column number means differs between the two VAT forms, so only BNLJBZ
decides. Each correction is a fact of its own with its number (GZXH); the latest counts. A return that was withdrawn without a
correction taking its place counts for nothing and makes no fact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.cn_tax.codes import IIT, PAYABLE_COLUMN, SALES_COLUMNS
from connectors.cn_tax.fields import Fields, rows_of, same
from connectors.cn_tax.package import Row
from hub.connect import Context, Record
from hub.domain.facts import TaxReturn
from hub.domain.money import CENT

_HEAD = ("ZSXM_DM", "YZPZZL_DM", "SKSSQQ", "SKSSQZ", "SBRQ", "SBQX", "GZXH")
EDUCATION_SURCHARGES = frozenset({"30203", "30216"})


@dataclass(frozen=True, slots=True)
class _Figures:
    declared_revenue: Decimal | None = None
    exempt_revenue: Decimal | None = None
    output_tax: Decimal | None = None
    input_tax: Decimal | None = None
    tax_payable: Decimal | None = None
    headcount: int | None = None
    wage_total: Decimal | None = None


def withdrawn(rows: Sequence[Row]) -> tuple[str, ...]:
    """Numbers of the returns that are void (ZFBZ_1 = Y) and outrank every valid return of their period."""
    valid: dict[tuple[Any, ...], int] = defaultdict(lambda: -1)
    void: dict[str, tuple[tuple[Any, ...], int]] = {}
    for row in rows:
        period = tuple(row.get(name) for name in ("ZSXM_DM", "YZPZZL_DM", "SKSSQQ", "SKSSQZ"))
        number = int(row["GZXH"]) if str(row.get("GZXH")).isdecimal() else 0
        if row.get("ZFBZ_1") == "Y":
            void[str(row.get("SBUUID"))] = (period, number)
        else:
            valid[period] = max(valid[period], number)
    return tuple(sorted(name for name, (period, number) in void.items() if number > valid[period]))


def tax_return(context: Context, record: Record) -> Iterator[TaxReturn]:
    """One return. The education surcharges ride on the form of the construction tax, which alone makes the fact SURCHARGE."""
    rows = rows_of(context, record)
    same(rows, *_HEAD)
    head = rows[0]
    if record["aside"] or head.text("ZSXM_DM") in EDUCATION_SURCHARGES:
        return
    kind, figures = _kind(head), _figures(rows)
    yield TaxReturn(
        tax_kind=kind,
        period_start=head.day("SKSSQQ"),
        period_end=head.day("SKSSQZ"),
        amendment=head.integer("GZXH"),
        filed_on=head.day("SBRQ"),
        due_on=head.optional_day("SBQX"),
        declared_revenue=figures.declared_revenue,
        exempt_revenue=figures.exempt_revenue,
        output_tax=figures.output_tax,
        input_tax=figures.input_tax,
        tax_payable=figures.tax_payable,
        headcount=figures.headcount,
        wage_total=figures.wage_total,
    )


def _kind(head: Fields) -> str:
    return head.coded("YZPZZL_DM") if head.text("ZSXM_DM") == IIT else head.coded("ZSXM_DM")


def _figures(rows: list[Fields]) -> _Figures:
    kind, current = _kind(rows[0]), [row for row in rows if _is_current(row)]
    if not current:
        raise rows[0].fail("BNLJBZ", "leaves no row of the period itself")
    if kind == "VAT":
        return _vat(rows[0].text("YZPZZL_DM"), current)
    if len(current) != 1:
        raise current[1].fail("EWBLXH", "is a second row of a return that has one")
    return _single(kind, current[0])


def _is_current(row: Fields) -> bool:
    flag = row.text("BNLJBZ")
    if flag not in ("Y", "N"):
        raise row.fail("BNLJBZ", "is neither Y nor N")
    return flag == "N"


def _vat(form: str, current: list[Fields]) -> _Figures:
    if form not in SALES_COLUMNS:
        raise current[0].fail("YZPZZL_DM", "is not a VAT form this profile knows")
    return _Figures(
        declared_revenue=_sum(current, *SALES_COLUMNS[form]),
        exempt_revenue=_sum(current, "MSXSE"),
        output_tax=_sum(current, "XXSE"),
        input_tax=_sum(current, "JXSE"),
        tax_payable=_sum(current, PAYABLE_COLUMN[form]),
    )


def _single(kind: str, row: Fields) -> _Figures:
    payable, reduced, paid, open_ = (row.optional_amount(name) for name in ("YNSE", "JMSE", "YJSE", "YBTSE"))
    if (
        payable is not None
        and reduced is not None
        and paid is not None
        and open_ is not None
        and abs(payable - reduced - paid - open_) > CENT
    ):
        raise row.fail("YBTSE", "is not YNSE - JMSE - YJSE")
    if kind == "IIT_WITHHOLDING":
        return _Figures(tax_payable=payable, headcount=row.integer("NSRS"), wage_total=row.amount("SRE"))
    return _Figures(tax_payable=payable)


def _sum(rows: list[Fields], *names: str) -> Decimal | None:
    """The sum of what is filled in; unknown if nothing is."""
    filled = [amount for row in rows for name in names if (amount := row.optional_amount(name)) is not None]
    return sum(filled, Decimal(0)) if filled else None
