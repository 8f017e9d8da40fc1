"""The facts of a persona, source by source, for :mod:`tests.hub.credit.dossiers`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from connectors.sandbox import (
    expand_bureau,
    expand_financials,
    expand_fund,
    expand_invoices,
    expand_ledger,
    expand_records,
    expand_social,
    expand_tax,
)
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from hub.domain import facts as kinds
from hub.domain.enums import Direction, SourceKind
from hub.domain.money import ZERO
from hub.domain.periods import CHINA
from tests.hub.credit.orders_and_plots_of import farm, hashed, procurement
from tests.hub.credit.shop_of import settlements


def facts_of(persona: Persona) -> Iterator[Any]:
    """Every fact but single orders, refunds and summaries, whatever its consent."""
    for kind, make in MAKERS.items():
        if kind in persona.sources:
            yield from make(persona)


def registration(persona: Persona) -> Iterator[Any]:
    entry = expand_records.registration(persona)
    if entry is None:
        return
    business = entry.business
    place, other = business.registered_at, business.operates_at
    yield kinds.BusinessRegistration(
        uscc=business.uscc,
        name=business.name,
        status=business.status,
        industry_code=business.industry,
        established_on=business.established_on,
        registered_capital=business.registered_capital,
        responsible=hashed(entry.certificate),
        responsible_since=business.responsible_since,
        city=place.city,
        latitude=place.lat,
        longitude=place.lon,
        operating_city=other.city if other else None,
        operating_latitude=other.lat if other else None,
        operating_longitude=other.lon if other else None,
    )
    for name in business.qualifications:
        yield kinds.Qualification(kind=name, number=name, valid_from=None, valid_to=None)


def tax(persona: Persona) -> Iterator[Any]:
    section = persona.tax
    if section is None:
        return
    yield kinds.TaxpayerProfile(
        taxpayer_number=persona.business.uscc if persona.business else "",
        uscc=persona.business.uscc if persona.business else None,
        holder=hashed(persona.holder(section.holder)[0]),
        taxpayer_type=section.taxpayer_type,
        vat_frequency=section.frequency,
        status="NORMAL",
    )
    for one in expand_tax.vat_returns(persona):
        yield _return("VAT", one, amendment=one.amendment, declared=one.declared, exempt=one.exempt, payable=one.tax_payable)
    for wages in expand_tax.withholding_returns(persona):
        yield _return("IIT_WITHHOLDING", wages, headcount=wages.headcount, wages=wages.wages)
    for paid in expand_tax.payments(persona):
        yield kinds.TaxPayment(
            voucher_number=paid.voucher,
            tax_kind=paid.kind,
            late_fee=False,
            period_start=paid.first,
            period_end=paid.last,
            paid_on=paid.paid_on,
            amount=paid.amount,
        )
    for rating in expand_tax.ratings(persona):
        yield kinds.TaxCreditRating(rating_year=rating.year, grade=rating.grade, points=None, published_on=rating.published_on)
    for income in expand_tax.incomes(persona):
        yield kinds.PersonalIncome(person=hashed(income.person), month=income.month, payer=income.payer, amount=income.amount)
    for arrear in expand_tax.arrears(persona):
        yield kinds.TaxArrear(
            arrear_number=arrear.number,
            tax_kind="VAT",
            since=arrear.since,
            amount=arrear.amount,
            late_fee=ZERO,
            cleared_on=arrear.cleared_on,
        )


def _return(
    kind: str,
    row: expand_tax.VatReturn | expand_tax.WithholdingReturn,
    *,
    amendment: int = 0,
    declared: Decimal | None = None,
    exempt: Decimal | None = None,
    payable: Decimal | None = None,
    headcount: int | None = None,
    wages: Decimal | None = None,
) -> kinds.TaxReturn:
    return kinds.TaxReturn(
        tax_kind=kind,
        period_start=row.first,
        period_end=row.last,
        amendment=amendment,
        filed_on=row.filed_on,
        due_on=row.due_on,
        declared_revenue=declared,
        exempt_revenue=exempt,
        output_tax=None,
        input_tax=None,
        tax_payable=payable,
        headcount=headcount,
        wage_total=wages,
    )


def financials(persona: Persona) -> Iterator[Any]:
    for one in expand_financials.statements(persona):
        yield kinds.FinancialStatement(kind=one.kind, period_start=one.first, period_end=one.last, basis="TAX_FILED", lines=dict(one.lines))


def invoices(persona: Persona) -> Iterator[Any]:
    if persona.invoices is None or persona.business is None:
        return
    for row in expand_invoices.invoices(persona):
        party, own = persona.invoices.parties[row.party].uscc, persona.business.uscc
        yield kinds.Invoice(
            code="",
            number=row.number,
            direction=row.side,
            kind_code=row.kind,
            issued_on=row.issued_on,
            seller=own if row.side == "OUTPUT" else party,
            buyer=party if row.side == "OUTPUT" else own,
            net=row.net,
            tax=row.tax,
            gross=row.gross,
            status=row.status,
            original_number=row.original,
            red_reason=row.reason,
        )


def shop(persona: Persona) -> Iterator[Any]:
    section = persona.shop
    if section is None:
        return
    yield kinds.Shop(
        platform="marketplace",
        shop_number="1",
        name=section.name,
        owner=hashed(persona.holder(section.owner)[0]),
        opened_on=section.opened_on,
        category=section.category,
        scope=section.scope,
        ship_from_city=section.ship_from.city,
        ship_from_latitude=section.ship_from.lat,
        ship_from_longitude=section.ship_from.lon,
        skus_listed=section.skus.listed if section.skus else None,
        skus_sold=section.skus.sold if section.skus else None,
    )
    score = section.score
    yield kinds.ShopScore(
        platform="marketplace",
        shop_number="1",
        measured_on=persona.as_of - timedelta(days=1),
        description=score.description,
        service=score.service,
        logistics=score.logistics,
    )
    for index, row in enumerate(one for one in section.penalties if Reach(persona, SourceKind.SHOP).exists(one.decided_on)):
        yield kinds.ShopPenalty(
            platform="marketplace",
            penalty_number=f"P{index}",
            kind=row.kind,
            severity=row.severity,
            decided_on=row.decided_on,
            points=row.points,
        )


def payments(persona: Persona) -> Iterator[Any]:
    reach = Reach(persona, SourceKind.PAYMENT)
    for ledger in expand_ledger.ledger_accounts(persona):
        account = ledger.account
        yield kinds.PaymentAccount(
            account_number=hashed(account.id),
            type=account.type,
            institution=account.institution,
            holder=hashed(ledger.holder_id),
            role=account.role,
            scope=ledger.scope,
            opened_on=account.opened_on,
            opening_balance=ledger.opening_balance,
        )
        for movement in ledger.movements:
            if reach.covers(movement.at.astimezone(CHINA).date()):
                yield kinds.PaymentTransaction(
                    account_number=hashed(account.id),
                    transaction_number=f"{account.id}{movement.number}",
                    at=movement.at,
                    direction=Direction(movement.direction),
                    amount=movement.amount,
                    balance_after=movement.balance,
                    category=movement.category,
                    counterparty=None,
                    counterparty_key=None,
                )


def social(persona: Persona) -> Iterator[Any]:
    own = persona.business.uscc if persona.business else ""
    for row in expand_social.employer_months(persona):
        yield kinds.EmployerSocialInsuranceMonth(
            employer=own,
            month=row.month,
            insurance=row.insurance,
            headcount=row.headcount,
            base_sum=row.base_sum,
            due=row.due,
            due_on=row.due_on,
            paid=row.paid,
            paid_on=row.paid_on,
            arrears=row.arrears,
        )
    city = persona.social_insurance.city if persona.social_insurance else None
    for one in expand_social.contributions(persona):
        yield kinds.SocialInsuranceContribution(
            person=hashed(persona.person(one.person).resident_id),
            employer=one.employer.uscc if one.employer else "",
            insurance=one.insurance,
            period=one.period,
            kind="NORMAL",
            city=city,
            base=one.base,
            declared_wage=None,
            employer_amount=one.employer_amount,
            employee_amount=one.employee_amount,
            paid_on=one.paid_on,
        )
    for entry in expand_social.enrolments(persona):
        yield kinds.SocialInsuranceEnrolment(
            person=hashed(persona.person(entry.person).resident_id),
            employer=entry.employer.uscc if entry.employer else "",
            insurance=entry.insurance,
            status="ACTIVE" if entry.active else "TERMINATED",
            enrolled_on=None,
            first_month=entry.first,
        )


def fund(persona: Persona) -> Iterator[Any]:
    for account in expand_fund.accounts(persona):
        stint, number = account.stint, hashed(f"account {account.index}")
        yield kinds.HousingFundAccount(
            account_number=number,
            person=hashed(persona.person(stint.person).resident_id),
            employer=stint.employer.uscc,
            city=persona.housing_fund.city if persona.housing_fund else None,
            base=stint.base,
            employer_rate=stint.employer_rate,
            employee_rate=stint.employee_rate,
            employer_monthly=account.monthly[0],
            employee_monthly=account.monthly[1],
            balance=account.balance,
            status=stint.status,
            opened_on=account.opened_on,
            paid_through=account.paid_through,
        )
        for index, entry in enumerate(account.entries):
            yield kinds.HousingFundEntry(
                account_number=number,
                serial=str(index),
                period=entry.period,
                kind="DEPOSIT",
                employer_amount=entry.employer_amount,
                employee_amount=entry.employee_amount,
                total=entry.total,
                balance_after=entry.balance,
                booked_on=entry.booked_on,
                employer=stint.employer.uscc,
                employer_rate=None,
                employee_rate=None,
            )


def bureau(persona: Persona) -> Iterator[Any]:
    report = expand_bureau.credit_file(persona)
    for reported in report.accounts:
        account = reported.account
        yield kinds.CreditAccount(
            account_number=account.id,
            borrower=hashed(reported.borrower_id),
            lender=account.lender,
            kind=account.kind,
            repayment=account.repayment,
            secured=account.secured,
            open=account.open,
            bank_tax_loan=account.bank_tax_loan,
            opened_on=account.opened_on,
            matures_on=account.matures_on,
            credit_limit=account.limit,
            balance=account.balance,
            monthly_due=account.monthly_due,
        )
    for row in report.months:
        yield kinds.RepaymentMonth(account_number=row.account, month=row.month, status=row.status)
    for one in set(report.inquiries):
        yield kinds.CreditInquiry(inquired_on=one.on, reason=one.reason, organisation=one.org)


def identity(persona: Persona) -> Iterator[Any]:
    for check in expand_records.checks(persona):
        yield kinds.IdentityVerification(
            person=hashed(check.person.resident_id), method=check.method, result=check.result, checked_on=check.on
        )
    if found := expand_records.place(persona):
        place, day = found
        yield kinds.VerifiedPlace(city=place.city, latitude=place.lat, longitude=place.lon, verified_on=day)
    for person in persona.people.values():
        number = hashed(person.resident_id)
        yield kinds.HouseholdRegistration(
            person=number,
            name=hashed(person.name),
            hukou_city=person.hukou_city,
            hukou_since=person.hukou_since,
            residence_city=person.residence_city,
            home_latitude=person.home.lat if person.home else None,
            home_longitude=person.home.lon if person.home else None,
        )
        if person.education:
            degree = person.education
            yield kinds.EducationRecord(person=number, level=degree.level, verified=degree.verified, graduated_on=degree.graduated_on)


def device(persona: Persona) -> Iterator[Any]:
    section, reach = persona.device, Reach(persona, SourceKind.DEVICE)
    cities = [row.city for row in section.sessions for _ in range(row.count)] if section else []
    for index, city in enumerate(cities):
        day = persona.as_of - timedelta(days=1 + index * 90 // len(cities))
        if section and reach.covers(day):
            yield kinds.BehaviourSession(
                session_number=f"s{index}",
                at=datetime.combine(day, time(20), CHINA),
                device=hashed(f"d{index % section.devices}"),
                city=city,
                form_seconds=240,
                paste_ratio=Decimal("0.1"),
            )


def records(persona: Persona) -> Iterator[Any]:
    for row in expand_records.cases(persona):
        yield kinds.PublicRecord(
            case_number=row.number,
            kind=row.kind,
            role=row.role,
            status=row.status,
            filed_on=row.filed_on,
            closed_on=row.closed_on,
            amount=row.amount,
        )


MAKERS = {
    SourceKind.REGISTRATION: registration,
    SourceKind.TAX: tax,
    SourceKind.FINANCIALS: financials,
    SourceKind.INVOICE: invoices,
    SourceKind.SHOP: shop,
    SourceKind.SETTLEMENT: settlements,
    SourceKind.PAYMENT: payments,
    SourceKind.SOCIAL_INSURANCE: social,
    SourceKind.HOUSING_FUND: fund,
    SourceKind.BUREAU: bureau,
    SourceKind.IDENTITY: identity,
    SourceKind.DEVICE: device,
    SourceKind.PUBLIC_RECORD: records,
    SourceKind.PROCUREMENT: procurement,
    SourceKind.FARM: farm,
}
