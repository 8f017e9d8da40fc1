"""What the models say, and the hints, as rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from hub.credit.dossier import EvidenceSet
from hub.credit.models.declare import Output, Result
from hub.credit.models.run import Complete
from hub.credit.scenario.after import Hint

Row = dict[str, Any]
MODELS = "models"
"""Stands for a feature's id among the evidence."""


def model_evidence(found: Complete) -> tuple[EvidenceSet, ...]:
    """What the models read beside the features of an evaluation: behind a closed gate, and where a loan is watched, whatever was there. So what they say is shown only
    while consents cover all of it (ADR 14)."""
    looked = found.fired is not None or found.made.findings is None
    return tuple(one for one in found.made.dossier.evidence if one.facts) if looked else ()


def model_rows(results: Iterable[Result]) -> list[Row]:
    """Rows of ``model_result``."""
    return [
        {
            "slot": one.slot,
            "kind": one.kind,
            "model_id": one.model_id,
            "version": one.version,
            "wanted": one.wanted,
            "fault": one.fault,
            "outputs": [_output(place, found) for place, found in enumerate(one.outputs)],
            "reasons": list(one.reasons),
            "warnings": list(one.warnings),
            "request_sha256": one.request_sha256,
            "answer": None if one.answer is None else _answer(one.answer),
        }
        for one in results
    ]


def _output(place: int, one: Output) -> Row:
    """A number as text, exactly; rounded where it is shown."""
    numeric = isinstance(one.value, int | Decimal) and not isinstance(one.value, bool)
    word = str(one.value).lower() if isinstance(one.value, bool) else one.value
    return {
        "place": place,
        "name": one.name,
        "unit": one.unit,
        "number": f"{Decimal(one.value):f}" if numeric and one.value is not None else None,
        "text": None if numeric else word,
        "missing": one.missing,
    }


def _answer(answer: Mapping[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(answer, default=str))


def hint_rows(hints: Iterable[Hint]) -> list[Row]:
    """Rows of ``evaluation_hint``."""
    return [
        {
            "ordinal": ordinal,
            "kind": one.kind,
            "code": one.code,
            "share": one.share,
            "why_en": one.why_en,
            "why_zh": one.why_zh,
            "feature_ids": list(one.features),
            "loan": one.loan,
        }
        for ordinal, one in enumerate(hints)
    ]
