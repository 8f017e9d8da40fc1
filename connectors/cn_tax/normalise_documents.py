"""Financial statements (CWBB) and invoices (FPXX) as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from connectors.cn_tax.codes import LINES
from connectors.cn_tax.fields import Fields, of, rows_of, same
from hub.connect import Context, Record
from hub.domain.facts import FinancialStatement, Invoice
from hub.domain.money import CENT

_TOLERANCE = Decimal(1)


def statement(context: Context, record: Record) -> Iterator[FinancialStatement]:
    """One statement as filed with the tax office. A balance sheet counts at its end (QMYE), the others for their period (BQJE), never year to date."""
    rows = rows_of(context, record)
    same(rows, "BBZL_DM", "SSQQ", "SSQZ")
    head = rows[0]
    kind = head.coded("BBZL_DM")
    lines = _lines(rows, LINES[kind], "QMYE" if kind == "BS" else "BQJE")
    if kind == "BS" and not _balances(lines):
        raise head.fail("EWBHXH", "lists assets that are not liabilities plus equity")
    yield FinancialStatement(kind=kind, period_start=head.day("SSQQ"), period_end=head.day("SSQZ"), basis="TAX_FILED", lines=lines)


def invoice(context: Context, record: Record) -> Iterator[Invoice]:
    """One invoice, seen from the taxpayer."""
    row = of(context, record)
    net, tax, gross, status = row.amount("HJJE"), row.amount("HJSE"), row.amount("JSHJ"), row.coded("FPZT_DM")
    if abs(net + tax - gross) > CENT:
        raise row.fail("JSHJ", "is not HJJE + HJSE")
    if (status == "RED") != (net < 0):
        raise row.fail("HJJE", "has a sign that does not fit FPZT_DM")
    row.coded("FPLX_DM")
    yield Invoice(
        code=row.optional("FPDM") or "",
        number=row.text("FPHM"),
        direction=_direction(row),
        kind_code=row.text("FPLX_DM"),
        issued_on=row.moment_day("KPRQ"),
        seller=row.optional("XFSBH") or "",
        buyer=row.optional("GFSBH") or "",
        net=net,
        tax=tax,
        gross=gross,
        status=status,
        original_number=row.optional("YFPHM") if status == "RED" else None,
        red_reason=row.optional_coded("HZYY_DM") if status == "RED" else None,
    )


def _lines(rows: list[Fields], known: Mapping[str, tuple[str, str]], column: str) -> dict[str, Decimal]:
    """The lines the domain uses. The name must be the form's: another form numbers its lines otherwise, and must not be misread."""
    names = {form_name for _, form_name in known.values()}
    found: dict[str, Decimal] = {}
    for row in rows:
        ours, form_name = known.get(str(row.integer("EWBHXH")), ("", ""))
        said = row.optional("XMMC")
        if (ours and said not in (None, form_name)) or (not ours and said in names):
            raise row.fail("XMMC", "is not the name of this line in the form this profile knows")
        amount = row.optional_amount(column) if ours else None
        if amount is not None:
            found[ours] = amount
    return found


def _balances(lines: Mapping[str, Decimal]) -> bool:
    if not {"total_assets", "total_liabilities", "equity"} <= lines.keys():
        return True
    return abs(lines["total_assets"] - lines["total_liabilities"] - lines["equity"]) <= _TOLERANCE


def _direction(row: Fields) -> str:
    own = row.text("NSRSBH")
    selling, buying = row.optional("XFSBH") == own, row.optional("GFSBH") == own
    if selling == buying:
        raise row.fail("XFSBH", "and GFSBH do not tell the direction")
    return "OUTPUT" if selling else "INPUT"
