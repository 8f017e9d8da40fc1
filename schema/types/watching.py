"""The fields of Query for operators; Query inherits them. And Subscription, which watches the same live."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import strawberry

from hub.domain.enums import ConnectionStatus
from schema.access import OPERATIONS, asked, pushed, stored
from schema.types.identity_event import IdentityEvent
from schema.types.pages import After, Connection, First
from schema.types.platform_status import PlatformStatus
from schema.types.profile_change import PROFILE_RULE, ProfileNews
from schema.types.quarantine_group import RecordDrift
from schema.types.watched_connection import Verdicts, WatchedConnection, WatchedRun

Connector = Annotated[str | None, strawberry.argument(description="Only of this platform.")]
OfCustomer = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this customer: an opaque id.")]
OfConnection = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this connection: the `id` of a connection.")]
Statuses = Annotated[list[ConnectionStatus] | None, strawberry.argument(description="Only with these states.")]
EndsBefore = Annotated[
    datetime | None,
    strawberry.argument(description="Only ACTIVE ones whose grant, or one of whose consents in force, ends before this instant."),
]

TheCustomer = Annotated[strawberry.ID, strawberry.argument(description="Opaque id of the customer.")]
AfterNews = Annotated[str | None, strawberry.argument(description="Everything behind this `cursor` of an answer. Default: from now on.")]
AccountShared = Annotated[
    bool | None,
    strawberry.argument(description="Only those whose account at the platform is also that of another connection; false: only the others."),
]


@strawberry.type
class Watching:
    """See the module."""

    @asked("Connections of all customers that the client may watch, newest first.", OPERATIONS, Connection[WatchedConnection])
    def sync_connections(
        self,
        first: First = 20,
        after: After = None,
        connector: Connector = None,
        customer_id: OfCustomer = None,
        statuses: Statuses = None,
        verdicts: Verdicts = None,
        ends_before: EndsBefore = None,
        account_shared: AccountShared = None,
    ) -> Any:
        return stored()

    @asked("Runs of all customers that the client may watch, newest first.", OPERATIONS, Connection[WatchedRun])
    def sync_runs(
        self,
        first: First = 20,
        after: After = None,
        connector: Connector = None,
        customer_id: OfCustomer = None,
        connection_id: OfConnection = None,
        verdicts: Verdicts = None,
    ) -> Any:
        return stored()

    @asked("Changes of who customers are, newest first: parties, merges, splits.", OPERATIONS, Connection[IdentityEvent])
    def identity_events(self, first: First = 20, after: After = None, customer_id: OfCustomer = None) -> Any:
        return stored()

    @asked("Every platform credential that was called so far, with its quota and its circuit breaker.", OPERATIONS, list[PlatformStatus])
    def platforms(self, connector: Connector = None) -> Any:
        return stored()

    @asked("What has changed in the shape of platforms' records, seen last first; at most 100.", OPERATIONS, list[RecordDrift])
    def drift(self, first: First = 20, connector: Connector = None) -> Any:
        return stored()


@strawberry.type(
    description="What is pushed as it happens: over WebSocket (graphql-transport-ws) or server-sent events (Accept: text/event-stream).",
    directives=[OPERATIONS],
)
class Subscription:
    @pushed(
        "The connections of a customer, or one connection, as they are now and whenever something changes, at most once a second. It ends when the"
        " last run under way has a verdict and nothing more is due, when no consent is in force any more, and when nothing happens for five minutes."
        " Name a customer, a connection, or both.",
        list[WatchedConnection],
    )
    async def sync_progress(self, customer_id: OfCustomer = None, connection_id: OfConnection = None) -> AsyncGenerator[Any, None]:
        yield stored()

    @pushed(
        "That something of a customer has changed, and when: no data. The first answer comes at once, the next ones within a second of the transaction that made the"
        " change, each change once, in whatever order transactions end. It goes on until the token ends, and ends before that when no consent for the token's"
        " purpose is in force any more. Whoever lost the line goes on with the `cursor` of the last answer.",
        ProfileNews,
        PROFILE_RULE,
    )
    async def profile_changed(self, customer_id: TheCustomer, after: AfterNews = None) -> AsyncGenerator[Any, None]:
        yield stored()
