"""The impact assessments that stand in connectors.json, beside the addresses that they let be called; and which connectors lack one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
import typer
from rich.table import Table

from hub.access.audit.assessed import note_assessed
from hub.cli.options import emit, paper, settings
from hub.cli.place import require_begun
from hub.cli.runtime import ASSESSMENT, Configs, Runtime, read_configs
from hub.domain.assessments import Assessment
from hub.errors import FixConfiguration
from hub.settings import Settings
from hub.sync.approved import addresses

SIMULATED = {"id": "PIPIA-SIMULATED", "on": "2026-01-01"}
"""What is said of simulated platforms: nobody's data are fetched from them."""


def read_assessments(chosen: Settings) -> dict[str, Assessment]:
    """Of each connector that states one. Raises FixConfiguration for what is none."""
    if not read_configs(chosen):
        return {}
    found: Mapping[str, Mapping[str, object]] = orjson.loads(chosen.connectors_file.read_bytes())
    return {name: _assessment(name, values[ASSESSMENT]) for name, values in found.items() if ASSESSMENT in values}


def _assessment(name: str, value: object) -> Assessment:
    found = Assessment.of(value)
    if found is None:
        raise FixConfiguration(
            f"The {ASSESSMENT} of {name} in connectors.json is none.", remedy='Write it like {"id": "PIPIA-2026-014", "on": "2026-01-05"}.'
        )
    return found


def simulated(configs: Configs) -> dict[str, Assessment]:
    """For simulated platforms."""
    return {name: _assessment(name, SIMULATED) for name in configs}


async def require_assessed(runtime: Runtime, stated: Mapping[str, Assessment]) -> tuple[str, ...]:
    """The connectors that are enabled without an assessment. Raises FixConfiguration for those that may not be."""
    allowed = {name: addresses(config) for name, config in runtime.equipment.configs.items()}
    return await note_assessed(runtime.database, runtime.vault.keys, allowed, stated)


def print_assessments(home: Path | None, *, as_json: bool) -> None:
    """Exit code 1 when a connector lacks one."""
    chosen = settings(home)
    if not chosen.connectors_file.exists():
        require_begun(chosen)
    stated, names = read_assessments(chosen), sorted(read_configs(chosen))
    rows = [(name, stated.get(name)) for name in names]
    if as_json:
        emit([{"connector": name, "assessment": one and one.id, "assessed_on": one and str(one.on)} for name, one in rows])
    else:
        table = Table("connector", "assessment", "day", title="Impact assessments (PIPL 55)")
        for name, one in rows:
            table.add_row(name, one.id if one else "not stated", str(one.on) if one else "")
        paper.print(table)
    if len(stated) < len(names):
        raise typer.Exit(1)
