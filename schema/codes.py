"""Every error has a code: stable, for machines, in ``extensions.code``. The words beside it are for people and may change.

An error of ours has the name of its class in capitals; one of GraphQL's is marked where it is made (:func:`coded`). docs/partners.md prints :data:`CODES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from graphql import GraphQLError, GraphQLSyntaxError

from hub.errors import BudgetSpent, CallerMustFix, CustomerMustAct, HubError, StoreAway, TooSlow

CODES: Mapping[str, tuple[int, str]] = {
    "BAD_REQUEST": (
        400,
        "The HTTP request is no GraphQL request: its address, method, media types, body or size. It answers 400, 404, 405, 406, 413, 415 or 421.",
    ),
    "PARSE_FAILED": (400, "The document is not GraphQL."),
    "VALIDATION_FAILED": (400, "The document does not fit the contract."),
    "DOCUMENT_TOO_LARGE": (400, "The document holds too much: the message says of what."),
    "OPERATION_UNKNOWN": (400, "`operationName` does not choose one operation of the document, or the operation is not served this way."),
    "VARIABLES_INVALID": (400, "A variable or an argument does not fit its type."),
    "COST_TOO_HIGH": (400, "The operation asks for too much at once. Ask for smaller pages, or in several operations."),
    "DOCUMENT_UNKNOWN": (400, "No document of this digest is stored for the client."),
    "DOCUMENT_REQUIRED": (400, "The client asks with stored documents only."),
    "INVALID_INPUT": (400, "A value is of the right type and cannot be: a page size, a cursor, a day."),
    "NOT_ALLOWED": (400, "The token lacks the scope that the message names."),
    "NOT_FOUND": (400, "There is nothing under this identifier, or the client may not know of it."),
    "CONSENT_MISSING": (400, "No consent of the customer lets this be done."),
    "IDEMPOTENCY_KEY_MISSING": (400, "A mutation needs an `idempotencyKey`, and this one has none, or null."),
    "TOKEN_INVALID": (401, "The token or its proof is missing, not good, or no longer good. Get a new one."),
    "RATE_LIMITED": (429, "The client has asked for as much as it may in this minute. Ask again after `Retry-After` seconds."),
    "TIMEOUT": (503, "The operation took too long and was ended. Ask for less at once."),
    "UNAVAILABLE": (503, "The hub cannot reach its database now. Ask again after `Retry-After` seconds; a mutation with the same key."),
    "TOO_MANY_SUBSCRIPTIONS": (400, "Too many subscriptions are open. End one."),
    "TRY_LATER": (400, "Nothing is wrong that time does not heal."),
    "INTERNAL": (500, "Something went wrong in the hub. Tell us the `id`: it is in our log."),
}
"""By code: the HTTP status of an answer without data, as ``application/graphql-response+json``; what it means, and what to do."""

ALWAYS = frozenset({"RATE_LIMITED", "TIMEOUT", "TOKEN_INVALID", "UNAVAILABLE"})
"""Codes whose status holds in every media type: what stands between a client and the hub reads the status alone."""

_KINDS = ((CallerMustFix, "INVALID_INPUT"), (CustomerMustAct, "CONSENT_MISSING"))
_OWN = {TooSlow: "TIMEOUT", BudgetSpent: "RATE_LIMITED", StoreAway: "UNAVAILABLE"}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def coded(error: GraphQLError, code: str) -> GraphQLError:
    """The same error, with its code."""
    error.extensions = {**(error.extensions or {}), "code": code}
    return error


def code_of(error: Exception) -> str:
    """The code of an error that is shown as it is."""
    if isinstance(error, HubError):
        code = _OWN.get(type(error)) or _WORD.sub("_", type(error).__name__).upper()
        return code if code in CODES else next((code for kind, code in _KINDS if isinstance(error, kind)), "TRY_LATER")
    if isinstance(error, GraphQLSyntaxError):
        return "PARSE_FAILED"
    found = str((getattr(error, "extensions", None) or {}).get("code", ""))
    return found if found in CODES else "VARIABLES_INVALID"
