"""The command ``hub`` many times over, without loading it as often.

A process imports it once and then forks a child per command: environment, arguments, output and exit code are the child's own, as an operator's would be.
That ``python -m hub.cli`` itself works is shown by whatever else starts it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"HUB_GRANTEE": "甬江普惠银行", "COLUMNS": "200"}
LOADED = ("hub.cli", "hub.cli.evaluate", "hub.cli.sandbox", "hub.cli.history", "hub.cli.token", "hub.cli.demo")
LONGEST = 120
"""Seconds until a command is ended that does not end."""


class Hub:
    """Runs commands in children of a process that stands ready."""

    def __init__(self, ready: subprocess.Popen[str], home: Path) -> None:
        self.ready, self.home = ready, home

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        out, err = (self.home / name for name in ("stdout", "stderr"))
        asked = {
            "arguments": arguments,
            "environment": {**os.environ, **ENVIRONMENT, **(environment or {})},
            "out": str(out),
            "err": str(err),
        }
        assert self.ready.stdin is not None and self.ready.stdout is not None
        self.ready.stdin.write(json.dumps(asked) + "\n")
        self.ready.stdin.flush()
        code = int(self.ready.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text("utf-8"), err.read_text("utf-8"))

    def refusal(self, *arguments: str, environment: Mapping[str, str] | None = None, code: int = 1) -> str:
        """What a failing command says: one line on stderr, nothing on stdout."""
        ran = self(*arguments, environment=environment)
        assert ran.returncode == code, ran.stderr
        assert ran.stdout == ""
        lines = ran.stderr.strip().splitlines()
        assert len(lines) == 1, ran.stderr
        return lines[0]


@contextmanager
def standing_ready(home: Path) -> Iterator[Hub]:
    command = [sys.executable, "-m", "tests.e2e.forked"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **ENVIRONMENT}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as ready:
        yield Hub(ready, home)
        assert ready.stdin is not None
        ready.stdin.close()
        assert ready.wait(30) == 0


def main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    # A child that looked through all of this for garbage at its end would copy it first.
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            # The child leaves through here and ends as any process does, with all that is to be done at its end.
            return _become(**json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
    return None


def _become(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    from hub.cli import main as command

    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["hub", *arguments]
    signal.alarm(LONGEST)
    command()


if __name__ == "__main__":
    main()
