"""What the signs of formulas stand for: the glossary of the reference page of features. A test finds a sign that is not in it."""

from __future__ import annotations

from collections.abc import Iterable

from hub.cli.scenario_reference import code, table
from hub.credit.parameters import parameters
from hub.domain.enums import Unit

SIGNS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("M0", "M-1"), "Months. `M0` is the last complete calendar month before that of as-of, `M-1` the one before it, `M-12` that of a year before `M0`."),
    (("W12", "W12-12"), "Windows. `W12` is the twelve months that end with `M0`, `W12-12` the twelve before those; `W3`, `W6`, `W24` and `W60` likewise."),
    (("D90", "ALL"), "`D90` is the 90 days before as-of; `ALL` everything that is known."),
    (("S",), "Sales of a month (销售额): of the source that the policy of the scenario fixes, else of the first that can be read of shop, invoices, tax returns and accounts. Of a shop or an account it holds VAT, of invoices and returns it does not."),
    (("GMV", "NGMV"), "成交额: what was paid for the orders of a shop in a month, with VAT. `NGMV` is that less the refunds that succeeded in the month."),
    (("IN", "OUT"), "Money that came in to the accounts, or left them. In brackets the categories that count ([PaymentTransaction](facts.md#paymenttransaction) lists them); without brackets all."),
    (("VAT", "CIT", "IIT_BUSINESS"), "增值税; 企业所得税, the income tax of enterprises; 经营所得个税, that of individual businesses in its place."),
    (("Σ",), "The sum."),
    (("DSR", "SKU"), "店铺动态评分, the marketplace's three scores of a shop; one article that it offers."),
)  # fmt: skip
WORDS: tuple[tuple[str, str], ...] = (
    ("as-of, known-at", "The day that an evaluation speaks of; the instant up to which facts count as known."),
    ("output, input invoice", "销项, issued to a buyer; 进项, received from a supplier."),
    ("blue, red, voided", "蓝字, an invoice; 红字, one that takes back another, in its own month; 作废, one that was cancelled and counts for nothing."),
    ("net", "Of invoices: without VAT, red ones taken off. Of sales: refunds taken off."),
    ("data end", "The last day of which a source has told."),
)  # fmt: skip
UNITS: dict[Unit, str] = {
    Unit.YUAN: "Yuan (CNY), two decimals.",
    Unit.RATIO: "A share or a rate of change, four decimals: `0.2500` is 25 %.",
    Unit.TIMES: "How many times one is the other.",
    Unit.DPD: "Days past due (逾期天数).",
    Unit.HEADS: "Persons.",
    Unit.PER_MONTH: "Per month.",
    Unit.SCORE: "Points.",
    Unit.ENUM: "One of some words, which stand in `text`.",
    Unit.BOOL: "`true` or `false`, in `text`.",
}
"""Those that their name does not explain."""


def signs() -> str:
    """The part of the page."""
    enough = ", ".join(f"`W{months}` {count}" for months, count in sorted(parameters().minimum_months.items()))
    covered = (
        f"Of a covered month the source has told everything: without records it is 0. Of another one nothing is known. A window needs so many covered months: {enough};"
        " sums over fewer than all are not scaled up, means divide by those that are covered."
    )
    rows: Iterable[tuple[str, str]] = (
        *((", ".join(map(code, one)), meaning) for one, meaning in SIGNS),
        *WORDS,
        ("covered", covered),
    )
    units = ((code(unit), meaning) for unit, meaning in UNITS.items())
    return "\n".join([
        "## Signs\n",
        table(("sign", "meaning"), rows),
        "Where a feature has no value, `missingReason` says why: NOT_APPLICABLE, NOT_CONNECTED and the others are explained at the enum `MissingReason` of the contract.\n",
        table(("unit", "meaning"), units),
    ])  # fmt: skip
