"""Kept reports on lending with partners in the catalogue. They belong to nobody: whoever may read one reads all."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Member, Order, Paged, Rows, Scope, TypeView, columns, decimals, plain

# A row has no id that a cursor could hold: this one stands for its name.
_ROWS = """(select c.*, to_date(c.month, 'YYYY-MM') as month_on, md5(concat_ws(':', c.month, c.partner))::uuid as row_id from concentration_row c)"""


def _rows(t: str, scope: Scope) -> Rows:
    return Rows(f"{_ROWS} {t}", ())


def concentration_fields() -> dict[str, Member]:
    """The field of Query."""
    filters = {"month": Argued("text", "{t}.month = {p}")}
    return {"partnerConcentration": Paged("PartnerConcentration", _rows, Order("row_id", "month_on"), filters, owned=False)}


CONCENTRATION_TYPES = [
    TypeView(
        "PartnerConcentration",
        {
            **plain("month", "loans", "tooMuch", "below", "madeAt"),
            **columns(partner="nullif({t}.partner, '')"),
            **decimals("balance", "ours", "ofCapital", "ofAllLoans"),
        },
    )
]
