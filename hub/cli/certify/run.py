"""The checks by name, and running them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from hub.cli.certify import authorising, books, facts, failing, papers, planning, pushing, signing
from hub.cli.certify.session import Session
from hub.cli.certify.trial import Candidate, Failed, open_trial
from hub.connect import Fault
from hub.connect.faults import Unreadable
from hub.errors import HubError

Check = Callable[[Session], Awaitable[str | None]]

CHECKS: Mapping[str, Check] = {
    "manifest complete": papers.manifest_is_complete,
    "settings declared": papers.settings_are_declared,
    "README complete": papers.readme_tells_all,
    "customer agrees": authorising.customer_agrees,
    "customer refuses": authorising.customer_refuses,
    "forged callback refused": authorising.forged_callback_is_refused,
    "code works once": authorising.code_works_once,
    "PKCE": authorising.pkce_is_used,
    "wrong secret refused": authorising.wrong_secret_is_refused,
    "every stream ends": facts.streams_end,
    "declared totals": facts.totals_agree,
    "coverage within the window": facts.coverage_is_within,
    "facts valid": facts.facts_are_valid,
    "keys single": facts.keys_are_single,
    "money is the persona's": books.money_is_the_personas,
    "nothing outside the range": facts.nothing_outside_the_range,
    "records read alike": facts.records_are_read_alike,
    "windows cover the range": planning.windows_cover_the_range,
    "cursors are JSON": planning.cursors_are_json,
    "requests are pure": planning.requests_are_pure,
    "evidence without secrets": planning.evidence_holds_no_secret,
    "changed credential refused": signing.changed_credential_is_refused,
    "signed parameters protected": signing.signed_parameters_are_protected,
    "pushes are hints": pushing.pushes_are_hints,
    "forged push refused": pushing.forged_pushes_are_refused,
    "expired token refreshed": authorising.expired_token_is_refreshed,
    "down is waited for": failing.down_is_waited_for,
    "too fast is waited for": failing.too_fast_is_waited_for,
    "half an answer is broken": failing.half_an_answer_is_broken,
    "no end without a signal": failing.no_end_without_a_signal,
    "spoiled record put aside": failing.spoiled_record_is_put_aside,
    "revocation": authorising.revocation_ends_it,
    "quality.toml true": papers.quality_is_true,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One check and how it ended."""

    check: str
    ok: bool
    why: str


async def certify(candidate: Candidate, checks: Mapping[str, Check] = CHECKS) -> list[Line]:
    """The checks in every trial of the platform. A check that does not apply has no line."""
    lines = []
    for name in candidate.trials():
        async with open_trial(candidate, name) as trial:
            session = Session(trial)
            for check, run in checks.items():
                line = await _line(f"{name}: {check}" if name else check, run, session)
                lines += [line] if line else []
    return lines


async def _line(name: str, run: Check, session: Session) -> Line | None:
    """A check that fails in an unexpected way has failed, too."""
    try:
        why = await run(session)
    except Failed as failure:
        return Line(name, False, str(failure))
    except (Fault, HubError, Unreadable) as error:
        return Line(name, False, f"It ended with {type(error).__name__}: {error}.")
    except failing.CRASHES as crash:
        return Line(name, False, f"The connector stumbled with {type(crash).__name__}: {crash}.")
    return None if why is None else Line(name, True, why)
