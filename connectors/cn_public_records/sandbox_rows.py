"""What the simulated gateway knows of a persona, as rows in its own words. None: there is no such entry at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.cn_public_records.vocabulary import MAPS
from connectors.sandbox import expand_records
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Place

Row = Mapping[str, Any]

CODES = {table: {meaning: code for code, meaning in meanings.items()} for table, meanings in MAPS.items()}


def business(persona: Persona) -> list[Row] | None:
    found = expand_records.registration(persona)
    if found is None:
        return None
    entry = found.business
    return [
        {
            "tyshxydm": entry.uscc,
            "ztmc": entry.name,
            "ztzt": _code("ztzt", entry.status),
            "hydm": entry.industry,
            "clrq": _day(entry.established_on),
            "zczb": _yuan(entry.registered_capital),
            "fzrzjhm": found.certificate,
            "fzrbgrq": _day(entry.responsible_since),
            **_place("dj", entry.registered_at),
            **_place("jy", entry.operates_at),
        }
    ]


def qualifications(persona: Persona) -> list[Row] | None:
    found = expand_records.registration(persona)
    if found is None:
        return None
    return [{"zzlx": _qualified(kind), "zsbh": None, "yxqq": None, "yxqz": None} for kind in found.business.qualifications]


def _qualified(kind: str) -> str:
    """The list of start-up categories is each place's own: one that stands in no table goes out as another one of the place."""
    known = kind in CODES["zzlx"] or not kind.startswith("STARTUP")
    return _code("zzlx", kind if known else "STARTUP_OTHER")


def cases(persona: Persona) -> list[Row]:
    return [
        {
            "ah": case.number,
            "ajlx": _code("ajlx", case.kind),
            "dsrdw": _code("dsrdw", case.role),
            "ajzt": _code("ajzt", case.status),
            "larq": _day(case.filed_on),
            "jarq": _day(case.closed_on),
            "saje": _yuan(case.amount),
        }
        for case in expand_records.cases(persona)
    ]


def checks(persona: Persona) -> list[Row]:
    return [
        {
            "zjhm": check.person.resident_id,
            "hyfs": _code("hyfs", check.method),
            "hyjg": _code("hyjg", check.result),
            "hyrq": _day(check.on),
        }
        for check in expand_records.checks(persona)
    ]


def household(persona: Persona) -> list[Row]:
    person = persona.responsible
    return [
        {
            "zjhm": person.resident_id,
            "xm": person.name,
            "hjcs": person.hukou_city,
            "hjqsrq": _day(person.hukou_since),
            "jzcs": person.residence_city,
            "jzwd": _degrees(person.home.lat) if person.home else None,
            "jzjd": _degrees(person.home.lon) if person.home else None,
        }
    ]


def education(persona: Persona) -> list[Row]:
    person = persona.responsible
    if person.education is None:
        return []
    return [
        {
            "zjhm": person.resident_id,
            "xldm": _code("xldm", person.education.level),
            "hybz": "Y" if person.education.verified else "N",
            "byrq": _day(person.education.graduated_on),
        }
    ]


def places(persona: Persona) -> list[Row]:
    found = expand_records.place(persona)
    return [{**_place("jy", found[0]), "hyrq": _day(found[1])}] if found else []


def _code(table: str, meaning: str) -> str:
    """A meaning without a code goes out as it is: the reader must notice."""
    return CODES[table].get(meaning, meaning)


def _place(prefix: str, place: Place | None) -> dict[str, str | None]:
    if place is None:
        return {f"{prefix}cs": None, f"{prefix}wd": None, f"{prefix}jd": None}
    return {f"{prefix}cs": place.city, f"{prefix}wd": _degrees(place.lat), f"{prefix}jd": _degrees(place.lon)}


def _degrees(value: float) -> str:
    return format(Decimal(repr(value)), "f")


def _yuan(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
