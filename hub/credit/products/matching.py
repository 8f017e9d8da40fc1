"""Which products fit a customer (产品匹配), and how a peer's differ from what is offered (同业对标). Pure.

From what kind of customer it is, what the money is for, and the evaluation's own decision. What nobody can tell never makes a product fit. The loan comes first, then what
goes with it: payment, deposit, insurance (产品组合). Only one unsecured operating limit may be active: several that fit are no sum (domain brief, 5.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.credit.evaluate import Evaluation
from hub.credit.features.series import industry
from hub.credit.products.catalogue import KINDS, Group, Product
from hub.credit.products.comparing import Difference, Offer, differences
from hub.credit.products.wording import why
from hub.credit.segments import Clusters, every, is_new_citizen, some
from hub.domain.enums import MatchCriterion, Outcome, ProductFit, ProductHolder, ProductKind

OFFERED = (Outcome.ENHANCED, Outcome.BASE_ONLY)
_FITS = (ProductFit.FITS, ProductFit.UNKNOWN, ProductFit.DOES_NOT_FIT)
Said = dict[MatchCriterion, bool | None]


@dataclass(frozen=True, slots=True)
class Who:
    """A customer and what was asked for and decided. ``overlays_known``: one that is not among the overlays is known not to be one. ``offer`` None: nothing is offered."""

    customer_type: str | None
    overlays: frozenset[str]
    overlays_known: bool
    clusters: Clusters
    product_class: str | None
    industry: str | None
    is_business: bool
    purpose: str
    amount: Decimal | None
    scenario: str
    outcome: Outcome
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Match:
    """``criteria``: what it fits by; what it does not fit by; or what nobody can tell. ``exclusive``: it is an unsecured operating limit, of which one may be active."""

    product: Product
    fit: ProductFit
    criteria: tuple[MatchCriterion, ...]
    exclusive: bool
    why_en: str
    why_zh: str
    differences: tuple[Difference, ...] = ()


def matches(made: Evaluation, catalogue: Sequence[Product]) -> tuple[Match, ...]:
    """Every own product, those that fit first, the evaluated loan before the others; then the peers' that can be compared. None behind a closed gate."""
    who = who_of(made)
    if who is None:
        return ()
    own = [match(one, who) for one in catalogue if one.holder is ProductHolder.OWN]
    peers = [match(one, who) for one in catalogue if one.holder is ProductHolder.PEER and one.scenario in (None, who.scenario)]
    return (*sorted(own, key=lambda one: _place(one, who)), *sorted(peers, key=lambda one: _place(one, who)))


def _place(one: Match, who: Who) -> tuple[int, int, bool, str]:
    return _FITS.index(one.fit), KINDS.index(one.product.kind), one.product.scenario != who.scenario, one.product.code


def who_of(made: Evaluation) -> Who | None:
    """None behind a closed gate: then nobody can tell what kind of customer it is."""
    found = made.findings
    if found is None:
        return None
    groups, limit, price = found.segments, found.limit, found.price
    offered = made.outcome in OFFERED and limit is not None and price is not None
    return Who(
        customer_type=groups.customer_type,
        overlays=frozenset(groups.overlays),
        overlays_known=is_new_citizen(made.dossier) is not None,
        clusters=groups.clusters,
        product_class=groups.product_class,
        industry=industry(made.dossier),
        is_business=made.dossier.subject.is_business,
        purpose=made.request.purpose,
        amount=made.request.amount,
        scenario=made.policy.id,
        outcome=made.outcome,
        offer=Offer(limit.final_limit, limit.term, price.rate, made.policy.repayment[0], found.guarantee)
        if offered and limit is not None and price is not None
        else None,
    )


def match(product: Product, who: Who) -> Match:
    """What is asked one after another; a criterion that is not asked is not named."""
    said = {**_of_request(product, who), **_of_segments(product, who)}
    if _is_decided(product, who):
        said[MatchCriterion.DECISION] = True if who.offer else False if who.outcome is Outcome.INELIGIBLE else None
    answer = every(said.values())
    fit = ProductFit.FITS if answer else ProductFit.UNKNOWN if answer is None else ProductFit.DOES_NOT_FIT
    criteria = tuple(name for name, one in said.items() if one is answer)
    compared = product.holder is ProductHolder.PEER and product.kind is ProductKind.LOAN and fit is not ProductFit.DOES_NOT_FIT
    exclusive = _is_exclusive(product)
    told = differences(product, who.offer) if compared and who.offer else ()
    return Match(
        product, fit, criteria, exclusive, *why(product, fit, criteria, decided=_is_decided(product, who), exclusive=exclusive), told
    )


def _is_decided(product: Product, who: Who) -> bool:
    """By the evaluation at hand."""
    return product.holder is ProductHolder.OWN and product.kind is ProductKind.LOAN and product.scenario == who.scenario


def _is_exclusive(product: Product) -> bool:
    operating = not product.purposes or "OPERATING" in product.purposes
    own_loan = product.holder is ProductHolder.OWN and product.kind is ProductKind.LOAN
    return own_loan and operating and product.guarantee[:1] == ("UNSECURED",)


def _of_request(product: Product, who: Who) -> Said:
    said: Said = {}
    if product.purposes:
        said[MatchCriterion.PURPOSE] = who.purpose in product.purposes
    if who.amount is not None and product.limit is not None and not _is_decided(product, who):
        said[MatchCriterion.AMOUNT] = product.limit[0] <= who.amount <= product.limit[1]
    return said


def _of_segments(product: Product, who: Who) -> Said:
    """What the groups ask. Of several the one that fits speaks; where none does, all that could make the difference do."""
    asked = [_of_group(one, who) for one in product.eligible]
    answer = some(every(one.values()) for one in asked) if asked else True
    return {name: one for group in asked if every(group.values()) is answer for name, one in group.items() if one is answer}


def _of_group(group: Group, who: Who) -> Said:
    kinds, classes = MatchCriterion.CUSTOMER_TYPE, MatchCriterion.PRODUCT_CLASS
    said: Said = {}
    if group.customer_types:
        said[kinds] = None if who.customer_type is None else who.customer_type in group.customer_types
    if group.overlays:
        said[MatchCriterion.OVERLAY] = True if group.overlays & who.overlays else False if who.overlays_known else None
    if group.clusters:
        said[MatchCriterion.CLUSTER] = some(_belongs(one, who.clusters) for one in group.clusters)
    if group.product_classes:
        said[classes] = None if who.product_class is None else who.product_class in group.product_classes
    if group.industries:
        unknown = who.industry is None and who.is_business
        said[MatchCriterion.INDUSTRY] = None if unknown else (who.industry or " ").startswith(group.industries)
    return said


def _belongs(cluster: str, found: Clusters) -> bool | None:
    return True if cluster in found.known else None if cluster in found.undecided else False


def document_of(found: Sequence[Match]) -> list[Mapping[str, object]]:
    """As it is kept."""
    return [
        {
            "code": one.product.code,
            "holder": one.product.holder,
            "kind": one.product.kind,
            "name_zh": one.product.name_zh,
            "name_en": one.product.name_en,
            "scenario": one.product.scenario,
            "peer": one.product.peer,
            "seen_on": None if one.product.seen_on is None else one.product.seen_on.isoformat(),
            "fit": one.fit,
            "criteria": list(one.criteria),
            "exclusive": one.exclusive,
            "why_zh": one.why_zh,
            "why_en": one.why_en,
            "differences": [each.document() for each in one.differences],
        }
        for one in found
    ]
