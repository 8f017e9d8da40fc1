"""Rows of the gateway as facts. One function per service; each raises Unreadable.

Identity numbers come masked. The consent is the person's own, so a row whose masked number fits the subject's (or that carries none) is the
subject's, with the full number the hub knows; a row of somebody else keeps that person's personal number at the centre.
"""

from __future__ import annotations

from connectors.cn_social.vocabulary import Row, same
from hub.connect import Context, Record, Unreadable
from hub.domain.facts import (
    EmployerSocialInsuranceMonth,
    HousingFundAccount,
    HousingFundEntry,
    SocialInsuranceContribution,
    SocialInsuranceEnrolment,
)
from hub.domain.identifiers import PersonalId, mask
from hub.domain.money import ZERO
from hub.domain.periods import months_between

BACK_PAYMENT_MONTHS = 3
"""Booked later than so many months after the period is a back payment, whatever the centre calls it (wire formats 4.4.6)."""

_EMPLOYER_ONLY = frozenset({"WORK_INJURY", "MATERNITY"})


def enrolment(context: Context, record: Record) -> SocialInsuranceEnrolment:
    row = Row(context, record)
    return SocialInsuranceEnrolment(
        person=_person(context, row, "aac002", "aac001"),
        employer=_employer(row),
        insurance=row.code("aae140"),
        status=row.code("aac008"),
        enrolled_on=row.optional_day("aac030"),
        first_month=row.optional_month("aac049"),
    )


def contribution(context: Context, record: Record) -> SocialInsuranceContribution:
    row = Row(context, record)
    insurance = row.code("aae140")
    employer_amount, employee_amount = row.amount("employer_amount"), row.amount("employee_amount")
    if insurance in _EMPLOYER_ONLY and employee_amount != ZERO:
        raise Unreadable("grjfje", "is not zero for an insurance without an employee part")
    if row.optional("aab001") is None and employer_amount != ZERO:
        raise Unreadable("dwjfje", "is not zero for a flexible enrolment")
    return SocialInsuranceContribution(
        person=_person(context, row, "aac002", "aac001"),
        employer=_employer(row),
        insurance=insurance,
        period=row.month("period"),
        kind=_kind(row),
        city=row.optional("csmc"),
        base=row.amount("aae180"),
        declared_wage=row.optional_amount("aac040"),
        employer_amount=employer_amount,
        employee_amount=employee_amount,
        paid_on=row.optional_day("dzrq"),
    )


def employer_month(context: Context, record: Record) -> EmployerSocialInsuranceMonth:
    row = Row(context, record)
    return EmployerSocialInsuranceMonth(
        employer=row.text("aab998"),
        month=row.month("period"),
        insurance=row.code("aae140"),
        headcount=row.count("cbrs"),
        base_sum=row.amount("jfjs"),
        due=row.amount("yjje"),
        due_on=row.optional_day("jkqx"),
        paid=row.amount("sjje"),
        paid_on=row.optional_day("dzrq"),
        arrears=row.amount("aae120"),
    )


def fund_account(context: Context, record: Record) -> HousingFundAccount:
    row = Row(context, record)
    return HousingFundAccount(
        account_number=PersonalId(row.text("grzh")),
        person=_person(context, row, "zjhm", "zjhm"),
        employer=row.optional("tyshxydm"),
        city=row.optional("csmc"),
        base=row.amount("grjcjs"),
        employer_rate=row.rate("dwjcbl"),
        employee_rate=row.rate("grjcbl"),
        employer_monthly=row.amount("dwyjce"),
        employee_monthly=row.amount("gryjce"),
        balance=row.amount("grzhye"),
        status=row.code("grzhzt"),
        opened_on=row.optional_day("khrq"),
        paid_through=row.optional_month("jzny"),
    )


def fund_entry(context: Context, record: Record) -> HousingFundEntry:
    row = Row(context, record)
    employer, employee, total = row.amount("dwfse"), row.amount("grfse"), row.amount("fse")
    if not same(employer + employee, total):
        raise Unreadable("fse", "is not the sum of both parts")
    return HousingFundEntry(
        account_number=PersonalId(row.text("grzh")),
        serial=row.text("lsh"),
        period=row.optional_month("hjyf"),
        kind=row.code("ywlx_dm"),
        employer_amount=employer,
        employee_amount=employee,
        total=total,
        balance_after=row.amount("zhye"),
        booked_on=row.day("jzrq"),
        employer=row.optional("tyshxydm"),
        employer_rate=row.optional_rate("dwjcbl"),
        employee_rate=row.optional_rate("grjcbl"),
    )


def _kind(row: Row) -> str:
    kind = row.code("aae143")
    late = months_between(row.month("period"), row.month("booked_month")) > BACK_PAYMENT_MONTHS
    return "BACK_PAYMENT" if kind == "NORMAL" and late else kind


def _person(context: Context, row: Row, masked: str, number: str) -> PersonalId:
    own, shown = context.subject.resident_id, row.optional(masked)
    return PersonalId(own if own and shown in (None, mask(own)) else row.text(number))


def _employer(row: Row) -> str:
    """The employer's USCC, its number where the centre has no USCC, empty for flexible enrolment."""
    return row.optional("aab998") or row.optional("aab001") or ""
