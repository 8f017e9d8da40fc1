"""The command line: the composition root that people meet. One module per command; this one only wires them and speaks of errors."""

from __future__ import annotations

import sys

from hub.cli.root import app
from hub.errors import HubError


def main() -> None:
    """Runs a command. An expected error is one sentence with its remedy on stderr and exit code 1."""
    try:
        app(standalone_mode=True)
    except HubError as error:
        sys.stderr.write(f"hub: {error.sentence()}\n")
        raise SystemExit(1) from None
