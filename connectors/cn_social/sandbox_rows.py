"""What the simulated gateway knows of a persona, as rows in its own words. Rows are made once per persona; a question selects among them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.cn_social.vocabulary import MAPS
from connectors.sandbox import expand_fund, expand_social
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Employer
from hub.domain.identifiers import mask
from hub.domain.periods import Month, last_day, month_of, months_between

Row = Mapping[str, Any]

INSURANCE = {meaning: code for code, meaning in MAPS["aae140"].items()}
FUND_STATUS = {"NORMAL": "01", "SEALED": "02"}
LATE_MONTHS = 3


def enrolments(persona: Persona) -> list[Row]:
    rows = [
        {
            **_person(persona, row.person),
            "aac003": mask(persona.person(row.person).name),
            **_employer(row.employer),
            "aab301": persona.person(row.person).resident_id[:6],
            "aae140": INSURANCE[row.insurance],
            "aac008": "1" if row.active else "4",
            "aac031": "1" if row.active else "3",
            "aac030": f"{row.first}-01",
            "aac049": _month(row.first),
            "aae030": f"{row.first}-01",
            "aae031": None if row.active else last_day(row.last).isoformat(),
        }
        for row in expand_social.enrolments(persona)
    ]
    return sorted(rows, key=lambda row: (row["aae140"], row["aab001"] or "", row["aac030"], row["aac001"]))


def contributions(persona: Persona) -> list[Row]:
    rows = [
        {
            "jfuuid": "JF"
            + digest(persona.id, row.person, row.employer.uscc if row.employer else "", row.insurance, row.period)[:16].upper(),
            **_person(persona, row.person),
            **_employer(row.employer),
            "aae140": INSURANCE[row.insurance],
            "aae003": _month(row.period),
            "aae002": _month(month_of(row.paid_on)),
            "aae180": yuan(row.base),
            "aac040": None,
            "dwjfje": yuan(row.employer_amount),
            "grjfje": yuan(row.employee_amount),
            "aae201": 1,
            "aae143": "02" if months_between(row.period, month_of(row.paid_on)) > LATE_MONTHS else "01",
            "aae114": "1",
            "dzrq": row.paid_on.isoformat(),
        }
        for row in expand_social.contributions(persona)
    ]
    return sorted(rows, key=lambda row: (row["aae003"], row["aae140"], row["aab001"] or "", row["aae143"], row["jfuuid"]))


def employer_months(persona: Persona) -> list[Row]:
    business = persona.business
    if business is None:
        return []
    rows = [
        {
            **_employer(Employer(name=business.name, uscc=business.uscc)),
            "aae140": INSURANCE[row.insurance],
            "aae003": _month(row.month),
            "cbrs": row.headcount,
            "jfjs": yuan(row.base_sum),
            "yjje": yuan(row.due),
            "sjje": yuan(row.paid),
            "aae120": yuan(row.arrears),
            "jkqx": row.due_on.isoformat(),
            "dzrq": _day(row.paid_on),
        }
        for row in expand_social.employer_months(persona)
    ]
    return sorted(rows, key=lambda row: (row["aae003"], row["aae140"]))


def fund_accounts(persona: Persona) -> list[Row]:
    rows = [_account(persona, account) for account in expand_fund.accounts(persona)]
    return sorted(rows, key=lambda row: str(row["grzh"]))


def _account(persona: Persona, account: expand_fund.FundAccount) -> Row:
    stint, person = account.stint, persona.person(account.stint.person)
    employer, employee = account.monthly
    return {
        "grzh": account_number(persona, account),
        "xingming": mask(person.name),
        "zjhm": mask(person.resident_id),
        "dwzh": number("dwzh", stint.employer.uscc),
        "dwmc": stint.employer.name,
        "tyshxydm": stint.employer.uscc,
        "grjcjs": yuan(stint.base),
        "dwjcbl": percent(stint.employer_rate),
        "grjcbl": percent(stint.employee_rate),
        "dwyjce": yuan(employer),
        "gryjce": yuan(employee),
        "yjce": yuan(employer + employee),
        "grzhye": yuan(account.balance),
        "grzhsnjzye": None,
        "grzhdngjye": None,
        "grzhzt": FUND_STATUS[stint.status],
        "khrq": account.opened_on.isoformat(),
        "jzny": _month(account.paid_through) if account.paid_through else None,
    }


def fund_entries(persona: Persona) -> list[Row]:
    rows = [row for account in expand_fund.accounts(persona) for row in _bookings(persona, account)]
    return sorted(rows, key=lambda row: (row["jzrq"], row["lsh"]))


def _bookings(persona: Persona, account: expand_fund.FundAccount) -> list[Row]:
    grzh, stint = account_number(persona, account), account.stint
    return [
        {
            "lsh": f"LS{account.index + 1:02d}{_month(entry.period)}",
            "grzh": grzh,
            "jzrq": entry.booked_on.isoformat(),
            "hjyf": _month(entry.period),
            "ywlx_dm": "02" if months_between(entry.period, month_of(entry.booked_on)) > LATE_MONTHS else "01",
            "dwfse": fen(entry.employer_amount),
            "grfse": fen(entry.employee_amount),
            "fse": fen(entry.total),
            "zhye": fen(entry.balance),
            "tyshxydm": stint.employer.uscc,
            "dwjcbl": percent(stint.employer_rate),
            "grjcbl": percent(stint.employee_rate),
        }
        for entry in account.entries
    ]


def no_loans(persona: Persona) -> list[Row]:
    """Personas have no housing-fund loans; the service answers that it knows the person and has none."""
    return []


ROWS: Mapping[str, Callable[[Persona], list[Row]]] = {
    "si/enrolment/query": enrolments,
    "si/contribution/query": contributions,
    "si/employer/query": employer_months,
    "hf/account/query": fund_accounts,
    "hf/entry/query": fund_entries,
    "hf/loan/query": no_loans,
}


def knows(persona: Persona, path: str) -> bool:
    """Whether the centre has a record of whom the service is about."""
    social, fund = persona.social_insurance, persona.housing_fund
    if path.startswith("hf/"):
        return fund is not None and bool(fund.accounts)
    if path == "si/employer/query":
        return persona.business is not None and social is not None and social.employer is not None
    return social is not None and bool(social.persons)


def city(persona: Persona, path: str) -> str | None:
    section = persona.housing_fund if path.startswith("hf/") else persona.social_insurance
    return section.city if section else None


def account_number(persona: Persona, account: expand_fund.FundAccount) -> str:
    return number("grzh", persona.person(account.stint.person).resident_id, str(account.index), digits=12)


def yuan(value: Decimal) -> str:
    return f"{value:.2f}"


def fen(value: Decimal) -> str:
    return str(int((value * 100).to_integral_exact()))


def percent(rate: Decimal) -> str:
    return f"{rate * 100:.2f}"


def number(*parts: str, digits: int = 10) -> str:
    """A stable invented number that says nothing about what it stands for."""
    return str(int(digest(*parts)[:15], 16) % 10**digits).zfill(digits)


def digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _person(persona: Persona, key: str) -> dict[str, str]:
    resident_id = persona.person(key).resident_id
    return {"aac001": number("aac001", resident_id), "aac002": mask(resident_id)}


def _employer(employer: Employer | None) -> dict[str, str | None]:
    if employer is None:
        return {"aab001": None, "aab004": None, "aab998": None}
    return {"aab001": number("aab001", employer.uscc), "aab004": employer.name, "aab998": employer.uscc}


def _month(month: Month) -> str:
    return month.replace("-", "")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
