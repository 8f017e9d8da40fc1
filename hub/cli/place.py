"""Where a hub is, and where none: what a command says that finds nothing at its home, and the settings by which the other commands work on a demo's hub.

A demo's database has a name of its own and stands still on its persona's day. No command finds it by itself: whoever means it reads its settings into the shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from hub.errors import HubMissing
from hub.settings import Settings

FOLDER = "demo-files"


def demo_settings(home: Path) -> Path:
    """The settings of the demo in this home, for a shell."""
    return home / FOLDER / "settings.env"


def require_begun(settings: Settings) -> None:
    """Somebody has begun a hub here, or it is elsewhere, by URL. Raises HubMissing: a mistyped home is told, and not filled."""
    if settings.database_url is None and not (settings.cluster_dir / "PG_VERSION").exists():
        raise no_hub(settings)


def no_hub(settings: Settings) -> HubMissing:
    """What to do where there is none; a demo that lies there, or where demos lie, is named."""
    demo = next((path for home in (settings.home, settings.home / "demo") if (path := demo_settings(home)).exists()), None)
    meant = f" A demo's hub is there: `. {shlex.quote(str(demo))}` first, to look at that." if demo else ""
    return HubMissing(f"There is no hub in {settings.home}.", remedy=HubMissing.remedy + meant)


def write_demo_settings(home: Path, values: Mapping[str, str]) -> Path:
    """Written anew by each demo. Where the shell has a database by URL, that is not meant."""
    lines = [
        "# Read into a shell (`. FILE`), this makes every `hub` command there work on what the demo made.",
        "unset HUB_DATABASE_URL HUB_APP_DATABASE_URL HUB_WORKER_DATABASE_URL",
        *(f"export {name}={shlex.quote(value)}" for name, value in values.items()),
    ]
    path = demo_settings(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
