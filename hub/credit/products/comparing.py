"""A peer's loan beside what an evaluation offers, element by element (五要素). Of limits and terms the peer's highest counts, of rates its lowest: what it says in public at best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hub.credit.products.catalogue import Product
from hub.domain.enums import ProductElement

_CENT, _PERCENT = Decimal("0.0001"), 100


@dataclass(frozen=True, slots=True)
class Offer:
    """The five elements of an evaluation's offer: yuan, months, a share a year."""

    limit: Decimal
    term: int
    rate: Decimal
    repayment: str
    guarantee: str


@dataclass(frozen=True, slots=True)
class Difference:
    """``difference`` is theirs less ours: yuan, months, or a share a year; None of what is no number. ``same``: the peer has what is offered here."""

    element: ProductElement
    ours: str
    theirs: str
    difference: Decimal | None
    same: bool
    text_en: str
    text_zh: str

    def document(self) -> dict[str, object]:
        number = None if self.difference is None else f"{self.difference:f}"
        return {
            "element": self.element, "ours": self.ours, "theirs": self.theirs, "difference": number, "same": self.same,
            "text_en": self.text_en, "text_zh": self.text_zh,
        }  # fmt: skip


def differences(product: Product, offer: Offer) -> tuple[Difference, ...]:
    """In the order limit, term, rate, repayment, guarantee; of elements that the peer tells."""
    return tuple(_told(product, offer))


def _told(product: Product, offer: Offer) -> Iterator[Difference]:
    if product.limit:
        yield _limit(offer.limit, product.limit[1])
    if product.terms:
        yield _term(offer.term, product.terms[-1])
    if product.rate:
        yield _rate(offer.rate, product.rate[0])
    if product.repayment:
        yield _words(ProductElement.REPAYMENT, offer.repayment, product.repayment)
    if product.guarantee:
        yield _words(ProductElement.GUARANTEE, offer.guarantee, product.guarantee)


def _limit(ours: Decimal, theirs: Decimal) -> Difference:
    more = theirs - ours
    en = f"It lends up to {_yuan(theirs)} yuan, {_than(more, f'{_yuan(abs(more))} more', f'{_yuan(abs(more))} less')} here."
    zh = f"最高额度{_yuan(theirs)}元，{_beside(more, f'比本行多{_yuan(abs(more))}元', f'比本行少{_yuan(abs(more))}元')}。"
    return Difference(ProductElement.LIMIT, f"{ours:f}", f"{theirs:f}", more, not more, en, zh)


def _term(ours: int, theirs: int) -> Difference:
    more = Decimal(theirs - ours)
    en = f"Its longest term is {theirs} months, {_than(more, f'{abs(more)} more', f'{abs(more)} less')} here."
    zh = f"最长期限{theirs}个月，{_beside(more, f'比本行长{abs(more)}个月', f'比本行短{abs(more)}个月')}。"
    return Difference(ProductElement.TERM, str(ours), str(theirs), more, not more, en, zh)


def _rate(offered: Decimal, percent: Decimal) -> Difference:
    ours, theirs = offered.quantize(_CENT), (percent / _PERCENT).quantize(Decimal("0.000001")).normalize()
    more = theirs - ours
    points = _percent(abs(more))
    en = f"Its lowest rate is {_percent(theirs)} % a year, {_than(more, f'{points} points more', f'{points} points less')} here."
    zh = f"最低年利率{_percent(theirs)}%，{_beside(more, f'比本行高{points}个百分点', f'比本行低{points}个百分点')}。"
    return Difference(ProductElement.RATE, f"{ours:f}", f"{theirs:f}", more.normalize() if more else Decimal(0), not more, en, zh)


def _words(element: ProductElement, ours: str, theirs: tuple[str, ...]) -> Difference:
    same, listed = ours in theirs, ", ".join(theirs)
    en = f"It has {listed}: {'also' if same else 'not'} {ours}, as here."
    zh = f"{'还款方式' if element is ProductElement.REPAYMENT else '担保方式'}为{listed}，{'包含' if same else '不含'}本行的{ours}。"
    return Difference(element, ours, listed, None, same, en, zh)


def _than(more: Decimal, above: str, below: str) -> str:
    return f"{above} than" if more > 0 else f"{below} than" if more < 0 else "the same as"


def _beside(more: Decimal, above: str, below: str) -> str:
    return above if more > 0 else below if more < 0 else "与本行相同"


def _yuan(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"


def _percent(share: Decimal) -> str:
    return f"{share * _PERCENT:.2f}"
