"""``hub sandbox``: the simulated platforms as real HTTP servers on loopback."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import orjson
from rich.table import Table

from connectors import registry
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from connectors.sandbox.serve import Sandbox
from hub.cli import until
from hub.cli.assessments import SIMULATED
from hub.cli.courier import courier
from hub.cli.options import console, emit
from hub.cli.runtime import ASSESSMENT
from hub.cli.until import Stop
from hub.errors import InvalidInput, PersonaInvalid


def own_personas() -> list[Persona]:
    """The personas that come with the project."""
    with as_file(files("connectors.sandbox") / "personas") as folder:
        return [load(path) for path in sorted(folder.glob("*.json"))]


def read_personas(path: Path | None) -> list[Persona]:
    """One file, or every file of a directory that is a persona. Raises PersonaInvalid."""
    if path is None:
        return own_personas()
    if not path.is_dir():
        return [load(path)]
    found = [load(file) for file in sorted(path.glob("*.json")) if _is_persona(file)]
    if not found:
        raise PersonaInvalid(f"There is no persona in {path}.", remedy="Name a directory with JSON files of the format persona/1.")
    return found


def _is_persona(path: Path) -> bool:
    """A directory may hold schemas beside personas; a file that says it is a persona must be a good one."""
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return True
    return isinstance(document, dict) and document.get("format") == "persona/1"


def redirects_of(named: list[str], hub: str | None) -> tuple[str, ...]:
    """The redirect URIs to register: those named, and for a hub its link pages' one per connector. Raises InvalidInput."""
    found = [*named, *(f"{hub.rstrip('/')}/link/callback/{name}" for name in registry.NAMES)] if hub else named
    for uri in found:
        if not uri.startswith(("https://", "http://")):
            raise InvalidInput(f"{uri!r} is no address to redirect to.", remedy="Write it whole, like http://127.0.0.1:8080.")
    return tuple(found)


def run(
    personas: Path | None, port: int, *, as_json: bool, redirects: tuple[str, ...], hooks: dict[str, str], connectors_file: Path | None
) -> None:
    world = World(tuple(read_personas(personas)), redirects, hooks=hooks)
    until.run(_serve(world, port, as_json, connectors_file))


def start_platforms(world: World, port: int = 0) -> Sandbox:
    """Every platform of the registry, bound but not yet serving."""
    return Sandbox({name: registry.simulate(name, world) for name in registry.NAMES}, port=port)


async def _serve(world: World, port: int, as_json: bool, connectors_file: Path | None) -> None:
    sandbox = start_platforms(world, port)
    await sandbox.start()
    stop = Stop()
    if connectors_file:
        write_connectors(connectors_file, sandbox)
    if as_json:
        emit({"personas": [persona.id for persona in world.personas], "platforms": [one.describe() for one in sandbox.running.values()]})
    else:
        _print(sandbox)
        console.print(
            f"They live on {world.personas[0].known_at.isoformat()}: start the hub with HUB_CLOCK={world.personas[0].known_at.isoformat()}."
        )
    async with courier(world):
        await stop.wait()
    await sandbox.stop()


def write_connectors(path: Path, sandbox: Sandbox) -> None:
    """The connectors.json of a hub that uses these platforms. Secrets are in it, so nobody else may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps({name: {**one.config(), ASSESSMENT: SIMULATED} for name, one in sandbox.running.items()}))


def _print(sandbox: Sandbox) -> None:
    table = Table("platform", "base URL", title="Simulated platforms (Ctrl-C ends them; --json prints credentials for outside clients)")
    for name, one in sandbox.running.items():
        table.add_row(name, one.base_url)
    console.print(table)
