"""D6 经营者个人软信息: the natural person behind the subject (domain brief, section 3). Paid months are in :mod:`hub.credit.features.streaks`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hub.credit.features.catalogue import ALL, Null, Reads, Span, Value, formula
from hub.credit.features.reading import Reading
from hub.credit.features.standing import registration
from hub.credit.maths import median
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import (
    BehaviourSession,
    BusinessRegistration,
    EducationRecord,
    IdentityVerification,
    PublicRecord,
    SocialInsuranceEnrolment,
)
from hub.domain.periods import china_day, first_day, full_months

D90 = Span(days=90)
LEVELS = ("BELOW_HIGH", "HIGH", "COLLEGE", "BACHELOR", "MASTER", "DOCTOR")
RESULTS = ("UNAVAILABLE", "MATCH", "MISMATCH")
"""Of several checks of one day the last in this order counts."""


@formula("op_age", Unit.YEARS)
def age(read: Reading) -> Value:
    """Full years at as-of, from the date of birth in the resident ID."""
    return full_months(read.known(read.dossier.subject.birth_on), read.dossier.as_of) // 12


@formula("op_industry_years", Unit.YEARS, reads=[Reads(ALL, (BusinessRegistration, SocialInsuranceEnrolment))])
def industry_years(read: Reading) -> Value:
    """Full years since the person's first verified role or enrolment in the division of the business. Roles and enrolments in other businesses are not known by
    industry, so only those in the subject's own business count."""
    own = registration(read)
    began = [own.responsible_since or own.established_on] if own.responsible == read.person_hash else []
    enrolments = [one for one in read.dossier.of(SocialInsuranceEnrolment) if one.person == read.person_hash and one.employer == own.uscc]
    began += [first_day(one.first_month) for one in enrolments if one.first_month]
    return full_months(read.known(min(began, default=None)), read.dossier.as_of) // 12


@formula("op_education", Unit.ENUM, reads=[Reads(ALL, (EducationRecord,))])
def education(read: Reading) -> Value:
    """Highest verified level of education. Null when there is no verified record."""
    read.need(SourceKind.IDENTITY)
    own = [one.level for one in read.dossier.of(EducationRecord) if one.person == read.person_hash and one.verified]
    return read.known(max(own, key=LEVELS.index, default=None))


@formula("op_identity_verified", Unit.BOOL, reads=[Reads(ALL, (IdentityVerification,))])
def identity_verified(read: Reading) -> Value:
    """Whether the person's latest identity check is a MATCH; MISMATCH is false. UPSTREAM_ERROR when the latest one was unavailable, STALE when it is older than
    180 days."""
    read.need(SourceKind.IDENTITY)
    own = [one for one in read.dossier.of(IdentityVerification) if one.person == read.person_hash]
    latest = read.known(max(own, key=lambda one: (one.checked_on, RESULTS.index(one.result)), default=None))
    if (read.dossier.as_of - latest.checked_on).days > read.parameters.identity_days:
        raise Null(MissingReason.STALE)
    if latest.result == "UNAVAILABLE":
        raise Null(MissingReason.UPSTREAM_ERROR)
    return latest.result == "MATCH"


@formula("op_other_orgs", Unit.COUNT, reads=[Reads(ALL, (BusinessRegistration,))])
def other_orgs(read: Reading) -> Value:
    """Number of other ACTIVE organisations the person stands for or holds at least 20 % of. Null while the register was only asked about the subject's own."""
    read.need(SourceKind.REGISTRATION)
    others = [one for one in read.dossier.of(BusinessRegistration) if one.uscc != read.dossier.subject.uscc]
    if not others:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum(1 for one in others if one.status == "ACTIVE" and one.responsible == read.person_hash)


@formula("op_legal_rep_stable_months", Unit.MONTHS, reads=[Reads(ALL, (BusinessRegistration,))])
def legal_rep_stable_months(read: Reading) -> Value:
    """Full months since the last change of the legal representative or operator; since the establishment when there was none."""
    own = registration(read)
    return full_months(own.responsible_since or own.established_on, read.dossier.as_of)


@formula("op_open_litigation", Unit.COUNT, reads=[Reads(ALL, (PublicRecord,))])
def open_litigation(read: Reading) -> Value:
    """Number of open cases against the subject: as defendant, enforcement, dishonest debtor. The plaintiff's side is not adverse."""
    read.need(SourceKind.PUBLIC_RECORD)
    return sum(1 for one in read.dossier.of(PublicRecord) if one.status == "OPEN" and one.role != "PLAINTIFF")


@formula("op_device_count", Unit.COUNT, span=D90, reads=[Reads(D90, (BehaviourSession,))])
def device_count(read: Reading) -> Value:
    """Number of distinct devices in the sessions of the 90 days before as-of. Fraud prevention only."""
    return len({one.device for one in _sessions(read)})


@formula("op_form_seconds", Unit.SECONDS, span=D90, reads=[Reads(D90, (BehaviourSession,))])
def form_seconds(read: Reading) -> Value:
    """Median seconds spent on the form in the sessions of the last day that has any (录入速度). Fraud prevention only."""
    last = [Decimal(one.form_seconds) for one in _last_sessions(read) if one.form_seconds is not None]
    return read.known(median(last))


@formula("op_paste_ratio", Unit.RATIO, span=D90, reads=[Reads(D90, (BehaviourSession,))])
def paste_ratio(read: Reading) -> Value:
    """Median pasted share of the input in the sessions of the last day that has any. Fraud prevention only."""
    return read.known(median([one.paste_ratio for one in _last_sessions(read) if one.paste_ratio is not None]))


def _sessions(read: Reading) -> list[BehaviourSession]:
    """Sessions of the 90 days before as-of, as-of itself excluded."""
    read.need(SourceKind.DEVICE)
    first, before = read.dossier.as_of - timedelta(days=90), read.dossier.as_of
    found = [one for one in read.dossier.of(BehaviourSession) if first <= china_day(one.at) < before]
    if not found:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


def _last_sessions(read: Reading) -> list[BehaviourSession]:
    found = _sessions(read)
    last: date = max(china_day(one.at) for one in found)
    return [one for one in found if china_day(one.at) == last]
