"""Hard exclusions on known facts, then the policy's rules: each PASS, FAIL or UNKNOWN. A null input makes a rule UNKNOWN, never FAIL (domain brief, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from hub.credit.expressions import Missing, Names, evaluate, names_in
from hub.credit.policies import document
from hub.credit.policy import Policy
from hub.domain.enums import MissingReason


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Codes of the rules that failed, are unknown (with the reason), or send the case to a person. ``lacking``: what the unknown rules ask for and has no value."""

    failed: tuple[str, ...]
    unknown: tuple[tuple[str, MissingReason], ...]
    referred: tuple[str, ...]
    lacking: tuple[tuple[str, MissingReason], ...] = ()

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(code for code, _ in self.unknown))


def judge(policy: Policy, names: Names) -> Eligibility:
    """Every rule in its order; each code once."""
    failed = [one["code"] for one in document("engine")["hard_exclusions"] if evaluate(one["unless"], names) is False]
    unknown: list[tuple[str, MissingReason]] = []
    referred, lacking = list[str](), list[tuple[str, MissingReason]]()
    for rule in policy.eligibility:
        outcome = evaluate(rule.passes, names)
        if isinstance(outcome, Missing):
            if outcome.reason is not MissingReason.NOT_APPLICABLE and not rule.if_known:
                unknown.append((rule.code, outcome.reason))
                lacking += [(name, why) for name in names_in(rule.passes) if (why := names[name].missing)]
        elif not outcome:
            refer = rule.refer is not None and evaluate(rule.refer, names) is True
            (referred if refer else failed).append(rule.code)
    return Eligibility(tuple(dict.fromkeys(failed)), tuple(unknown), tuple(dict.fromkeys(referred)), tuple(dict.fromkeys(lacking)))
