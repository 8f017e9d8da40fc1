"""Whether the money is the persona's: month by month, what the facts add up to against the persona's own books.

The books come from the rules by which a persona expands, not from any platform: fen taken for yuan, two fields changed over, a rate of 100 or a month
read twice or lost all show here. A month is compared where the platform says that it is complete, and where there is a fact of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sandbox import (
    expand_bureau,
    expand_financials,
    expand_fund,
    expand_invoices,
    expand_ledger,
    expand_orders,
    expand_records,
    expand_shop,
    expand_social,
)
from connectors.sandbox import expand_tax as tax
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from hub.cli.certify.papers import report
from hub.cli.certify.reading import Reading
from hub.cli.certify.session import Session
from hub.domain import facts as kinds
from hub.domain.enums import SourceKind
from hub.domain.facts import FieldType, spec_of
from hub.domain.periods import china_day, first_day, last_day, month_of

Entry = tuple[object, Mapping[str, Decimal | None]]
"""A day, a month or, for a state, None; and amounts by the name of the fact's field."""


def _shop_sums(persona: Persona) -> Iterable[Entry]:
    return ((one.month, {"gmv": one.gmv, "refunds": one.refunds}) for one in expand_shop.shop_sums(persona).values())


def _orders(persona: Persona) -> Iterable[Entry]:
    reach = expand_shop.orders_reach(persona)
    return ((one.created, {"paid_amount": one.amount}) for one in expand_shop.shop_orders(persona) if reach.covers(china_day(one.created)))


def _refunds(persona: Persona) -> Iterable[Entry]:
    reach = expand_shop.orders_reach(persona)
    return ((one.requested, {"amount": one.amount}) for one in expand_shop.shop_refunds(persona) if reach.covers(china_day(one.modified)))


def _settlements(persona: Persona) -> Iterable[Entry]:
    names = ("gross", "refund", "commission", "net")
    return ((one.settled_on, {name: getattr(one, name) for name in names}) for one in expand_shop.statements(persona))


def _movements(persona: Persona) -> Iterable[Entry]:
    reach, accounts = Reach(persona, SourceKind.PAYMENT), expand_ledger.ledger_accounts(persona)
    moves = (move for account in accounts for move in account.movements if reach.covers(china_day(move.at)))
    return ((move.at, {"amount": move.amount, "balance_after": move.balance}) for move in moves)


def _returns(persona: Persona) -> Iterable[Entry]:
    for one in tax.vat_returns(persona):
        yield one.last, {"declared_revenue": one.declared, "exempt_revenue": one.exempt, "tax_payable": one.tax_payable}
    for wages in tax.withholding_returns(persona):
        yield wages.last, {"wage_total": wages.wages}


def _contributions(persona: Persona) -> Iterable[Entry]:
    names = ("base", "employer_amount", "employee_amount")
    return ((one.period, {name: getattr(one, name) for name in names}) for one in expand_social.contributions(persona))


def _employer_months(persona: Persona) -> Iterable[Entry]:
    names = ("base_sum", "due", "paid", "arrears")
    return ((one.month, {name: getattr(one, name) for name in names}) for one in expand_social.employer_months(persona))


def _fund_entries(persona: Persona) -> Iterable[Entry]:
    for account in expand_fund.accounts(persona):
        for one in account.entries:
            parts = {"employer_amount": one.employer_amount, "employee_amount": one.employee_amount}
            yield one.booked_on, {**parts, "total": one.total, "balance_after": one.balance}


def _fund_accounts(persona: Persona) -> Iterable[Entry]:
    return ((None, {"base": one.stint.base, "balance": one.balance}) for one in expand_fund.accounts(persona))


def _credit_accounts(persona: Persona) -> Iterable[Entry]:
    for one in (reported.account for reported in expand_bureau.credit_file(persona).accounts):
        yield one.opened_on, {"credit_limit": one.limit, "balance": one.balance, "monthly_due": one.monthly_due}


def _registration(persona: Persona) -> Iterable[Entry]:
    found = expand_records.registration(persona)
    return ((None, {"registered_capital": found.business.registered_capital}),) if found else ()


def _statements(persona: Persona) -> Iterable[Entry]:
    return ((one.last, {"lines": sum(one.lines.values(), Decimal(0))}) for one in expand_financials.statements(persona))


def _purchase_orders(persona: Persona) -> Iterable[Entry]:
    names = ("amount", "confirmed", "invoiced", "received")
    return ((one.signed_on, {name: getattr(one, name) for name in names}) for one in expand_orders.orders(persona))


BOOKS: Mapping[type, Callable[[Persona], Iterable[Entry]]] = {
    kinds.ShopMonthlySummary: _shop_sums,
    kinds.Order: _orders,
    kinds.Refund: _refunds,
    kinds.Settlement: _settlements,
    kinds.PaymentTransaction: _movements,
    kinds.TaxReturn: _returns,
    kinds.TaxPayment: lambda persona: ((one.paid_on, {"amount": one.amount}) for one in tax.payments(persona)),
    kinds.TaxArrear: lambda persona: ((one.since, {"amount": one.amount}) for one in tax.arrears(persona)),
    kinds.PersonalIncome: lambda persona: ((one.month, {"amount": one.amount}) for one in tax.incomes(persona)),
    kinds.Invoice: lambda persona: (
        (one.issued_on, {"net": one.net, "tax": one.tax, "gross": one.gross}) for one in expand_invoices.invoices(persona)
    ),
    kinds.FinancialStatement: _statements,
    kinds.SocialInsuranceContribution: _contributions,
    kinds.EmployerSocialInsuranceMonth: _employer_months,
    kinds.HousingFundEntry: _fund_entries,
    kinds.HousingFundAccount: _fund_accounts,
    kinds.CreditAccount: _credit_accounts,
    kinds.BusinessRegistration: _registration,
    kinds.PurchaseOrder: _purchase_orders,
    kinds.PublicRecord: lambda persona: ((one.filed_on, {"amount": one.amount}) for one in expand_records.cases(persona)),
}

Sums = dict[tuple[str, str, str], Decimal]


async def money_is_the_personas(session: Session) -> str | None:
    """Every amount, summed by kind, field and month, equals the persona's books."""
    reading = await session.reading()
    found = _of_facts([fact for _, fact in reading.facts])
    months = {(kind, month) for kind, _, month in found} | _complete_months(reading)
    known = {
        key: amount for key, amount in _of_books(session.trial.persona, {kind for kind, _ in months}).items() if (key[0], key[2]) in months
    }
    fields = {(kind, field) for kind, field, _ in known}
    compared = {key: amount for key, amount in found.items() if key[:2] in fields}
    if not compared:
        return None
    wrong = [
        f"{kind}.{field} of {month or 'today'} is {compared.get((kind, field, month), Decimal(0))}, the persona's books say {amount}"
        for (kind, field, month), amount in sorted(known.items())
        if compared.get((kind, field, month), Decimal(0)) != amount
    ]
    wrong += [
        f"{kind}.{field} of {month} is {amount}, the books know nothing"
        for (kind, field, month), amount in compared.items()
        if amount and (kind, field, month) not in known
    ]
    return report(
        wrong, f"{len(compared)} sums of {len({kind for kind, _, _ in compared})} kinds of facts, equal to the persona's books to the fen."
    )


def _complete_months(reading: Reading) -> set[tuple[str, str]]:
    """Kind and month of all that the platform says is complete."""
    done = (one for one in reading.windows if one.end != "NOT_SERVED" and one.stream.window_days != 0)
    days = {
        (kind.__name__, date.fromordinal(ordinal))
        for one in done
        for kind in one.stream.facts
        for span in (one.covered if one.covered is not None else (one.window,))
        for ordinal in range(span.first.toordinal(), span.last.toordinal() + 1)
    }
    begun = {(kind, month_of(day)) for kind, day in days}
    return {(kind, month) for kind, month in begun if {(kind, first_day(month)), (kind, last_day(month))} <= days}


def _of_facts(found: Iterable[Any]) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for fact in found:
        spec = spec_of(type(fact))
        month = _month(spec.occurred_on(fact))
        for field in spec.fields:
            value = getattr(fact, field.name)
            if field.kind is FieldType.LINES:
                value = sum(value.values(), Decimal(0))
            if value is not None and field.kind in (FieldType.MONEY, FieldType.LINES):
                sums[spec.name, field.name, month] += value
    return sums


def _of_books(persona: Persona, wanted: set[str]) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for kind, entries in ((kind, entries) for kind, entries in BOOKS.items() if kind.__name__ in wanted):
        for day, amounts in entries(persona):
            for field, amount in amounts.items():
                if amount is not None:
                    sums[kind.__name__, field, _month(day)] += amount
    return sums


def _month(day: Any) -> str:
    """The month of a day, an instant or a month; empty for a state."""
    if day is None or isinstance(day, str):
        return day or ""
    return month_of(china_day(day) if hasattr(day, "hour") else day)
