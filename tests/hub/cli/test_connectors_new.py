"""CONTRIBUTING's worked example, run: from nothing to a passing connector in one folder plus one registry line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.connectors import new

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("connectors", "hub", "schema", "migrations", "tests", "pyproject.toml")
_WITHOUT = [part for name in ("randomly", "cacheprovider", "hypothesispytest", "xdist") for part in ("-p", f"no:{name}")]
TESTED = ("-m", "pytest", "-q", *_WITHOUT, "tests/connectors/test_toy_shop.py")


def _run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # What is compiled is kept in the copy, whatever the environment says: it is run several times.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a new connector in it: compiled modules and what mypy knows come along, so that nothing is found out twice."""
    target = tmp_path_factory.mktemp("project")
    for part in PARTS:
        if (ROOT / part).is_dir():
            # Another process may be writing a compiled module right now, under a name that is gone in a moment.
            shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy(ROOT / part, target / part)
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", target / ".mypy_cache")
    made = _run(target, "-c", "from hub.cli import main; main()", "connectors", "new", "toy_shop")
    assert made.returncode == 0, made.stderr
    return target


def test_a_new_connector_passes_as_it_is(tree: Path) -> None:
    assert '    "taobao",\n    "toy_shop",\n' in (tree / "connectors" / "registry.py").read_text("utf-8")
    tested = _run(tree, *TESTED)
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    linted = _run(tree, "-m", "ruff", "check", "-q", "--no-cache", "connectors/toy_shop", "tests/connectors/test_toy_shop.py")
    assert linted.returncode == 0, linted.stdout
    typed = _run(tree, "-m", "mypy", "-p", "connectors.toy_shop")
    assert typed.returncode == 0, typed.stdout


def test_the_skeleton_lints_clean_under_any_name(tree: Path) -> None:
    """Before and after every other name in the order of imports, and as long as a name may be."""
    written = ["connectors/registry.py"]
    for name in ("a1", "sandbox_like", "zz_name_of_exactly_31_letters_x"):
        new(name, tree)
        written += [f"connectors/{name}", f"tests/connectors/test_{name}.py"]
    for check in (("check", "-q"), ("format", "-q", "--check")):
        done = _run(tree, "-m", "ruff", *check, "--no-cache", *written)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_fails_when_the_normaliser_is_wrong(tree: Path) -> None:
    stream = tree / "connectors" / "toy_shop" / "stream.py"
    right = stream.read_text("utf-8")
    stream.write_text(right.replace('_money(record, "gmv")', '_money(record, "refunds")'), "utf-8")
    try:
        tested = _run(tree, *TESTED)
    finally:
        stream.write_text(right, "utf-8")
    assert tested.returncode == 1


def test_a_bad_name_writes_nothing(tmp_path: Path) -> None:
    refused = _run(ROOT, "-c", "from hub.cli import main; main()", "connectors", "new", "Toy-Shop", "--root", str(tmp_path))
    assert refused.returncode == 1
    assert (
        refused.stderr
        == "hub: 'Toy-Shop' cannot be a connector's name. Use lower case letters, digits and underscores, no word of Python.\n"
    )
    assert list(tmp_path.iterdir()) == []
