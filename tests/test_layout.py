"""The house rules that a machine can check: import directions, sizes, registry, names."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import schema
from connectors import registry

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("hub", "connectors", "schema", "migrations")


def _tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if name.endswith(suffixes) and (ROOT / name).exists()]


def _sources(*rooms: str) -> list[Path]:
    return [path for path in _tracked(".py") if path.relative_to(ROOT).parts[0] in rooms and "versions" not in path.parts]


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def _broken_contracts(config: Path) -> str:
    """What import-linter says; empty when every contract is kept."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(linter), "--config", str(config), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_imports_go_the_agreed_ways() -> None:
    assert _broken_contracts(ROOT / "pyproject.toml") == ""


def test_the_import_check_notices(tmp_path: Path) -> None:
    config = tmp_path / "contracts.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["hub"]\ninclude_external_packages = true\n[[tool.importlinter.contracts]]\nname = "control"\n'
        'type = "forbidden"\nsource_modules = ["hub.store"]\nforbidden_modules = ["sqlalchemy"]\n'
    )
    assert "BROKEN" in _broken_contracts(config)


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in _sources(*ROOMS, "tests", "bench")
        if (count := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


def test_functions_are_small() -> None:
    sizes = dict(item for path in _sources(*ROOMS) for item in _functions(path))
    assert {name: size for name, size in sizes.items() if size > 60} == {}
    lengths = sorted(sizes.values())
    assert statistics.median(lengths) <= 10
    assert lengths[int(len(lengths) * 0.9)] <= 35


def test_the_registry_names_every_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "connectors").glob("*/__init__.py")} - {"sandbox"}
    assert folders == set(registry.NAMES)
    assert {connector.manifest.name for connector in registry.load_all().values()} == folders


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_connector_folder_is_complete(name: str) -> None:
    folder = ROOT / "connectors" / name
    assert {"__init__.py", "README.md", "quality.toml", "sandbox.py"} <= {path.name for path in folder.iterdir()}
    assert registry.load(name).manifest.doc


def test_schema_is_ours() -> None:
    assert Path(schema.__file__ or "").parent == ROOT / "schema"


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in _tracked(".py") if path.relative_to(ROOT).parts[0] == "tests"}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_core_knows_no_vendor() -> None:
    """No module of hub names a platform, but for the composition roots that choose them."""
    vendors = re.compile("|".join(registry.NAMES))
    roots = {"app.py", "worker.py", "cli.py"}
    named = [
        str(path.relative_to(ROOT))
        for path in _sources("hub")
        if path.name not in roots and "demo" not in path.parts and vendors.search(path.read_text("utf-8"))
    ]
    assert named == []


_CLIENTS = ("httpx", "httpx2", "requests", "aiohttp", "urllib3", "http.client", "urllib.request")


def _http_clients(source: str, modules: tuple[str, ...] = _CLIENTS) -> list[str]:
    """The modules among ``modules`` that a source imports, however it spells it."""
    named: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("__import__", "import_module"):
            named += [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
    return sorted({module for module in modules for name in named if name == module or name.startswith(module + ".")})


def test_only_one_module_makes_http_clients() -> None:
    """hub/http.py; a simulated platform serves and never calls, a connector has no socket of any kind."""
    clients = {str(path.relative_to(ROOT)): found for path in _sources(*ROOMS) if (found := _http_clients(path.read_text("utf-8")))}
    assert clients == {"hub/http.py": ["httpx"]}
    plain = [
        path for path in _sources("connectors") if "sandbox" not in path.relative_to(ROOT).parts and not path.name.startswith("sandbox")
    ]
    assert len(plain) > 50
    sockets = ("socket", "ssl", "asyncio", "starlette", "uvicorn")
    assert [path for path in plain if _http_clients(path.read_text("utf-8"), sockets)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import httpx", ["httpx"]),
        ("def late():\n    from httpx import AsyncClient as Quiet", ["httpx"]),
        ("import httpx._client", ["httpx"]),
        ("from urllib import request", ["urllib.request"]),
        ("import urllib.request as calls", ["urllib.request"]),
        ("from http.client import HTTPSConnection", ["http.client"]),
        ("import importlib\nimportlib.import_module('aiohttp')", ["aiohttp"]),
        ("__import__('requests')", ["requests"]),
        ("from urllib.parse import urlencode\nfrom starlette.requests import Request\nfrom hub.http import Http", []),
    ],
)
def test_the_search_for_clients_notices(source: str, found: list[str]) -> None:
    assert _http_clients(source) == found


def test_nothing_swallows_every_error() -> None:
    """No bare or broad ``except`` outside tests, but for two: a duty of a worker that fails must not end the others (it logs the class, and tries again), and whatever
    ends an operation is the endpoint's to mask, as Strawberry hands it on, too."""
    broad = []
    for path in _sources(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"}
            ):
                broad.append(str(path.relative_to(ROOT)))
    assert sorted(broad) == ["hub/sync/keeping.py", "schema/contract.py"]


def test_the_locks_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text("utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|index-url|find-links", text), lock.name
