"""The error tree, branched by who can remedy it.

HubError
  FixConfiguration      an operator must change a setting, a file or a secret
    PortOccupied, HubMissing, SchemaBehind, StoreUnguarded, SecretMissing, PersonaInvalid, PolicyInvalid, UnknownConnector, HomeInUse
  CustomerMustAct       the customer must consent or authorise again
    ConsentMissing, GrantRevoked
  CallerMustFix         the request is wrong; sending it again as it is cannot work
    NotAllowed, NotFound, InvalidInput, IdempotencyKeyMissing, KeyReused, TokenInvalid, TooSlow, DocumentUnknown, DocumentRequired
  WaitAndRetry          nothing is wrong that time does not heal
    PlatformBusy, LeaseLost, TwinRunning, TooManySubscriptions, BudgetSpent, StoreAway, CustomerDeclined
  PlatformFault         the platform broke its contract
    ContractBroken
  RecordUnreadable      one record is kept in quarantine; the rest goes on

The docstring is the default message. What is expected reaches the client by class; all else is masked and logged with an id.
"""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """Something went wrong in the hub."""

    remedy: str = ""

    def __init__(self, message: str | None = None, *, remedy: str | None = None, **facts: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.remedy = remedy or type(self).remedy
        self.facts = facts
        super().__init__(self.message)

    def sentence(self) -> str:
        """The message and its remedy, for a person."""
        return f"{self.message} {self.remedy}".strip()


class FixConfiguration(HubError):
    """A setting, a file or a secret is wrong."""


class PortOccupied(FixConfiguration):
    """The port is in use by another process."""

    remedy = "Choose another one with --port, or 0 for any free port."


class HubMissing(FixConfiguration):
    """There is no hub at this place."""

    remedy = "Check --home. `hub migrate` makes a hub there; `hub demo` makes one to look at."


class SchemaBehind(FixConfiguration):
    """The database has not been migrated to this version of the hub."""

    remedy = "Run `hub migrate` first."


class StoreUnguarded(FixConfiguration):
    """The database does not guard itself as it must."""

    remedy = "docs/deploy.md says how its roles are made."


class SecretMissing(FixConfiguration):
    """A secret is missing or does not open what it should open."""


class PersonaInvalid(FixConfiguration):
    """The persona file cannot be used."""


class PolicyInvalid(FixConfiguration):
    """The policy document cannot be published."""

    remedy = "`hub policies check FILE` tells every fault with its line."


class UnknownConnector(FixConfiguration):
    """There is no connector of that name."""

    remedy = "`hub connectors list` prints the names."


class HomeInUse(FixConfiguration):
    """Another process is using this home directory."""


class CustomerMustAct(HubError):
    """The customer must act before this can go on."""

    remedy = "The customer does so over a link: `createLinkSession` makes one."


class ConsentMissing(CustomerMustAct):
    """There is no valid consent for this."""

    remedy = "Ask the customer for it: `createLinkSession` makes an address for that."


class GrantRevoked(CustomerMustAct):
    """The platform no longer accepts the authorisation."""

    remedy = "The customer authorises the platform again, over a new link."


class CallerMustFix(HubError):
    """The request cannot be served as it is."""


class NotAllowed(CallerMustFix):
    """The client may not do this."""

    remedy = "Ask the institution's administrators whether it should."


class NotFound(CallerMustFix):
    """There is nothing under this identifier."""

    remedy = "Use an identifier as the hub gave it, of something that you may see."


class InvalidInput(CallerMustFix):
    """The input does not fit."""

    remedy = "Correct it: sent again as it is it cannot work."


class IdempotencyKeyMissing(CallerMustFix):
    """A mutation is asked under an idempotency key, and this one has none."""

    remedy = "Send idempotencyKey: 1 to 128 characters, a new one for each effect."


class KeyReused(CallerMustFix):
    """The idempotency key was used before for another input."""

    remedy = "Use a new key for a new request."


class TokenInvalid(CallerMustFix):
    """The access token or its proof is not valid."""


class TooSlow(CallerMustFix):
    """The operation took too long."""

    remedy = "Ask for less at once."


class DocumentUnknown(CallerMustFix):
    """No document of this digest is stored for the client."""

    remedy = "Send the institution the document; it stores what it has reviewed."


class DocumentRequired(CallerMustFix):
    """The client asks with stored documents only."""

    remedy = "Name a stored document by its SHA-256, as `documentId`."


class WaitAndRetry(HubError):
    """Try again later."""

    remedy = "Try again in a moment."


class PlatformBusy(WaitAndRetry):
    """The platform asks to wait."""


class LeaseLost(WaitAndRetry):
    """Another worker has taken over this connection."""


class TwinRunning(WaitAndRetry):
    """The same request is still being worked on."""

    remedy = "Send it again in a moment, with the same key."


class TooManySubscriptions(WaitAndRetry):
    """Too many subscriptions are open."""

    remedy = "End one that is no longer looked at, or watch a whole customer with one."


class BudgetSpent(WaitAndRetry):
    """The client has asked for as much as it may in this minute."""

    remedy = "Ask again after the time in the header Retry-After."

    @property
    def seconds(self) -> int:
        """Until it may ask again."""
        return int(self.facts.get("seconds", 60))


class StoreAway(WaitAndRetry):
    """The hub cannot reach its database now."""

    remedy = "Send it again after the time in the header Retry-After; a mutation with the same key."
    seconds = 2
    """Until it is worth asking again."""


class CustomerDeclined(WaitAndRetry):
    """The customer said no to this, and is not asked for it again so soon."""

    remedy = "Ask for other sources, or later."


class PlatformFault(HubError):
    """The platform did something it should not."""

    remedy = "Try again later; if it stays so, tell the platform."


class ContractBroken(PlatformFault):
    """The platform broke its documented contract."""


class RecordUnreadable(HubError):
    """A record cannot be turned into a fact."""
