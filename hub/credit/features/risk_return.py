"""D1 风险收益对比: risk against return (domain brief, section 3). Whose credit accounts count is said by ``Reading.debtors``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.credit.features.catalogue import ALL, W3, W6, W12, W24, Null, Reads, Value, formula
from hub.credit.features.reading import Reading, ratio
from hub.credit.features.statements import profit_and_loss
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import CreditAccount, CreditInquiry, FinancialStatement, PaymentTransaction, RepaymentMonth
from hub.domain.money import ZERO
from hub.domain.periods import full_months

INCOMES = ("IN.SALES_RECEIPT", "IN.PLATFORM_PAYOUT")
COSTS = tuple(f"OUT.{name}" for name in ("PURCHASE", "WAGE", "SOCIAL", "RENT", "UTILITY", "LOGISTICS", "AD", "TAX", "OWNER_DRAW"))
HARD = ("LOAN_APPROVAL", "CARD_APPROVAL", "GUARANTEE_REVIEW")
DPD = {"N": 0, "C": 0, "M": 0, **{str(bucket): bucket * 30 for bucket in range(1, 7)}, **dict.fromkeys("7DZGB", 181)}
"""Upper bound of days past due by repayment status; * and # are unknown."""
NO_DEBT = "NO_DEBT"


@formula(
    "rr_gross_margin",
    Unit.RATIO,
    span=W12,
    reads=[Reads(W12, (FinancialStatement, PaymentTransaction), sales=True)],
    business_only=True,
)
def gross_margin(read: Reading) -> Value:
    """1 - cost / revenue of the latest yearly profit-and-loss statement that ends in W12; without one 1 - OUT[PURCHASE] / S including VAT over
    the months both cover. Null without a source of cost."""
    year = profit_and_loss(read)
    if year:
        return 1 - ratio(year["cost"], year["revenue"])
    if not read.dossier.readable(SourceKind.PAYMENT):
        read.need(SourceKind.FINANCIALS, SourceKind.PAYMENT)
    purchases = read.dossier.series("OUT.PURCHASE", SourceKind.PAYMENT, read.window(12))
    return 1 - read.against_sales(purchases, 12, with_vat=True)


@formula("rr_net_operating_cash", Unit.YUAN, span=W12, reads=[Reads(W12, (PaymentTransaction,))], business_only=True)
def net_operating_cash(read: Reading) -> Value:
    """IN[SALES_RECEIPT, PLATFORM_PAYOUT] - OUT[PURCHASE, WAGE, SOCIAL, RENT, UTILITY, LOGISTICS, AD, TAX, OWNER_DRAW], in yuan over the
    covered months of W12, not scaled up."""
    return operating_cash(read)


def operating_cash(read: Reading) -> Decimal:
    return cash_of(read, 12)


def cash_of(read: Reading, count: int) -> Decimal:
    """The same over another window."""
    months = read.months(SourceKind.PAYMENT, count)
    return read.total(SourceKind.PAYMENT, INCOMES, months) - read.total(SourceKind.PAYMENT, COSTS, months)


@formula("rr_debt_service_12m", Unit.YUAN, reads=[Reads(ALL, (CreditAccount,))])
def debt_service_12m(read: Reading) -> Value:
    """Σ monthly due of open accounts x min(12, months to maturity, a started month counted), in yuan. The monthly due of a bullet or revolving loan is
    interest only, so its principal is excluded."""
    return debt_service(read)


def debt_service(read: Reading) -> Decimal:
    as_of = read.dossier.as_of
    return sum((one.monthly_due * months_left(one.matures_on, as_of) for one in open_accounts(read)), ZERO)


def months_left(matures_on: date | None, as_of: date) -> int:
    """Months to pay in the next twelve, a started month counted; twelve without a maturity, none after it."""
    if matures_on is None:
        return 12
    if matures_on <= as_of:
        return 0
    whole = full_months(as_of, matures_on)
    return min(12, whole + (matures_on.day != as_of.day))


@formula("rr_dscr", Unit.TIMES, span=W12, reads=[Reads(W12, (PaymentTransaction,)), Reads(ALL, (CreditAccount,))])
def dscr(read: Reading) -> Value:
    """rr_net_operating_cash / rr_debt_service_12m. Without debt service the special value NO_DEBT, even if the cash is unknown."""
    if read.dossier.readable(SourceKind.BUREAU) and debt_service(read) == 0:
        return NO_DEBT
    if not read.is_business:
        raise Null(MissingReason.NOT_APPLICABLE)
    read.need(SourceKind.PAYMENT, SourceKind.BUREAU)
    return ratio(operating_cash(read), debt_service(read))


@formula("rr_unsecured_lenders", Unit.COUNT, reads=[Reads(ALL, (CreditAccount,))])
def unsecured_lenders(read: Reading) -> Value:
    """Number of distinct lenders of open unsecured accounts."""
    return len({one.lender for one in open_accounts(read) if not one.secured})


@formula("rr_max_dpd_24m", Unit.DPD, span=W24, reads=[Reads(W24, (RepaymentMonth,)), Reads(ALL, (CreditAccount,))])
def max_dpd_24m(read: Reading) -> Value:
    """Largest upper bound of days past due over the repayment months of W24: N, C, M 0; 1 to 6 30 to 180; 7, D, Z, G, B 181. Null when no month
    has a known status (thin file)."""
    known = [DPD[one.status] for one in repayment_months(read) if one.status in DPD]
    return read.known(max(known, default=None))


@formula("rr_arrears_count_24m", Unit.COUNT, span=W24, reads=[Reads(W24, (RepaymentMonth,)), Reads(ALL, (CreditAccount,))])
def arrears_count_24m(read: Reading) -> Value:
    """Number of months of W24 with a repayment status 1 to 7."""
    return len({one.month for one in repayment_months(read) if one.status in "1234567"})


@formula("rr_hard_inquiries_3m", Unit.COUNT, span=W3, reads=[Reads(W3, (CreditInquiry,))])
def hard_inquiries_3m(read: Reading) -> Value:
    """Hard inquiries (loan or card approval, guarantee review) of W3, one per organisation and day; the query month is excluded."""
    return _hard_inquiries(read, 3)


@formula("rr_hard_inquiries_6m", Unit.COUNT, span=W6, reads=[Reads(W6, (CreditInquiry,))])
def hard_inquiries_6m(read: Reading) -> Value:
    """Hard inquiries (loan or card approval, guarantee review) of W6, one per organisation and day; the query month is excluded."""
    return _hard_inquiries(read, 6)


def open_accounts(read: Reading) -> list[CreditAccount]:
    """Open accounts of those whose debts count."""
    read.need(SourceKind.BUREAU)
    return [one for one in read.dossier.of(CreditAccount) if one.open and one.borrower in read.debtors]


def repayment_months(read: Reading) -> list[RepaymentMonth]:
    """Repayment months of W24 of every account that counts, closed ones too."""
    months = read.months(SourceKind.BUREAU, 24)
    counted = {one.account_number for one in read.dossier.of(CreditAccount) if one.borrower in read.debtors}
    return [one for one in read.dated(RepaymentMonth, months, "month") if one.account_number in counted]


def _hard_inquiries(read: Reading, count: int) -> int:
    months = read.months(SourceKind.BUREAU, count)
    found = read.dated(CreditInquiry, months, "inquired_on")
    return len({(one.organisation, one.inquired_on) for one in found if one.reason in HARD})
