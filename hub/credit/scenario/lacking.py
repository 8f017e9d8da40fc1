"""What keeps a scenario from deciding: the inputs without a value of rules that are unknown, and of a limit that cannot be worked out. Unknown is never declined, so
it is said by name what is missing."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.credit.expressions import Missing, Names, evaluate, names_in
from hub.credit.policy import Policy
from hub.domain.enums import MissingReason


class Lacking(msgspec.Struct, frozen=True):
    """An input, or behind a closed gate a source, and why it has no value. ``part``: of what it is, a rule's code or LIMIT or GATE."""

    name: str
    reason: MissingReason
    part: str


def of_rules(policy: Policy, names: Names) -> list[Lacking]:
    """Of the rules that are unknown, in their order."""
    unknown = [(rule.code, rule.passes, evaluate(rule.passes, names)) for rule in policy.eligibility if not rule.if_known]
    found = (
        (code, text)
        for code, text, outcome in unknown
        if isinstance(outcome, Missing) and outcome.reason is not MissingReason.NOT_APPLICABLE
    )
    return _each(found, names)


def of_limit(policy: Policy, names: Names) -> list[Lacking]:
    """Of the legs that it cannot do without, the factor and the term."""
    needed = [leg.amount for leg in policy.legs if not leg.if_known]
    # Of legs that it could do without, none has a value.
    texts = [*(needed or [leg.amount for leg in policy.legs]), *([policy.factor] if policy.factor else []), policy.base_term]
    return _each((("LIMIT", text) for text in texts), names)


def _each(parts: Iterable[tuple[str, str]], names: Names) -> list[Lacking]:
    """Each name once for a part."""
    found = ((part, name, names[name]) for part, text in parts for name in names_in(text))
    lacking = [Lacking(name, known.missing, part) for part, name, known in found if known.value is None and known.missing is not None]
    return list(dict.fromkeys(lacking))
