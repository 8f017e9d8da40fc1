"""What a movement was for, from its counterparty and memo: a deterministic table, no model.

Four steps, the first that answers wins: the counterparty is the account holder himself (a transfer between own accounts is no revenue, whatever
its memo claims); the memo is a known phrase; the memo contains a known word; the counterparty contains one. Words of a direction count only
there. What nothing answers for is UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.domain.enums import Direction

PHRASES = {
    "货款": "SALES_RECEIPT",
    "平台货款结算": "PLATFORM_PAYOUT",
    "本人账户互转": "OWN_TRANSFER",
    "贷款发放": "LOAN_DISBURSEMENT",
    "增资款": "CAPITAL_INJECTION",
    "采购退款": "REFUND_IN",
    "退税": "TAX_REFUND",
    "补贴": "SUBSIDY",
    "采购货款": "PURCHASE",
    "业主提取": "OWNER_DRAW",
    "现金存取": "CASH",
    "工资": "WAGE",
    "房租": "RENT",
    "水电费": "UTILITY",
    "运费": "LOGISTICS",
    "平台服务费": "PLATFORM_FEE",
    "广告推广费": "AD",
    "税款": "TAX",
    "社会保险费": "SOCIAL",
    "贷款还款": "LOAN_REPAYMENT",
    "投资款": "INVESTMENT",
}
"""Memos that mean one thing in either direction; all but the money for goods, which a seller receives and a buyer pays."""

IN, OUT = Direction.IN, Direction.OUT
Rule = tuple[Direction | None, tuple[str, ...], str]

MEMO_WORDS: Sequence[Rule] = (
    (None, ("互转", "本人账户", "本人转账"), "OWN_TRANSFER"),
    (OUT, ("还款", "还贷", "还本付息"), "LOAN_REPAYMENT"),
    (IN, ("放款", "贷款"), "LOAN_DISBURSEMENT"),
    (IN, ("退税",), "TAX_REFUND"),
    (IN, ("退款", "退货"), "REFUND_IN"),
    (IN, ("补贴", "补助"), "SUBSIDY"),
    (IN, ("增资", "注资", "入股"), "CAPITAL_INJECTION"),
    (IN, ("平台货款", "平台结算", "提现"), "PLATFORM_PAYOUT"),
    (None, ("现金", "取现", "存现"), "CASH"),
    (OUT, ("采购", "进货", "货款"), "PURCHASE"),
    (IN, ("货款", "销售款"), "SALES_RECEIPT"),
    (OUT, ("工资", "薪"), "WAGE"),
    (OUT, ("房租", "租金"), "RENT"),
    (OUT, ("水费", "电费", "水电", "燃气"), "UTILITY"),
    (OUT, ("运费", "快递", "物流"), "LOGISTICS"),
    (OUT, ("服务费", "佣金", "技术服务"), "PLATFORM_FEE"),
    (OUT, ("广告", "推广"), "AD"),
    (OUT, ("社保", "社会保险"), "SOCIAL"),
    (OUT, ("税",), "TAX"),
    (OUT, ("理财", "投资", "设备款"), "INVESTMENT"),
    (OUT, ("提取", "分红"), "OWNER_DRAW"),
)

COUNTERPARTY_WORDS: Sequence[Rule] = (
    (IN, ("平台结算户",), "PLATFORM_PAYOUT"),
    (OUT, ("理财", "设备供应商"), "INVESTMENT"),
    (OUT, ("业主", "股东"), "OWNER_DRAW"),
    (IN, ("股东",), "CAPITAL_INJECTION"),
    (OUT, ("代发工资",), "WAGE"),
    (OUT, ("出租方",), "RENT"),
    (OUT, ("供电", "供水"), "UTILITY"),
    (OUT, ("快递", "物流"), "LOGISTICS"),
    (OUT, ("电商平台",), "PLATFORM_FEE"),
    (OUT, ("推广",), "AD"),
    (OUT, ("国家金库", "税务"), "TAX"),
    (IN, ("国家金库", "税务"), "TAX_REFUND"),
    (OUT, ("社会保险",), "SOCIAL"),
    (IN, ("财政",), "SUBSIDY"),
    (IN, ("放款",), "LOAN_DISBURSEMENT"),
    (OUT, ("放款",), "LOAN_REPAYMENT"),
    (OUT, ("供应商",), "PURCHASE"),
    (IN, ("供应商",), "REFUND_IN"),
    (IN, ("客户",), "SALES_RECEIPT"),
)

_INVOICE = re.compile(r"(?<!\d)\d{20}(?!\d)|(?<=发票)(?:号码?)?[:：\s]*(\d{8})(?!\d)")


def category_of(direction: Direction, counterparty: str, memo: str, holder: str) -> str:
    """One of the categories of :class:`hub.domain.facts.PaymentTransaction`. Empty text is unknown."""
    if holder and counterparty == holder:
        return "OWN_TRANSFER"
    # Money for goods that goes out is a purchase, unless it goes to a customer.
    bought = direction is OUT and memo == "货款" and "客户" not in counterparty
    known = None if bought else PHRASES.get(memo)
    return known or _first(MEMO_WORDS, direction, memo) or _first(COUNTERPARTY_WORDS, direction, counterparty) or "UNKNOWN"


def invoice_number(memo: str) -> str | None:
    """The invoice that a memo names: 20 digits of a fully digital one, or 8 digits after the word 发票."""
    found = _INVOICE.search(memo)
    return None if found is None else found.group(1) or found.group(0)


def _first(rules: Sequence[Rule], direction: Direction, text: str) -> str | None:
    matching = (category for only, words, category in rules if only in (None, direction) and any(word in text for word in words))
    return next(matching, None)
