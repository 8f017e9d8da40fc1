"""回款账户."""

from __future__ import annotations

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.PROCUREMENT, key=("account_number",), occurred=None)
class ReceivableAccount:
    """回款账户: the account to which a procurement platform has the buyers pay."""

    account_number: PersonalId = about("Number of the account.", upstream=("hkzh",))
    institution: str | None = about("Bank that keeps it.", upstream=("khyh",))
    locked: bool = about("The supplier can name no other account without the consent of whom it is locked for (锁定).", upstream=("sdzt",))
    locked_for: str | None = about("The lender in whose favour it is locked.", upstream=("sdyh",))
