"""Kept reports on fairness in the catalogue: cells, those of few customers untold. They belong to nobody: whoever may read one reads all."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Member, Order, Paged, Rows, Scope, TypeView, columns, decimals, plain

# A cell has no id that a cursor could hold: this one stands for its name.
_ROWS = """(select f.*, to_date(f.month, 'YYYY-MM') as month_on, md5(concat_ws(':', f.month, f.scenario, f.axis, f.segment))::uuid as row_id from fairness_cell f)"""


def _cells(t: str, scope: Scope) -> Rows:
    return Rows(f"{_ROWS} {t}", ())


def fairness_fields() -> dict[str, Member]:
    """The field of Query."""
    filters = {name: Argued("text", f"{{t}}.{name} = {{p}}") for name in ("month", "scenario", "axis")}
    return {"fairnessCells": Paged("FairnessCell", _cells, Order("row_id", "month_on"), filters, owned=False)}


FAIRNESS_TYPES = [
    TypeView(
        "FairnessCell",
        {
            **plain("month", "axis", "told", "decided", "approved", "madeAt"),
            **columns(scenario="nullif({t}.scenario, '')", segment="nullif({t}.segment, '')"),
            **decimals("approvalRate", "meanLimit", "toAll"),
        },
    )
]
