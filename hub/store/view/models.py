"""What the models say, in the catalogue."""

from __future__ import annotations

from hub.store.view.catalogue import SHOWN_NUMBER, Many, Rows, Scope, TypeView, columns, plain

MODEL_ORDER = "{t}.slot"
_VALUES = "place int, name text, unit text, number numeric, text text, missing text"


def _values(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_to_recordset({scope['ModelResult']}.outputs) {t}({_VALUES})", ())


MODEL_TYPES = [
    TypeView(
        "ModelResult",
        {
            **plain("slot", "kind", "modelId", "version", "wanted", "fault", "warnings"),
            **columns(requestSha256="{t}.request_sha256", fallback="{t}.fault is not null", reasonCodes="{t}.reasons"),
            "values": Many("ModelValue", _values, "{t}.place", default=30),
        },
    ),
    TypeView("ModelValue", {**plain("name", "unit", "text"), **columns(number=SHOWN_NUMBER, missingReason="{t}.missing")}),
]
