"""What the lender knows or has configured: margin bands, whitelists, barred industries, contribution bases, the relationship graph.

Two documents of the table ``reference_data``: ``lender``, and ``relations`` with the edges of a business by its USCC. A business without an entry has no
graph loaded, which is not the same as having no related parties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from hub.credit.dossier import Crop, Reference, Related
from hub.errors import FixConfiguration
from hub.store.database import Read, Write
from hub.store.tables import reference_data

LENDER, RELATIONS = "lender", "relations"
LENDER_NAMES = frozenset(
    {"lender", "margin_bands", "core_enterprises", "approved_buyers", "prohibited_industries", "social_insurance_base", "crops"}
)


async def keep_reference(tx: Write, name: str, document: Mapping[str, Any], now: datetime) -> None:
    """Replaces a document. Raises FixConfiguration for one that cannot be read."""
    unknown = sorted(set(document) - LENDER_NAMES) if name == LENDER else []
    if unknown:
        raise FixConfiguration(
            f"The lender's reference data do not take {', '.join(unknown)}.", remedy=f"Known names: {', '.join(sorted(LENDER_NAMES))}."
        )
    _read(document if name == LENDER else {}, document if name == RELATIONS else {}).of("")
    row = {"name": name, "document": dict(document), "changed_at": now}
    statement = insert(reference_data).values(row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"document": row["document"], "changed_at": now}))


@dataclass(frozen=True, slots=True)
class References:
    """The lender's data, and as they concern one business (:meth:`of`)."""

    common: Reference
    relations: Mapping[str, tuple[Related, ...]]

    def of(self, uscc: str | None) -> Reference:
        return replace(self.common, related=self.relations.get(uscc or ""))


async def load_reference(tx: Read | Write, uscc: str | None) -> Reference:
    """The lender's data as they concern one business."""
    return (await load_references(tx)).of(uscc)


async def load_references(tx: Read | Write) -> References:
    """The lender's data."""
    rows = (await tx.execute(select(reference_data.c.name, reference_data.c.document))).all()
    documents = {row.name: row.document for row in rows}
    return _read(documents.get(LENDER, {}), documents.get(RELATIONS, {}))


def read_reference_file(path: Path) -> dict[str, Any] | None:
    """The document in a file, None where there is no file. Raises FixConfiguration."""
    if not path.exists():
        return None
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise FixConfiguration(f"{path} is not JSON ({error}).", remedy="Correct it, or remove it.") from None
    if not isinstance(document, dict):
        raise FixConfiguration(f"{path} is not a JSON object.", remedy="Correct it, or remove it.")
    return document


def _read(lender: Mapping[str, Any], relations: Mapping[str, Any]) -> References:
    try:
        bands = {prefix: (Decimal(low), Decimal(high)) for prefix, (low, high) in lender.get("margin_bands", {}).items()}
        base = lender.get("social_insurance_base")
        crops = {
            name: Crop(Decimal(one["yield_norm"]), Decimal(one["price"]), Decimal(one["input_cost"]))
            for name, one in lender.get("crops", {}).items()
        }
        edges = {own: tuple(Related(row["uscc"], row["type"]) for row in rows) for own, rows in relations.items()}
        common = Reference(
            lender=str(lender.get("lender", "")),
            margin_bands=bands,
            core_enterprises=frozenset(lender.get("core_enterprises", ())),
            approved_buyers=frozenset(lender.get("approved_buyers", ())),
            prohibited_industries=frozenset(lender.get("prohibited_industries", ())),
            insurance_base=(Decimal(base["floor"]), Decimal(base["ceiling"])) if base else None,
            crops=crops,
        )
        return References(common, edges)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise FixConfiguration(
            f"The lender's reference data cannot be read ({error}).", remedy="docs/deploy.md has an example of each document."
        ) from None
