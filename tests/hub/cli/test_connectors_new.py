"""CONTRIBUTING's worked example, run: from nothing to a passing connector in one folder plus one registry line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("connectors", "hub", "schema", "migrations", "tests", "pyproject.toml")


def _run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False)


def _copy_of_the_tree(target: Path) -> Path:
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target / part)
    return target


def test_a_new_connector_passes_as_it_is(tmp_path: Path) -> None:
    tree = _copy_of_the_tree(tmp_path)
    made = _run(tree, "-c", "from hub.cli import main; main()", "connectors", "new", "toy_shop")
    assert made.returncode == 0, made.stderr
    assert '    "taobao",\n    "toy_shop",\n' in (tree / "connectors" / "registry.py").read_text("utf-8")
    tested = _run(tree, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "tests/connectors/test_toy_shop.py")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    linted = _run(tree, "-m", "ruff", "check", "-q", "--no-cache", "connectors/toy_shop", "tests/connectors/test_toy_shop.py")
    assert linted.returncode == 0, linted.stdout
    typed = _run(tree, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "-p", "connectors.toy_shop")
    assert typed.returncode == 0, typed.stdout


def test_the_skeleton_lints_clean_under_any_name(tmp_path: Path) -> None:
    """Before and after every other name in the order of imports, and as long as a name may be."""
    tree = _copy_of_the_tree(tmp_path)
    for name in ("a1", "sandbox_like", "zz_name_of_exactly_31_letters_x"):
        made = _run(tree, "-c", "from hub.cli import main; main()", "connectors", "new", name)
        assert made.returncode == 0, made.stderr
        written = (f"connectors/{name}", f"tests/connectors/test_{name}.py", "connectors/registry.py")
        for check in (("check", "-q"), ("format", "-q", "--check")):
            done = _run(tree, "-m", "ruff", *check, "--no-cache", *written)
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_fails_when_the_normaliser_is_wrong(tmp_path: Path) -> None:
    tree = _copy_of_the_tree(tmp_path)
    assert _run(tree, "-c", "from hub.cli import main; main()", "connectors", "new", "toy_shop").returncode == 0
    stream = tree / "connectors" / "toy_shop" / "stream.py"
    stream.write_text(stream.read_text("utf-8").replace('_money(record, "gmv")', '_money(record, "refunds")'), "utf-8")
    tested = _run(tree, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "tests/connectors/test_toy_shop.py")
    assert tested.returncode == 1


def test_a_bad_name_writes_nothing(tmp_path: Path) -> None:
    refused = _run(ROOT, "-c", "from hub.cli import main; main()", "connectors", "new", "Toy-Shop", "--root", str(tmp_path))
    assert refused.returncode == 1
    assert (
        refused.stderr
        == "hub: 'Toy-Shop' cannot be a connector's name. Use lower case letters, digits and underscores, no word of Python.\n"
    )
    assert list(tmp_path.iterdir()) == []
