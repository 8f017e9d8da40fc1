"""What a caller must hold to see a type or a field, or to run a mutation. Declared once, printed into the SDL, enforced by the plan.

A type declares for all its fields, a field may declare for itself. What declares nothing is refused at run time and fails a test. The scope
names the class of callers (:data:`SCOPES`); the level is the JR/T 0171-2020 class; the kind is what consent speaks about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry.schema_directive import Location

from hub.domain.enums import Sensitivity, SourceKind
from schema.types import enums as _enums  # noqa: F401  (every type sees the vocabularies registered)

SCOPES: Mapping[str, str] = {
    "customers:read": "Who the customers are, what was consented, connected and covered.",
    "customers:write": "Make a customer known to the hub.",
    "links:write": "Ask a customer for consent through the hosted link pages.",
    "consents:write": "Pass on that a customer withdraws, pauses, resumes or narrows a consent.",
    "behaviour:write": "Send device and behaviour sessions of the own app.",
    "enhancement:read": "Results of credit enhancement, with their reasons.",
    "enhancement:evaluate": "Ask for an evaluation.",
    "loans:read": "What the lender said of its loans: a partner's own words, everybody's for the institution itself.",
    "loans:write": "Say what the state of a customer's loans is.",
    "evidence:read": "How a result came about: features, checks, points, parts of the limit, series.",
    "facts:read": "The facts themselves, with their provenance.",
    "access:read": "Who asked for what of a customer: a partner's own reads, everybody's for the institution itself.",
    "operations:read": "How fetching goes: connections, runs, windows, attempts, waits, quarantine, platforms.",
    "identity:write": "Say which customers are one and the same: merge and split.",
    "clients:read": "Who the clients of this hub are: what they may do, their keys, when they were last there.",
    "clients:write": "Register, change, disable and enable the clients of this hub, exchange their keys and end their tokens.",
    "policies:read": "Policies with their versions; drafts, and what their trials have found.",
    "policies:write": "Draft policies, try and discard drafts.",
    "policies:approve": "Publish drafts that somebody else wrote, and take published versions back.",
    "portfolios:read": "Portfolios that are pre-screened: how far they are, and what they count.",
    "portfolios:write": "Have a portfolio pre-screened.",
    "reference:read": "What the lender knows or has configured: its reference documents, with their versions.",
    "reference:write": "Load reference documents, and edges of the relationship graph.",
    "disputes:write": "Pass on what a customer objects to.",
    "disputes:read": "What customers object to, until when it must be answered, and what became of it.",
    "disputes:resolve": "Answer what a customer objects to.",
    "personal:reveal": "One personal value at a time, in plain text.",
    "customers:erase": "Erase a whole subject, for good.",
    "schema:introspect": "Introspection of this schema.",
}

_POLICIES = {"policies:read", "policies:write", "policies:approve"}
_ADMINS = {
    *("clients:read", "clients:write", "customers:erase", "identity:write"),
    *("portfolios:write", "reference:write", "disputes:resolve"),
} | _POLICIES
_PARTNER = {
    "customers:read",
    "customers:write",
    "links:write",
    "consents:write",
    "behaviour:write",
    "enhancement:read",
    "enhancement:evaluate",
    "loans:read",
    "loans:write",
    "access:read",
    "disputes:write",
}

AUDIENCES: Mapping[str, frozenset[str]] = {
    "PARTNER": frozenset(_PARTNER),
    "INTERNAL": frozenset(set(SCOPES) - _ADMINS),
    "ADMIN": frozenset(_ADMINS | {"operations:read", "portfolios:read", "reference:read", "disputes:read", "schema:introspect"}),
}
"""The scopes a client of each audience may hold. Partner apps get results, not facts (domain brief, section 7)."""


class DataKind(Enum):
    """What a field speaks about beside the kinds of source."""

    PROFILE = "PROFILE"
    CONSENT = "CONSENT"
    OPERATIONS = "OPERATIONS"
    RESULT = "RESULT"
    EVIDENCE = "EVIDENCE"
    CLIENT = "CLIENT"
    POLICY = "POLICY"
    NONE = "NONE"


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.INTERFACE, Location.FIELD_DEFINITION],
    name="access",
    description="What a caller must hold: a scope. The level is the JR/T 0171-2020 class (C1 to C3), the kind is what the consent must cover.",
)
class Access:
    scope: str
    level: str
    kind: str


def access(scope: str, kind: DataKind | SourceKind = DataKind.NONE, level: Sensitivity = Sensitivity.C1) -> Access:
    """Declares an access rule. Raises KeyError for a scope that does not exist."""
    SCOPES[scope]
    return Access(scope=scope, level=level.value, kind=kind.value)


OPERATIONS = access("operations:read", DataKind.OPERATIONS)
"""For operators: an ADMIN client sees it for every customer, an INTERNAL one for those it was given. No fact, no name."""
ANYONE = Access(scope="anyone", level=Sensitivity.C1.value, kind=DataKind.NONE.value)
"""For what every authenticated client may see: problems, and payloads whose mutation has a rule of its own."""


def shown(doc: str, rule: Access | None = None) -> Any:
    """A field with its description for a partner's developer, and its own access rule where it differs from the type's."""
    return strawberry.field(description=doc, directives=[rule] if rule else [])


def asked(doc: str, rule: Access | None = None, returns: Any = None, name: str | None = None) -> Callable[[Callable[..., Any]], Any]:
    """A field with arguments: decorates the function that declares them. ``returns`` where an annotation cannot say it, ``name`` where Python's is another."""
    made: Callable[[Callable[..., Any]], Any] = strawberry.field(
        name=name, description=doc, directives=[rule] if rule else [], graphql_type=returns
    )
    return made


def pushed(doc: str, returns: Any, rule: Access | None = None) -> Callable[[Callable[..., Any]], Any]:
    """A field of Subscription: decorates the function that declares its arguments."""
    made: Callable[[Callable[..., Any]], Any] = strawberry.subscription(
        description=doc, graphql_type=returns, directives=[rule] if rule else []
    )
    return made


def stored() -> Any:
    """The body of a field whose value comes from the store: it is never run (:mod:`schema.plan`)."""
    raise NotImplementedError("a stored field is answered by the plan")
