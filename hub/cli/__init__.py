"""The command line: the composition root that people meet. One module per command; this one only wires them and speaks of errors."""

from __future__ import annotations

import gc
import logging
import sys

from hub.cli.logs import configure
from hub.cli.root import app
from hub.errors import HubError


def main() -> None:
    """Runs a command. An expected error is one sentence with its remedy on stderr and exit code 1."""
    # What a command imports is there to stay: to look through it for garbage, again and again, is a seventh of the start. `until.run` begins to look.
    gc.disable()
    # A person at a terminal watches progress and wants to hear of trouble only; elsewhere the log is the progress.
    configure(logging.WARNING if sys.stderr.isatty() else logging.INFO)
    try:
        app(standalone_mode=True)
    except HubError as error:
        sys.stderr.write(f"hub: {error.sentence()}\n")
        raise SystemExit(1) from None
    except OSError as error:
        # Files and directories that are missing, of the wrong kind or not permitted: the operator's, like any other setting.
        place = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"hub: {place}{error.strerror or error}. Check the path and its permissions.\n")
        raise SystemExit(1) from None
