"""The hub's API in a process of its own. ``guarded``: as ``hub serve`` builds it. Else the same endpoint with everything taken off that PostGraphile does not do: no token is
asked for, no consent, no row-level security (it reads as superuser, like the peer), nothing is logged.

Prints its address; ends when its standard input does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import uvloop
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from bench.kit.ground import GRANTEE, NOON
from bench.kit.process import until_told_or_alone
from bench.read.growing import CLIENT, PURPOSE
from bench.read.settings import Post
from connectors.sandbox.serve import Server, bind
from hub.access.documents import Documents
from hub.access.meter import Meter
from hub.app import AppRuntime, Handler, HostCheck, Straight, build_app
from hub.cli import logs
from hub.cli.until import Stop
from hub.domain.audit import Accessed
from hub.domain.caller import Admitted, Caller, Pending
from hub.domain.clock import Clock
from hub.domain.facts import all_specs
from hub.domain.facts.names import list_name
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.view import CATALOGUE, Pulse, Reader, ViewSettings
from hub.store.view.catalogue import Catalogue, One, Paged, Rows, RowsOf
from hub.store.view.catalogue import Scope as Place
from hub.store.view.gate import as_known
from hub.store.view.merged import is_part
from hub.vault import FileKeys
from schema.access import AUDIENCES
from schema.contract import build_schema
from schema.endpoint import Endpoint
from schema.services import Services

ANYBODY = Caller(CLIENT, "INTERNAL", AUDIENCES["INTERNAL"], PURPOSE)


class Nothing:
    """No log."""

    async def write(self, rows: Sequence[Accessed], pending: Pending | None) -> None:
        return


def without_consent() -> Catalogue:
    """The catalogue whose facts and evaluations are shown whoever consented."""
    customer = CATALOGUE["Customer"]
    evaluation = customer.members["evaluation"]
    assert isinstance(evaluation, One)
    members = {**customer.members, "evaluation": replace(evaluation, rows=lambda t, place: Rows(f"evaluation {t}", (is_part(t, place),)))}
    for spec in all_specs():
        page = customer.members[list_name(spec)]
        assert isinstance(page, Paged)
        members[list_name(spec)] = replace(page, rows=_all_of(spec.table))
    return {**CATALOGUE, "Customer": replace(customer, members=members)}


def _all_of(table: str) -> RowsOf:
    def rows(t: str, place: Place) -> Rows:
        return Rows(f"{table} {t}", (is_part(t, place), *as_known(t, place)))

    return rows


def bare(post: Post, origin: str) -> tuple[ASGIApp, Database]:
    assert post.urls.admin is not None
    database = Database(replace(post.urls, app=post.urls.admin))
    reader = Reader(database, without_consent(), ViewSettings(GRANTEE), clock(), Nothing())

    async def admit(_: HTTPConnection) -> Admitted:
        return Admitted(ANYBODY, "", 0, 0)

    meter, trusted = Meter(database), Documents(database)
    endpoint = Endpoint(
        build_schema(),
        reader,
        Pulse(database, clock(), None),
        services(),
        meter,
        trusted,
        admit,
        lambda _: (401, {}),
        dict,
        lambda _, digest: digest,
    )
    return HostCheck(Straight(Handler(endpoint), Starlette()), origin), database


def guarded(post: Post, origin: str) -> tuple[ASGIApp, Database]:
    database = Database(post.urls)
    return build_app(AppRuntime(database, FileKeys(post.home / "keys.json"), clock(), services(), ViewSettings(GRANTEE), origin)), database


def clock() -> Clock:
    return Clock(lambda: NOON)


def services() -> Services:
    async def unserved(*_: object) -> object:
        raise NotImplementedError("only reads are asked here")

    return Services(*[unserved] * len(Services.__dataclass_fields__))  # type: ignore[arg-type]


async def serve(post: Post) -> None:
    listener, stop = bind("127.0.0.1", 0), Stop()
    origin = "http://{}:{}".format(*listener.getsockname()[:2])
    app, database = (guarded if post.guarded else bare)(post, origin)
    server = Server(app, listener)
    await server.start()
    sys.stdout.write(f"{origin}\n")
    sys.stdout.flush()
    await until_told_or_alone(stop)
    await server.stop()
    await database.close()


if __name__ == "__main__":
    told = orjson.loads(sys.argv[1])
    # Its log goes where hub serve's goes, to stderr, which the bench gives a file.
    logs.configure(logging.INFO if told["guarded"] else logging.WARNING)
    uvloop.run(serve(Post(Path(told["home"]), Urls(**told["urls"]), told["guarded"])))
