"""Rows of the tax administration as facts: profile, rating, payments, arrears, violations, single wage incomes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from connectors.cn_tax.codes import IIT
from connectors.cn_tax.fields import Fields, of, rows_of
from hub.connect import Context, Record
from hub.domain.facts import PersonalIncome, TaxArrear, TaxCreditRating, TaxpayerProfile, TaxPayment, TaxViolation
from hub.domain.identifiers import PersonalId
from hub.domain.money import ZERO
from hub.domain.periods import month_of


def profile(context: Context, record: Record) -> Iterator[TaxpayerProfile]:
    """NSRJBXX. FZRZJHM, the responsible party's certificate number in full, is a field of our profile; FDDBRSFZJHM is masked and of no use."""
    row = of(context, record)
    holder = row.optional("FZRZJHM")
    yield TaxpayerProfile(
        taxpayer_number=row.text("NSRSBH"),
        uscc=row.optional("SHXYDM"),
        holder=PersonalId(holder) if holder else None,
        taxpayer_type=row.optional_coded("ZZSNSRLX_DM"),
        vat_frequency=row.optional_coded("ZZSNSQX_DM", "NSQX_DM"),
        status=row.coded("NSRZT_DM"),
    )


def rating(context: Context, record: Record) -> Iterator[TaxCreditRating]:
    """NSXYDJ. The points are no amount: they have no unit and any number of decimals."""
    row = of(context, record)
    yield TaxCreditRating(rating_year=row.integer("PJND"), grade=row.coded("NSXYDJ"), points=_points(row), published_on=row.day("FBRQ"))


def payment(context: Context, record: Record) -> Iterator[TaxPayment]:
    """JKXX, one voucher. A voucher may list several items of one kind of tax (the two education surcharges): they are one payment."""
    sums: dict[tuple[str, bool], TaxPayment] = {}
    for row in rows_of(context, record):
        kind, late_fee = levy(row), row.coded("SKZL_DM") == "LATE_FEE"
        before = sums.get((kind, late_fee))
        first, last, paid = row.day("SKSSQQ"), row.day("SKSSQZ"), row.day("JKRQ")
        sums[kind, late_fee] = TaxPayment(
            voucher_number=row.text("DZSPHM"),
            tax_kind=kind,
            late_fee=late_fee,
            period_start=min(first, before.period_start) if before else first,
            period_end=max(last, before.period_end) if before else last,
            paid_on=max(paid, before.paid_on) if before else paid,
            amount=row.amount("SJJE") + (before.amount if before else ZERO),
        )
    yield from sums.values()


def arrear(context: Context, record: Record) -> Iterator[TaxArrear]:
    """QSXX. The row does not say which individual income tax is owed: that is OTHER."""
    row = of(context, record)
    yield TaxArrear(
        arrear_number=row.text("QSUUID"),
        tax_kind="OTHER" if row.text("ZSXM_DM") == IIT else row.coded("ZSXM_DM"),
        since=row.day("JKQX"),
        amount=row.amount("QSYE"),
        late_fee=row.amount("ZNJ"),
        cleared_on=row.optional_day("QJRQ"),
    )


def violation(context: Context, record: Record) -> Iterator[TaxViolation]:
    """WFWZ."""
    row = of(context, record)
    yield TaxViolation(
        violation_number=row.text("WFWZUUID"),
        kind=row.text("WFXWMC"),
        decided_on=row.day("CLJDRQ"),
        penalty=row.amount("CFJE"),
        open=row.coded("CLZT_DM") == "OPEN",
    )


def income(context: Context, record: Record) -> Iterator[PersonalIncome]:
    """GRSDMX, an item of our profile: one person's wage income of one month from one payer."""
    row = of(context, record)
    month = month_of(row.day("SKSSQQ"))
    if month_of(row.day("SKSSQZ")) != month:
        raise row.fail("SKSSQZ", "is not in the month of SKSSQQ")
    yield PersonalIncome(person=PersonalId(row.text("ZJHM")), month=month, payer=row.optional("KJYWRSBH") or "", amount=row.amount("SRE"))


def levy(row: Fields) -> str:
    """The kind of tax of a payment; individual income tax is told apart by its item (ZSPM_DM)."""
    return row.coded("ZSPM_DM") if row.text("ZSXM_DM") == IIT else row.coded("ZSXM_DM")


def _points(row: Fields) -> Decimal | None:
    text = row.optional("PJFS")
    try:
        points = Decimal(text) if text is not None else None
    except InvalidOperation:
        raise row.fail("PJFS", "is not a number") from None
    if points is not None and not points.is_finite():
        raise row.fail("PJFS", "is not a number")
    return points
