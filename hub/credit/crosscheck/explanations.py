"""What a cross-check says in words, in Chinese and English. The sentences are a dated document, only figures are put in."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from hub.credit.crosscheck.checks import Check
from hub.credit.crosscheck.observers import Observers
from hub.credit.policies import document

Language = Literal["en", "zh"]
_STOP = {"en": ": ", "zh": "："}
_COMMA = {"en": "; ", "zh": "；"}
_END = {"en": ".", "zh": "。"}


def explain(check: Check, observers: Observers, language: Language) -> str:
    """One sentence: what was compared, how far apart it is, and what that means."""
    catalogue = document("explanations")
    words, said = catalogue["checks"][check.id], catalogue["status"][check.status.value][language]
    head = f"{words['title'][language]}{_STOP[language]}"
    if check.deviation is None:
        return f"{head}{said}{_END[language]}"
    figures = words["text"][language].format(**_figures(check.deviation, observers))
    return f"{head}{figures}{_COMMA[language]}{said}{_END[language]}"


def _figures(deviation: Decimal, observers: Observers) -> dict[str, str]:
    amounts = {name.lower(): _rounded(observers.value(name) or Decimal(0), 2, ",") for name in ("TAX", "TRADE", "CASH")}
    return {
        **amounts,
        "percent": f"{_rounded(deviation * 100, 2)} %",
        "number": _rounded(deviation, 4),
        "km": _rounded(deviation, 2),
    }


def _rounded(value: Decimal, places: int, group: str = "") -> str:
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):{group}f}"
