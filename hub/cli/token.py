"""``hub token``: an access token of a client whose key lies in the home, for scripts."""

from __future__ import annotations

import sys
from pathlib import Path

from hub.cli import until
from hub.cli.caller import Caller, read_side
from hub.cli.options import console, emit, settings


def run(client: str, home: Path | None, url: str | None, *, as_json: bool) -> None:
    until.run(_token(client, settings(home).home, url, as_json))


async def _token(client: str, home: Path, url: str | None, as_json: bool) -> None:
    """An internal client that was registered as bearer gets an unbound token; any other one a token bound to its key."""
    caller = Caller(read_side(_home_of(home, client), client, url))
    try:
        answer = await caller.token(bearer=True)
    finally:
        await caller.close()
    if as_json:
        emit(answer)
        return
    sys.stdout.write(answer["access_token"] + "\n")
    console.print(f"{answer['token_type']} token for {caller.side.graphql_url}, valid for {answer['expires_in']} s.")


def _home_of(home: Path, client: str) -> Path:
    """The home itself, or the demo's below it when only that one knows the client."""
    demo = home / "demo"
    here = (home / "clients" / f"{client}.json").exists()
    return demo if not here and (demo / "clients" / f"{client}.json").exists() else home
