"""Why a product fits, or not, in words."""

from __future__ import annotations

from collections.abc import Mapping

from hub.credit.products.catalogue import Product
from hub.domain.enums import MatchCriterion, ProductFit, ProductHolder, ProductKind

WORDS: Mapping[MatchCriterion, tuple[str, str]] = {
    MatchCriterion.PURPOSE: ("what the money is for", "用途"),
    MatchCriterion.AMOUNT: ("the amount asked for", "申请金额"),
    MatchCriterion.CUSTOMER_TYPE: ("the customer type", "客户类型"),
    MatchCriterion.OVERLAY: ("whether it is a new citizen", "新市民身份"),
    MatchCriterion.CLUSTER: ("the industry cluster", "产业客群"),
    MatchCriterion.PRODUCT_CLASS: ("the product class", "产品类别"),
    MatchCriterion.INDUSTRY: ("the industry", "行业"),
    MatchCriterion.DECISION: ("the decision", "审批结果"),
}
_ONE = (" Only one unsecured operating limit may be active: limits are no sum.", "信用类经营额度仅可启用一个，多个额度不相加。")


def why(product: Product, fit: ProductFit, criteria: tuple[MatchCriterion, ...], *, decided: bool, exclusive: bool) -> tuple[str, str]:
    """In English and in Chinese."""
    en, zh = ", ".join(WORDS[one][0] for one in criteria), "、".join(WORDS[one][1] for one in criteria)
    if fit is ProductFit.DOES_NOT_FIT:
        return f"It does not fit by: {en}.", f"不匹配：{zh}。"
    if fit is ProductFit.UNKNOWN:
        return f"Nobody can tell: {en}.", f"无法判断：{zh}。"
    by = (f"It fits by: {en}.", f"匹配依据：{zh}。") if criteria else ("It is for everybody.", "适用于所有客户。")
    return _with(by, product, decided=decided, exclusive=exclusive)


def _with(by: tuple[str, str], product: Product, *, decided: bool, exclusive: bool) -> tuple[str, str]:
    en, zh = by
    if product.holder is ProductHolder.OWN and product.kind is ProductKind.LOAN and not decided:
        en, zh = f"{en} Evaluate {product.scenario} before it is offered.", f"{zh}须先评估{product.scenario}。"
    return (en + _ONE[0], zh + _ONE[1]) if exclusive else (en, zh)
