"""After an evaluation: what a later one does to a running loan (domain brief, 5.2 DOWN, 5.4), what goes with it (5.5), and what else could be offered.

Nothing that was drawn is ever clawed back; every action is about what is not drawn yet. A hint offers nothing by itself: whoever follows it evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from hub.credit.crosscheck.verdict import Tier
from hub.credit.evaluate import Evaluation, Findings
from hub.credit.expressions import evaluate as is_true
from hub.credit.expressions import features_in
from hub.credit.models.declare import Case, figures
from hub.credit.models.lender import Loan
from hub.credit.models.triggers import HEIGHT
from hub.credit.policies import document
from hub.domain.enums import CustomerType, MissingReason
from hub.domain.models import HintKind, ModelSlot

ENDED = (MissingReason.CONSENT_REVOKED, MissingReason.CONSENT_EXPIRED)


@dataclass(frozen=True, slots=True)
class Hint:
    """``code``: a product, a scenario or an action; ``share`` of what is not drawn, for REDUCE_UNDRAWN. ``why``: the condition, tier or source that asks for it, or
    why it is told; ``features`` speak for it. ``loan``: the lender's number of the loan it is about."""

    kind: HintKind
    code: str
    why_en: str
    why_zh: str
    features: tuple[str, ...] = ()
    share: Decimal | None = None
    loan: str | None = None


def hints(case: Case) -> tuple[Hint, ...]:
    """Everything, the most pressing first."""
    loans = case.watch.of(case.made.policy.id) if case.watch.monitoring else ()
    origin = case.watch.origin
    found = [one for loan in loans[:1] for one in actions(origin.tier if origin else None, case.made, loan.number)]
    found += [one for loan in loans if (one := renewal(case, loan)) is not None]
    return tuple(dict.fromkeys((*found, *cross_sell(case), *companions(case.made))))


def actions(before: Tier | None, now: Evaluation, loan: str | None = None) -> tuple[Hint, ...]:
    """The steps of the policy whose condition holds, then what a lower tier and an ended consent ask for. ``before``: the tier when the loan was granted; None: it
    is not known, and no fall can be told."""
    ladder = document("engine")["ladder"]
    found = [_action(one.action, one.when, loan, one.share) for one in now.findings.steps] if now.findings else []
    tier = now.findings.verdict.tier if now.findings else None
    if tier is not None and before is not None and HEIGHT.index(tier) < HEIGHT.index(before):
        found.append(_action(ladder[tier], tier, loan))
    ended = [kind for kind, state in now.dossier.sources.items() if state.reason in ENDED]
    return (*found, *(_action(ladder["CONSENT_ENDED"], kind, loan) for kind in ended))


def _action(code: str, why: str, loan: str | None, share: Decimal | None = None) -> Hint:
    return Hint(HintKind.ACTION, code, str(why), str(why), share=share, loan=loan)


def renewal(case: Case, loan: Loan) -> Hint | None:
    """续贷: the loan ends soon, was never overdue, the warnings are few, and the present evaluation offers a limit. None where one of these is not so, or unknown."""
    terms, made = figures()["renewal"], case.made
    if loan.matures_on is None or loan.ever_overdue or loan.days_past_due or not made.findings:
        return None
    soon = 0 <= (loan.matures_on - made.dossier.as_of).days <= terms["days"]
    if not soon or case.results[ModelSlot.POST_LOAN]["level"].value not in terms["levels"] or made.outcome not in terms["outcomes"]:
        return None
    without = terms["without_repayment"]
    trusted = made.policy.id in without["scenarios"] and made.findings.verdict.tier == without["tier"]
    code = "RENEW_WITHOUT_REPAYMENT" if trusted else "RENEW"
    words = figures()["renewal_words"][code]
    return Hint(HintKind.RENEWAL, code, words["en"], words["zh"], loan=loan.number)


def cross_sell(case: Case) -> Iterator[Hint]:
    """Products that something in the data speaks for; what is unknown speaks for nothing, and the evaluated scenario is none."""
    for one in figures()["cross_sell"]:
        if case.made.findings and one["product"] != case.made.policy.id and is_true(one["when"], case.names) is True:
            yield Hint(HintKind.CROSS_SELL, one["product"], one["en"], one["zh"], features_in(one["when"], case.names))


def companions(one: Evaluation) -> tuple[Hint, ...]:
    """Products that go with the customer's class; none while that is unknown. ``features``: those that speak for it and have a value."""
    if one.findings is None:
        return ()
    features, group = one.findings.features, _group(one.findings)
    return tuple(
        Hint(
            HintKind.COMPANION,
            row["product"],
            f"It goes with customers of class {group}.",
            f"与{group}类客户的产品组合匹配。",
            tuple(name for name in row["why"] if features[name].missing is None),
        )
        for row in document("engine")["companions"].get(group, [])
        if row["product"] != one.policy.id
    )


def _group(found: Findings) -> str | None:
    return "FARMER" if found.segments.customer_type is CustomerType.FARMER else found.segments.product_class


def group_limit(offers: Iterable[Evaluation]) -> Decimal | None:
    """The limit of all scenarios together: the largest, never the sum, since only one unsecured operating limit is active. None without any offer. What is shown of a
    customer (``groupLimit``) is that of the evaluations that stand."""
    return max((one.findings.limit.final_limit for one in offers if one.findings and one.findings.limit), default=None)
