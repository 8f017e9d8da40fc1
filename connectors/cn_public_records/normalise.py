"""Rows of the gateway as facts. One function per service; each raises Unreadable."""

from __future__ import annotations

from connectors.cn_public_records.vocabulary import Row
from hub.connect import Context, Record, Unreadable
from hub.domain.facts import (
    BusinessRegistration,
    EducationRecord,
    HouseholdRegistration,
    IdentityVerification,
    PublicRecord,
    Qualification,
    VerifiedPlace,
)
from hub.domain.identifiers import PersonalId, is_uscc


def business(context: Context, record: Record) -> BusinessRegistration:
    row = Row(context, record)
    uscc = row.text("tyshxydm")
    if not is_uscc(uscc):
        raise Unreadable("tyshxydm", "has a wrong check character")
    holder = row.optional("fzrzjhm")
    return BusinessRegistration(
        uscc=uscc,
        name=row.text("ztmc"),
        status=row.code("ztzt"),
        industry_code=row.text("hydm"),
        established_on=row.day("clrq"),
        registered_capital=row.optional_amount("zczb"),
        responsible=PersonalId(holder) if holder else None,
        responsible_since=row.optional_day("fzrbgrq"),
        city=row.text("djcs"),
        latitude=row.optional_degrees("djwd"),
        longitude=row.optional_degrees("djjd"),
        operating_city=row.optional("jycs"),
        operating_latitude=row.optional_degrees("jywd"),
        operating_longitude=row.optional_degrees("jyjd"),
    )


def qualification(context: Context, record: Record) -> Qualification:
    row = Row(context, record)
    kind = row.code("zzlx")
    return Qualification(
        kind=kind,
        number=row.optional("zsbh") or kind,
        valid_from=row.optional_day("yxqq"),
        valid_to=row.optional_day("yxqz"),
    )


def case(context: Context, record: Record) -> PublicRecord:
    row = Row(context, record)
    return PublicRecord(
        case_number=row.text("ah"),
        kind=row.code("ajlx"),
        role=row.code("dsrdw"),
        status=row.code("ajzt"),
        filed_on=row.day("larq"),
        closed_on=row.optional_day("jarq"),
        amount=row.optional_amount("saje"),
    )


def check(context: Context, record: Record) -> IdentityVerification:
    row = Row(context, record)
    return IdentityVerification(
        person=PersonalId(row.text("zjhm")),
        method=row.code("hyfs"),
        result=row.code("hyjg"),
        checked_on=row.day("hyrq"),
    )


def household(context: Context, record: Record) -> HouseholdRegistration:
    row = Row(context, record)
    return HouseholdRegistration(
        person=PersonalId(row.text("zjhm")),
        name=PersonalId(row.text("xm")),
        hukou_city=row.text("hjcs"),
        hukou_since=row.day("hjqsrq"),
        residence_city=row.text("jzcs"),
        home_latitude=row.optional_degrees("jzwd"),
        home_longitude=row.optional_degrees("jzjd"),
    )


def education(context: Context, record: Record) -> EducationRecord:
    row = Row(context, record)
    return EducationRecord(
        person=PersonalId(row.text("zjhm")),
        level=row.code("xldm"),
        verified=row.yes("hybz"),
        graduated_on=row.optional_day("byrq"),
    )


def place(context: Context, record: Record) -> VerifiedPlace:
    row = Row(context, record)
    return VerifiedPlace(
        city=row.text("jycs"),
        latitude=row.degrees("jywd"),
        longitude=row.degrees("jyjd"),
        verified_on=row.day("hyrq"),
    )
