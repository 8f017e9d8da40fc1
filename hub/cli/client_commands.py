"""``hub clients ...``: the commands, with the help that teaches them. What they do is in :mod:`hub.cli.clients`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Home, Json
from hub.domain.enums import Purpose

app = typer.Typer(help="The clients of this hub: who they are, what they may do, their keys, their end.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The client.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit; nothing personal.", show_default=False)]
# The scopes as they are declared (schema.access), which would be a third of the start; a test compares the two.
_PARTNERS = (
    "access:read behaviour:write consents:write customers:read customers:write disputes:write enhancement:evaluate enhancement:read "
    "links:write loans:read loans:write"
)
_INTERNALS = (
    f"{_PARTNERS} disputes:read evidence:read facts:read operations:read personal:reveal portfolios:read reference:read schema:introspect"
)
_ADMINS = (
    "clients:read clients:write customers:erase disputes:read disputes:resolve identity:write operations:read policies:approve "
    "policies:read policies:write portfolios:read portfolios:write reference:read reference:write schema:introspect"
)
ALLOWED = {"PARTNER": _PARTNERS, "INTERNAL": _INTERNALS, "ADMIN": _ADMINS}
_AUDIENCES = "PARTNER: an app outside, gets results. INTERNAL: a risk system of the institution. ADMIN: manages the hub."
_SCOPES = "A scope it may ask for. May be repeated. " + ". ".join(f"{name} allows {scopes}" for name, scopes in ALLOWED.items()) + "."
Audience = Annotated[str | None, typer.Option("--audience", help=_AUDIENCES, show_default=False)]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help=_SCOPES, show_default=False)]
FirstScopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help=f"{_SCOPES} `all`: all of its class. Needed for INTERNAL and ADMIN; a PARTNER's default is all of its class.",
        show_default=False,
    ),
]
Purposes = Annotated[
    list[str] | None,
    typer.Option("--purpose", help=f"A purpose it may name. May be repeated. Of: {', '.join(Purpose)}.", show_default=False),
]
Urls = Annotated[
    list[str] | None,
    typer.Option("--return-url", help="Where the link pages may send a customer back to. May be repeated.", show_default=False),
]
Name = Annotated[str | None, typer.Option("--name", help="Name for people.", show_default=False)]
Mode = Annotated[
    str | None,
    typer.Option(
        "--documents",
        help="OPEN: any document; AUDIT: unknown ones are noted; ONLY: stored ones alone (`hub documents add`). A PARTNER begins with ONLY, others with OPEN.",
        show_default=False,
    ),
]
Cost = Annotated[
    int | None,
    typer.Option("--cost-per-minute", help="What its operations may cost in one minute. Default: as its class.", show_default=False),
]
ListedFrom = Annotated[
    str | None,
    typer.Option(
        "--listed-from", help="Of a PARTNER: first day on the public list of platforms, such as 2026-01-31; without it it gets no offers."
    ),
]
ListedTo = Annotated[
    str | None, typer.Option("--listed-to", help="Last day on it; one that is over takes it off. Default: until further notice.")
]
ListedIn = Annotated[str | None, typer.Option("--listed-in", help="Where the list is published.")]
Bearer = Annotated[bool | None, typer.Option("--bearer/--bound", help="Whether it may use unbound tokens; never for partners.")]


@app.command("list")
def list_(home: Home = None, json: Json = False) -> None:
    """Every client: class, scopes, purposes, keys by thumbprint, when it was registered, last there, disabled."""
    from hub.cli.clients import show

    show(home, as_json=json)


@app.command()
def register(
    client: Id,
    audience: Annotated[str, typer.Option("--audience", help=_AUDIENCES, show_default=False)],
    scope: FirstScopes = None,
    purpose: Purposes = None,
    return_url: Urls = None,
    name: Name = None,
    bearer: Bearer = None,
    documents: Mode = None,
    cost_per_minute: Cost = None,
    listed_from: ListedFrom = None,
    listed_to: ListedTo = None,
    listed_in: ListedIn = None,
    jwks: Annotated[
        Path | None,
        typer.Option("--jwks", help="File of its public keys (a JSON Web Key Set). Default: a key is made and kept in HOME/clients."),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Registers a client, and prints what it may ask for. A PARTNER asks with stored documents only, unless --documents says otherwise (`hub documents add`)."""
    from hub.access.client_life import Change
    from hub.cli.clients import register as run

    change = Change(
        name or client,
        audience,
        _all(scope),
        _all(purpose) or (),
        _all(return_url) or (),
        bool(bearer),
        documents,
        cost_per_minute,
        *_days(listed_from, listed_to),
        listed_in,
    )
    run(home, client, change, jwks, as_json=json)


@app.command()
def update(
    client: Id,
    audience: Audience = None,
    scope: Scopes = None,
    purpose: Purposes = None,
    return_url: Urls = None,
    name: Name = None,
    bearer: Bearer = None,
    documents: Mode = None,
    cost_per_minute: Cost = None,
    listed_from: ListedFrom = None,
    listed_to: ListedTo = None,
    listed_in: ListedIn = None,
    home: Home = None,
) -> None:
    """Changes what is named, and leaves the rest. Lists replace the ones before. It holds from the client's next request on."""
    from hub.access.client_life import Change
    from hub.cli.clients import update as run

    may = (_all(scope), _all(purpose), _all(return_url), bearer, documents, cost_per_minute)
    run(home, client, Change(name, audience, *may, *_days(listed_from, listed_to), listed_in))


@app.command("add-key")
def add_key(
    client: Id,
    jwk: Annotated[Path, typer.Option("--jwk", help="File of the public key (a JSON Web Key).", show_default=False)],
    home: Home = None,
) -> None:
    """Adds the key that follows the present one: from now on both count."""
    from hub.cli.clients import add_key as run

    run(home, client, jwk)


# A thumbprint may begin with a dash.
@app.command("retire-key", context_settings={"ignore_unknown_options": True})
def retire_key(
    client: Id,
    thumbprint: Annotated[str, typer.Argument(help="Which key: `hub clients list` shows it.", show_default=False)],
    home: Home = None,
) -> None:
    """Retires a key: nothing that is signed with it proves the client any more."""
    from hub.cli.clients import retire_key as run

    run(home, client, thumbprint)


@app.command()
def disable(client: Id, reason: Reason, home: Home = None) -> None:
    """Refuses the client from its next request on, whatever tokens it holds."""
    from hub.cli.clients import disable as run

    run(home, client, reason)


@app.command()
def enable(client: Id, reason: Reason, home: Home = None) -> None:
    """Lets a disabled client ask for tokens again. Tokens from before stay ended."""
    from hub.cli.clients import enable as run

    run(home, client, reason)


@app.command("revoke-tokens")
def revoke_tokens(client: Id, reason: Reason, home: Home = None) -> None:
    """Ends every token of the client, from its next request on. It may ask for new ones."""
    from hub.cli.clients import revoke_tokens as run

    run(home, client, reason)


def _all(given: list[str] | None) -> tuple[str, ...] | None:
    return tuple(given) if given else None


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    try:
        return (first and date.fromisoformat(first)) or None, (last and date.fromisoformat(last)) or None
    except ValueError:
        raise typer.BadParameter("a day is written like 2026-01-31") from None
