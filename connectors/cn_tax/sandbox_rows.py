"""A persona's records as rows of the gateway: field names, forms, codes and keys of the vendor. Amounts are still Decimal here.

Each row carries the days it belongs to, so that a collection can cut its range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connectors.cn_tax.codes import BALANCE_LINES, ITEMS, PROFIT_LINES
from connectors.sandbox import expand_tax
from connectors.sandbox.expand_financials import Statement, statements
from connectors.sandbox.expand_invoices import InvoiceRow, invoices
from connectors.sandbox.expand_tax import VatReturn, WithholdingReturn
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind
from hub.domain.identifiers import mask
from hub.domain.money import ZERO
from hub.domain.periods import first_day, last_day, month_of

SOURCE_OF: Mapping[str, SourceKind] = {item: source for source, items in ITEMS.items() for item in items}
GENERAL, SMALL_SCALE = "BDA0610606", "BDA0610611"
_STATUS = {"ACTIVE": "03", "ABNORMAL": "05", "REVOKED": "08", "CANCELLED": "07"}
_FREQUENCY = {"MONTH": "06", "QUARTER": "08"}
_PAID = {
    "VAT": ("10101", "增值税", "101010100", "商业和服务"),
    "CIT": ("10104", "企业所得税", "101040001", "应纳税所得额"),
    "IIT_BUSINESS": ("10106", "个人所得税", "101060200", "经营所得"),
    "SURCHARGE": ("10109", "城市维护建设税", "101090101", "市区"),
    "OTHER": ("10111", "印花税", "101110101", "买卖合同"),
}
_STATEMENTS = {"BS": ("ZCFZB", BALANCE_LINES), "PL": ("LRB", PROFIT_LINES)}


@dataclass(frozen=True, slots=True)
class Dated:
    """A row and the days it belongs to; None is open."""

    first: date | None
    last: date | None
    row: dict[str, Any]

    def within(self, first: date, last: date) -> bool:
        return (self.first is None or self.first <= last) and (self.last is None or self.last >= first)


def taxpayer_number(persona: Persona) -> str:
    return persona.business.uscc if persona.business else persona.responsible.resident_id


def rows_of(persona: Persona, item: str) -> list[Dated]:
    """Every row of an item in the order of its key; none when the persona does not have the source connected."""
    if SOURCE_OF[item] not in persona.sources:
        return []
    own = {"NSRSBH": taxpayer_number(persona)}
    return [Dated(one.first, one.last, {**own, **one.row}) for one in _MAKERS[item](persona)]


def _on(day: date, row: dict[str, Any]) -> Dated:
    return Dated(day, day, row)


def _taxpayer(persona: Persona) -> Iterator[Dated]:
    tax, business = persona.tax, persona.business
    if tax is None:
        return
    holder, name = persona.holder(tax.holder)
    frequency = tax.frequency or (("QUARTER" if "Q" in tax.vat_returns[0].first else "MONTH") if tax.vat_returns else None)
    row = {
        "SHXYDM": business.uscc if business else None,
        "DJXH": f"1{taxpayer_number(persona)[2:8]}000000000001",
        "NSRMC": business.name if business else persona.responsible.name,
        "NSRZT_DM": _STATUS.get(business.status, "99") if business else "03",
        "ZZSNSRLX_DM": {"GENERAL": "1", "SMALL_SCALE": "2"}.get(tax.taxpayer_type or ""),
        "ZZSNSQX_DM": _FREQUENCY.get(frequency or ""),
        "SDSNSQX_DM": "08",
        "HY_DM": business.industry[1:] if business else None,
        "DJRQ": business.established_on.isoformat() if business else None,
        "ZCDZ": business.registered_at.city if business else None,
        "SCJYDZ": None,
        "ZGSWJ_DM": "13300000000",
        "ZGSWJGMC": "主管税务机关",
        "FDDBRXM": mask(name),
        "FDDBRSFZJHM": mask(holder),
        "FZRZJHM": holder,
    }
    yield Dated(None, None, row)


def _ratings(persona: Persona) -> Iterator[Dated]:
    for one in expand_tax.ratings(persona):
        row = {"PJND": str(one.year), "NSXYDJ": one.grade, "PJFS": None, "FBRQ": one.published_on.isoformat()}
        yield _on(one.published_on, row)


def _returns(persona: Persona) -> Iterator[Dated]:
    """By SBUUID, then column: VAT returns (ZZS) after wage withholding (GS)."""
    filed = expand_tax.vat_returns(persona)
    dated = [_on(one.last, row) for one in filed for row in _vat_rows(persona, one, _year_to_date(filed, one))]
    dated += [_on(one.last, _withholding_row(one)) for one in expand_tax.withholding_returns(persona)]
    yield from sorted(dated, key=lambda one: (one.row["SBUUID"], one.row["EWBLXH"]))


def _year_to_date(filed: list[VatReturn], until: VatReturn) -> tuple[Decimal, Decimal, Decimal]:
    """Taxable and exempt sales and tax payable from January to the end of a return's period."""
    counted = [one for one in filed if not one.superseded and one.first.year == until.first.year and one.first < until.first] + [until]
    return (
        sum((one.taxable for one in counted), ZERO),
        sum((one.exempt for one in counted), ZERO),
        sum((one.tax_payable for one in counted), ZERO),
    )


def _head(prefix: str, first: date, last: date, number: int, filed: date, due: date, *, void: bool) -> dict[str, Any]:
    return {
        "SBUUID": f"{prefix}{first:%Y%m%d}{number}",
        "YZPZXH": f"10013{first:%y%m%d}{number:04d}",
        "SKSSQQ": first.isoformat(),
        "SKSSQZ": last.isoformat(),
        "SBRQ": filed.isoformat(),
        "SBQX": due.isoformat(),
        "GZXH": number,
        "ZFBZ_1": "Y" if void else "N",
    }


def _vat_rows(persona: Persona, one: VatReturn, year: tuple[Decimal, Decimal, Decimal]) -> Iterator[dict[str, Any]]:
    """The four columns of the taxpayer's form. The personas do not say output and input tax: unknown."""
    head = _head("ZZS", one.first, one.last, one.amendment, one.filed_on, one.due_on, void=one.superseded)
    period, nothing = (one.taxable, one.exempt, one.tax_payable), (ZERO, ZERO, ZERO)
    general = bool(persona.tax and persona.tax.taxpayer_type == "GENERAL")
    columns: tuple[tuple[str, str, tuple[Decimal, Decimal, Decimal]], ...]
    if general:
        columns = (
            ("一般项目本月数", "N", period),
            ("一般项目本年累计", "Y", year),
            ("即征即退项目本月数", "N", nothing),
            ("即征即退项目本年累计", "Y", nothing),
        )
    else:
        columns = (
            ("本期货物及劳务", "N", period),
            ("本期服务、不动产和无形资产", "N", nothing),
            ("本年累计货物及劳务", "Y", year),
            ("本年累计服务、不动产和无形资产", "Y", nothing),
        )
    for index, (name, to_date, figures) in enumerate(columns, 1):
        form = {"ZSXM_DM": "10101", "ZSXMMC": "增值税", "YZPZZL_DM": GENERAL if general else SMALL_SCALE}
        yield {**head, **form, "EWBLXH": index, "LMC": name, "BNLJBZ": to_date, **(_general if general else _small)(*figures)}


def _general(taxable: Decimal, exempt: Decimal, payable: Decimal) -> dict[str, Any]:
    return {
        "ASYSLJSXSE": taxable,
        "AJYBFJSXSE": ZERO,
        "MDTBFCKXSE": ZERO,
        "MSXSE": exempt,
        "XXSE": None,
        "JXSE": None,
        "YNSE": payable,
        "YNSEJZE": ZERO,
        "YBTSE": payable,
    }


def _small(taxable: Decimal, exempt: Decimal, payable: Decimal) -> dict[str, Any]:
    return {"YZZZSBHSXSE": taxable, "XSCZBDCBHSXSE": ZERO, "MSXSE": exempt, "CKMSXSE": ZERO, "YNSEHJ": payable, "YBTSE": payable}


def _withholding_row(one: WithholdingReturn) -> dict[str, Any]:
    return {
        **_head("GS", one.first, one.last, 0, one.filed_on, one.due_on, void=False),
        "ZSXM_DM": "10106",
        "ZSXMMC": "个人所得税",
        "YZPZZL_DM": "GRSDS_ZXKJ",
        "EWBLXH": 1,
        "LMC": None,
        "BNLJBZ": "N",
        "NSRS": one.headcount,
        "SRE": one.wages,
        "YNSE": None,
        "JMSE": None,
        "YJSE": None,
        "YBTSE": None,
    }


def _payments(persona: Persona) -> Iterator[Dated]:
    for one in expand_tax.payments(persona):
        code, name, item, item_name = _PAID[one.kind]
        row = {
            "DZSPHM": one.voucher,
            "ZSXM_DM": code,
            "ZSXMMC": name,
            "ZSPM_DM": item,
            "ZSPMMC": item_name,
            "SKZL_DM": "10",
            "SKSSQQ": one.first.isoformat(),
            "SKSSQZ": one.last.isoformat(),
            "JSJE": None,
            "SL_1": None,
            "SJJE": one.amount,
            "JKQX": None,
            "JKRQ": one.paid_on.isoformat(),
            "RKRQ": None,
            "SWJGMC": None,
        }
        yield _on(one.paid_on, row)


def _arrears(persona: Persona) -> Iterator[Dated]:
    """An arrear belongs to the days from its due day to its clearing. The personas do not say which tax: VAT."""
    for one in expand_tax.arrears(persona):
        before = first_day(month_of(one.since)) - timedelta(days=1)
        row = {
            "QSUUID": one.number,
            "ZSXM_DM": "10101",
            "ZSXMMC": "增值税",
            "SKSSQQ": before.replace(day=1).isoformat(),
            "SKSSQZ": before.isoformat(),
            "QSYE": one.amount,
            "ZNJ": ZERO,
            "JKQX": one.since.isoformat(),
            "QJRQ": one.cleared_on.isoformat() if one.cleared_on else None,
        }
        yield Dated(one.since, one.cleared_on, row)


def _no_rows(persona: Persona) -> Iterator[Dated]:
    return iter(())


def _incomes(persona: Persona) -> Iterator[Dated]:
    for one in expand_tax.incomes(persona):
        first, last = first_day(one.month), last_day(one.month)
        row = {"ZJHM": one.person, "SKSSQQ": first.isoformat(), "SKSSQZ": last.isoformat(), "KJYWRSBH": one.payer, "SRE": one.amount}
        yield _on(last, row)


def _statements(persona: Persona) -> Iterator[Dated]:
    for one in statements(persona):
        code, table = _STATEMENTS[one.kind]
        head = {"BBUUID": f"BB{one.last:%Y%m%d}{one.kind}", "BBZL_DM": code, "SSQQ": one.first.isoformat(), "SSQZ": one.last.isoformat()}
        for line, (name, form_name) in sorted(table.items(), key=lambda entry: int(entry[0])):
            if name in one.lines:
                yield _on(one.last, {**head, "EWBHXH": int(line), "XMMC": form_name, **_columns(one, name)})


def _columns(one: Statement, name: str) -> dict[str, Decimal | None]:
    amount = one.lines[name]
    return {"QMYE": amount, "NCYE": None} if one.kind == "BS" else {"BQJE": amount, "BNLJ": amount}


def _invoices(persona: Persona) -> Iterator[Dated]:
    for one in invoices(persona):
        yield _on(one.issued_on, _invoice_row(persona, one))


def _invoice_row(persona: Persona, one: InvoiceRow) -> dict[str, Any]:
    assert persona.invoices is not None
    party = persona.invoices.parties[one.party]
    own = (taxpayer_number(persona), persona.business.name if persona.business else persona.responsible.name)
    seller, buyer = (own, (party.uscc, party.name)) if one.side == "OUTPUT" else ((party.uscc, party.name), own)
    return {
        "FPLX_DM": one.kind,
        "FPDM": "",
        "FPHM": one.number,
        "KPRQ": f"{one.issued_on} 10:00:00",
        "XFSBH": seller[0],
        "XFMC": seller[1],
        "GFSBH": buyer[0],
        "GFMC": buyer[1],
        "HJJE": one.net,
        "HJSE": one.tax,
        "JSHJ": one.gross,
        "FPZT_DM": {"NORMAL": "0", "VOIDED": "1", "RED": "2", "REVERSED": "3"}[one.status],
        "YFPDM": "",
        "YFPHM": one.original,
        "HZYY_DM": one.reason,
    }


_MAKERS: Mapping[str, Callable[[Persona], Iterator[Dated]]] = {
    "NSRJBXX": _taxpayer,
    "NSXYDJ": _ratings,
    "SBXX": _returns,
    "JKXX": _payments,
    "QSXX": _arrears,
    "WFWZ": _no_rows,
    "GRSDMX": _incomes,
    "CWBB": _statements,
    "FPXX": _invoices,
}
