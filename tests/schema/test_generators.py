"""What partners' code generators make of the contract and the examples compiles, and real answers fit into it.

npm graphql-codegen makes TypeScript, which ``tsc --strict`` checks together with answers of the API written as literals; PyPI ariadne-codegen makes Python, which
mypy checks and whose models read the same answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from schema.examples import example, names
from tests import npm
from tests.hub.access.side import Api
from tests.schema.test_contract import PRINTED
from tests.schema.test_examples import QUERIES

ROOT = Path(__file__).resolve().parents[2]
TYPESCRIPT = (
    "@graphql-codegen/cli@7.4.3",
    "@graphql-codegen/typescript@6.1.0",
    "@graphql-codegen/typescript-operations@6.1.9",
    "typescript@7.0.2",
    "graphql@17.1.0",
)
ARIADNE = ("ariadne-codegen==0.19.0",)
SCALARS = {"Date": "string", "DateTime": "string", "Decimal": "string", "Month": "string"}
PYTHON_SCALARS = {"Date": "datetime.date", "DateTime": "datetime.datetime", "Decimal": "decimal.Decimal", "Month": "str"}
NOT_GENERATED = {"async_base_client.py"}
"""Copied by ariadne-codegen as it is, whatever the contract says."""


def ran(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A folder with the contract and the examples, to be changed at will."""
    (tmp_path / "schema.graphql").write_text(PRINTED.read_text("utf-8"), "utf-8")
    (tmp_path / "examples").mkdir()
    for name in names():
        (tmp_path / "examples" / f"{name}.graphql").write_text(example(name), "utf-8")
    return tmp_path


async def answers(api: Api) -> dict[str, Any]:
    """Of every example that asks, as the API gives them."""
    found = {}
    for name in QUERIES:
        given = (
            {"id": api.world.id, "scenario": "S03"}
            if "$scenario" in example(name)
            else {"id": api.world.id}
            if "$id" in example(name)
            else {}
        )
        client = (
            "admin"
            if name in ("SyncHealth", "Clients", "ConcentrationReport", "FairnessReport", "Policies", "PolicyDrafts")
            else "risk-desk"
        )
        said = (await api.sides[client].ask(example(name), given)).json()
        assert "errors" not in said, (name, said)
        found[name] = said["data"]
    return found


def to_typescript(node: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    made = {"config": {"strictScalars": True, "scalars": SCALARS}}
    generates = {"schema.ts": {"plugins": ["typescript"], **made}, "operations.ts": {"plugins": ["typescript-operations"], **made}}
    if not (folder / "node_modules").exists():
        # Plugins are looked for where the generator is run.
        (folder / "node_modules").symlink_to(node / "node_modules")
    (folder / "codegen.json").write_text(
        json.dumps({"schema": "schema.graphql", "documents": "examples/*.graphql", "generates": generates})
    )
    return ran(["node", node / "node_modules/@graphql-codegen/cli/cjs/bin.js", "--config", "codegen.json"], folder)


def compiled(node: Path, folder: Path, given: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    """With ``tsc --strict``; what the API answered stands beside the types as literals."""
    lines = ['import type * as O from "./operations";', 'import type * as S from "./schema";', "export type Id = S.Customer['id'];"]
    lines += [f"export const {name}: O.{name}Query = {json.dumps(value, ensure_ascii=False)};" for name, value in given.items()]
    (folder / "answers.ts").write_text("\n".join(lines), "utf-8")
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
    return ran(["node", node / "node_modules/typescript/bin/tsc", *options, "schema.ts", "operations.ts", "answers.ts"], folder)


@pytest.mark.asyncio(loop_scope="module")
async def test_typescript(api: Api, contract: Path) -> None:
    node, given = npm.installed(TYPESCRIPT), await answers(api)
    made = to_typescript(node, contract)
    assert made.returncode == 0, made.stdout + made.stderr
    checked = compiled(node, contract, given)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    wrong = compiled(node, contract, {**given, "SourceStatus": {**given["SourceStatus"], "customer": {"id": 7}}})
    assert "error TS2322" in wrong.stdout, "control: an answer that is not what the contract says"


def test_a_contract_that_lost_a_field_is_noticed(contract: Path) -> None:
    """Control: the generator refuses an example that asks for it."""
    node, sdl = npm.installed(TYPESCRIPT), contract / "schema.graphql"
    sdl.write_text(sdl.read_text("utf-8").replace("  nameMasked: String!", "  nameHidden: String!"), "utf-8")
    made = to_typescript(node, contract)
    assert made.returncode != 0 and 'Cannot query field "nameMasked"' in made.stdout + made.stderr


@pytest.mark.asyncio(loop_scope="module")
async def test_python(api: Api, contract: Path) -> None:
    python, given = npm.python_with(ARIADNE), await answers(api)
    scalars = "".join(f'[tool.ariadne-codegen.scalars.{name}]\ntype = "{type_}"\n' for name, type_ in PYTHON_SCALARS.items())
    head = '[tool.ariadne-codegen]\nschema_path = "schema.graphql"\nqueries_path = "examples"\ntarget_package_name = "hub_client"\n'
    (contract / "pyproject.toml").write_text(head + scalars)
    made = ran([python.with_name("ariadne-codegen")], contract)
    assert made.returncode == 0, made.stdout + made.stderr
    package = contract / "hub_client"
    files = sorted(one for one in package.glob("*.py") if one.name not in NOT_GENERATED)
    assert len(files) > len(names())
    checked = ran([sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--python-executable", python, *files], contract)
    assert checked.returncode == 0, checked.stdout
    read = ran([python, "-W", "error", "-c", _READ, json.dumps(given)], contract)
    assert read.returncode == 0 and read.stdout.split() == sorted(QUERIES), read.stdout + read.stderr
    wrong = ran([python, "-c", _READ, json.dumps({"SourceStatus": {"customer": {"id": 7}}})], contract)
    assert "ValidationError" in wrong.stderr, "control"


_READ = """
import hub_client, json, sys
for name, data in sorted(json.loads(sys.argv[1]).items()):
    getattr(hub_client, name).model_validate(data)
    print(name)
"""
