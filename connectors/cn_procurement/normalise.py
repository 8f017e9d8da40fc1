"""Items of the platform as facts. One function per service; each raises Unreadable."""

from __future__ import annotations

from connectors.cn_procurement.vocabulary import GOVERNMENT, Row
from hub.connect import Context, Record, Unreadable
from hub.domain.facts import PurchaseOrder, ReceivableAccount
from hub.domain.identifiers import PersonalId


def contract(context: Context, record: Record) -> PurchaseOrder:
    row = Row(context, record)
    return PurchaseOrder(
        order_number=row.text("htbh"),
        buyer=row.party("cgrdm"),
        buyer_name=row.optional("cgrmc"),
        government=row.word("cgrlx") == GOVERNMENT,
        amount=row.amount("htje"),
        confirmed=row.amount("qqje"),
        verified_by=row.optional_word("qqf"),
        signed_on=row.day("qdrq"),
        deliver_by=row.day("jhqx"),
        delivered_on=row.optional_day("ysrq"),
        invoiced=row.amount("kpje"),
        received=row.optional_amount("hkje"),
        paid_on=row.optional_day("hkrq"),
        status=row.word("htzt"),
    )


def account(context: Context, record: Record) -> ReceivableAccount:
    row = Row(context, record)
    locked, lender = row.word("sdzt") == "LOCKED", row.optional("sdyh")
    if locked and lender is None:
        raise Unreadable("sdyh", "is missing: it is locked, and it is not said for whom")
    return ReceivableAccount(
        account_number=PersonalId(row.text("hkzh")),
        institution=row.optional("khyh"),
        locked=locked,
        locked_for=lender if locked else None,
    )
