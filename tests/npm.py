"""Node packages that tests need: installed outside the tree, once per lock file, as the lock file says."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def installed(project: Path, package: str, lost: str) -> Path:
    """The folder whose ``node_modules`` hold what ``project`` (a folder with package.json and package-lock.json) asks for.

    Skips the test, and says why and what did not run (``lost``), where it cannot be made.
    """
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are not there: {lost} did not run")
    lock = (project / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zengxin-hub-tests"
    folder = cache / f"{package}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        _install(project, cache, folder)
    if not folder.exists():
        pytest.skip(f"npm could not install {package} (is there a network?): {lost} did not run")
    return folder


def _install(project: Path, cache: Path, folder: Path) -> None:
    """Whole or not at all: two processes may do it at the same time."""
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=cache))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(project / name, fresh)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    made = subprocess.run(command, cwd=fresh, capture_output=True, text=True, check=False, timeout=300)
    if made.returncode == 0 and not folder.exists():
        fresh.rename(folder)
    shutil.rmtree(fresh, ignore_errors=True)
