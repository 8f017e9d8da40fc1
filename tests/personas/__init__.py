"""The project's own golden personas, one file each in the format persona/1, and what was derived for them from the domain brief.

``*.json``        ten customers of ten scenarios; S07 and S09 are rice-farmer and purchase-order-supplier of connectors/sandbox/personas
``arithmetic``    the brief's sections 4.1, 4.3, 5.1 and 6.3 once more, in plain Decimal, without a line of the product
``firms`` ``people``  the derivation of each customer's evaluation
``families``      the derivation of each family of features on one of them
``awkward``       changes that make each of them somebody who is hard to decide, and what must come of it

Every file names the same lender's configuration, so that all can stand on one stage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.json")))


def as_persona_1(document: dict[str, Any]) -> dict[str, Any]:
    """Without what is this project's own addition to the format (ADR 67)."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    for year in found.get("financials", {}).get("profit_and_loss", ()):
        year["lines"].pop("research_cost", None)
    return found


def document_of(name: str) -> dict[str, Any]:
    """A fresh copy."""
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return found
