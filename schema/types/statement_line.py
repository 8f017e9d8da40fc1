"""StatementLine."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from hub.domain.enums import SourceKind
from schema.access import access, shown


@strawberry.type(
    description="One line of a balance sheet or profit-and-loss statement.", directives=[access("facts:read", SourceKind.FINANCIALS)]
)
class StatementLine:
    code: str = shown("Code of the line, for example `total_assets`.")
    amount: Decimal = shown("Amount in yuan.")
