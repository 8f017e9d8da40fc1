"""The code tables of the gateway, as data. An unknown code is quarantined, never guessed.

Where a deployment knows more codes, the setting ``maps`` adds them: a JSON object of table name -> {code: value}, e.g. ``{"FPLX_DM": {"85": ""}}``.
Entries marked (u) are unverified: they occur in practice, but no public document was found for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from hub.domain.enums import SourceKind

ITEMS: Mapping[SourceKind, tuple[str, ...]] = {
    SourceKind.TAX: ("NSRJBXX", "NSXYDJ", "SBXX", "JKXX", "QSXX", "WFWZ", "GRSDMX"),
    SourceKind.FINANCIALS: ("CWBB",),
    SourceKind.INVOICE: ("FPXX",),
}
"""The data items (SJX) of each source. GRSDMX, single wage incomes, is an item of our profile."""

TABLES: Mapping[str, Mapping[str, str]] = {
    # 纳税人状态. 99 (other) is left out: it says neither that the taxpayer is in order nor that he is not.
    "NSRZT_DM": {
        "01": "NORMAL",
        "02": "NORMAL",
        "03": "NORMAL",
        "04": "ABNORMAL",
        "05": "ABNORMAL",
        "06": "ABNORMAL",
        "07": "CANCELLED",
        "08": "CANCELLED",
        "09": "NORMAL",
        "10": "CANCELLED",
    },
    "ZZSNSRLX_DM": {"1": "GENERAL", "2": "SMALL_SCALE"},
    "NSQX_DM": {"06": "MONTH", "08": "QUARTER"},
    "NSXYDJ": {"A": "A", "B": "B", "M": "M", "C": "C", "D": "D"},
    # 征收项目. 10106 is one tax with two very different returns: see RETURN_KINDS and ITEM_KINDS. 10110-10112 (u): property, stamp, land use.
    "ZSXM_DM": {
        "10101": "VAT",
        "10104": "CIT",
        "10109": "SURCHARGE",
        "30203": "SURCHARGE",
        "30216": "SURCHARGE",
        "10110": "OTHER",
        "10111": "OTHER",
        "10112": "OTHER",
    },
    "YZPZZL_DM": {"GRSDS_JYSD": "IIT_BUSINESS", "GRSDS_ZXKJ": "IIT_WITHHOLDING"},
    # 征收品目 of 10106 (u).
    "ZSPM_DM": {"101060100": "IIT_WITHHOLDING", "101060200": "IIT_BUSINESS"},
    "SKZL_DM": {"10": "TAX", "20": "LATE_FEE"},
    "CLZT_DM": {"1": "OPEN", "2": "CLOSED"},
    "FPLX_DM": {
        "01": "专用发票",
        "02": "货运专用发票",
        "03": "机动车发票",
        "04": "普通发票",
        "08": "电子专用发票",
        "10": "电子普通发票",
        "11": "卷式发票",
        "14": "通行费发票",
        "31": "数电专用发票",
        "32": "数电普通发票",
        "83": "数电铁路客票",
        "100": "区块链发票",
        "102": "通用电子发票",
    },
    "FPZT_DM": {"0": "NORMAL", "1": "VOIDED", "2": "RED", "3": "REVERSED"},
    "HZYY_DM": {"01": "01", "02": "02", "03": "03", "04": "04"},
    "BBZL_DM": {"ZCFZB": "BS", "LRB": "PL", "XJLLB": "CF"},
}

IIT = "10106"

SALES_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "BDA0610606": ("ASYSLJSXSE", "AJYBFJSXSE", "MDTBFCKXSE", "MSXSE"),
    "BDA0610611": ("YZZZSBHSXSE", "XSCZBDCBHSXSE", "MSXSE", "CKMSXSE"),
}
"""The four sales lines of each VAT return form: general payer, small-scale payer."""

PAYABLE_COLUMN: Mapping[str, str] = {"BDA0610606": "YNSE", "BDA0610611": "YNSEHJ"}

BALANCE_LINES: Mapping[str, tuple[str, str]] = {
    "1": ("cash", "货币资金"),
    "4": ("receivables", "应收账款"),
    "5": ("prepayments", "预付账款"),
    "9": ("inventory", "存货"),
    "20": ("fixed_assets", "固定资产账面价值"),
    "30": ("total_assets", "资产总计"),
    "33": ("payables", "应付账款"),
    "34": ("advances_received", "预收账款"),
    "47": ("total_liabilities", "负债合计"),
    "52": ("equity", "所有者权益合计"),
    "901": ("acceptance_deposits", "其中承兑保证金"),
}
"""Line number -> our name and the form's name. The small-enterprise form (u); from 900 on lines of our profile."""

PROFIT_LINES: Mapping[str, tuple[str, str]] = {
    "1": ("revenue", "营业收入"),
    "2": ("cost", "营业成本"),
    "17": ("research_cost", "研究费用"),
    "32": ("net_profit", "净利润"),
    "911": ("owner_withdrawals", "业主提取"),
    "912": ("injections", "投入资本"),
    "913": ("appreciation", "资产增值"),
    "914": ("depreciation", "折旧"),
}

LINES: Mapping[str, Mapping[str, tuple[str, str]]] = {"BS": BALANCE_LINES, "PL": PROFIT_LINES, "CF": {}}


def table(name: str, maps: str = "{}") -> Mapping[str, str]:
    """A code table, with the additions of the setting ``maps``."""
    return {**TABLES[name], **_additions(maps).get(name, {})}


@lru_cache(maxsize=8)
def _additions(maps: str) -> dict[str, dict[str, str]]:
    parsed: dict[str, dict[str, str]] = json.loads(maps)
    return parsed
