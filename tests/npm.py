"""Packages of npm and PyPI that a test speaks with and the hub does not need: installed outside the tree, once per set of versions, whole or not at all.

Skips, and says why, where they cannot be made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PATIENCE = 300
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--save-exact")


def installed(package_specs: Sequence[str]) -> Path:
    """The folder whose ``node_modules`` holds these packages, each given with its version: ``("typescript@7.0.2",)``."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are not there: nothing was checked with {', '.join(package_specs)}")

    def make(fresh: Path) -> bool:
        (fresh / "package.json").write_text('{"private": true}')
        return _ran(["npm", "install", *_QUIET, *package_specs], fresh)

    return _once("npm", package_specs, make)


def python_with(package_specs: Sequence[str]) -> Path:
    """The interpreter of an environment of its own with these packages of PyPI, for what does not fit the hub's lock."""
    uv = [sys.executable, "-m", "uv"]

    def make(fresh: Path) -> bool:
        here = [*uv, "pip", "install", "--quiet", "--python", str(fresh / "bin" / "python"), *package_specs]
        return _ran([*uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(fresh)], fresh) and _ran(here, fresh)

    return _once("pypi", package_specs, make) / "bin" / "python"


def _once(kind: str, package_specs: Sequence[str], make: Callable[[Path], bool]) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zengxin-hub-tests"
    named = "\n".join((kind, sys.version if kind == "pypi" else "", *sorted(package_specs)))
    folder = cache / f"{kind}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        # Two processes may do it at the same time: whoever is first stays.
        if make(fresh) and not folder.exists():
            fresh.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
    if not folder.exists():
        pytest.skip(f"{', '.join(package_specs)} could not be installed (is there a network?): nothing was checked with it")
    return folder


def _ran(command: Sequence[str], folder: Path) -> bool:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=PATIENCE).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def locked(project: Path, package: str, lost: str) -> Path:
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
