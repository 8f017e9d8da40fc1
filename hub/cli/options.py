"""Options that several commands share, and where output goes."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console

from hub.errors import FixConfiguration
from hub.settings import Settings

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Data, keys and the embedded PostgreSQL. Default: under the user's data folder.", show_default=False),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any free one.")]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout and nothing else there.")]

console = Console(stderr=True, highlight=False)
"""For people, on stderr: what a command does, and did. Data goes to stdout through :func:`emit`."""
paper = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
"""For people, on stdout: what they asked to see. A file, or another command, has no width that lines must be broken to."""


def settings(home: Path | None, **values: Any) -> Settings:
    """The settings of this process: environment first, then the command's options."""
    chosen: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if home:
        chosen["home"] = home.expanduser().resolve()
    try:
        return Settings(**chosen)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = f"HUB_{fault['loc'][0]}".upper()
        raise FixConfiguration(f"{name} cannot be used: {fault['msg']}.", remedy="Correct the environment variable.") from None
    except SettingsError as error:
        raise FixConfiguration(
            f"A HUB_ variable cannot be read: {error}.", remedy='A list is written as JSON, like ["10.0.0.0/8"].'
        ) from None


def plain(value: Any) -> str:
    """A value in words, for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name}: {plain(one)}" for name, one in value.items()) or "none"
        case list() | tuple() | set() | frozenset():
            return " ".join(plain(one) for one in value) or "none"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value)


def emit(value: Any) -> None:
    """Prints JSON on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()
