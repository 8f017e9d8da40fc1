"""An ONNX file in a model's slot: a real file, made here, computed by the real runtime, which the hub's lock does not have."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.credit.models.reach import Outside, outside
from hub.domain.enums import Outcome
from hub.domain.models import ModelFault, ModelKind
from tests.hub.credit.models.cases import value, whole
from tests.hub.credit.models.served import naming
from tests.hub.credit.models.test_slot import SELLER, of
from tests.npm import python_with

PACKAGES = ("onnxruntime==1.23.2", "onnx==1.19.1", "numpy==2.3.4")
MAKE = """
import sys
from onnx import TensorProto, helper, save
weights, bias, outputs = [float(one) for one in sys.argv[2].split(",")], float(sys.argv[3]), int(sys.argv[4])
size = len(weights)
w = helper.make_tensor("w", TensorProto.FLOAT, [size, outputs], weights * outputs)
b = helper.make_tensor("b", TensorProto.FLOAT, [outputs], [bias] * outputs)
node = helper.make_node("Gemm", ["x", "w", "b"], ["y"])
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, size])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])
model = helper.make_model(helper.make_graph([node], "score", [x], [y], [w, b]), opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
save(model, sys.argv[1])
"""
FEATURES = ["rr_dscr", "ss_zero_months"]


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """The environment that has them; what is pure Python and compiled is of this very interpreter, so the tests import it from there."""
    found = python_with(PACKAGES)
    (site,) = (found.parent.parent / "lib").glob("python*/site-packages")
    sys.path.append(str(site))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import onnxruntime  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    yield found
    sys.path.remove(str(site))


def file_of(python: Path, folder: Path, weights: str = "2,5", bias: float = 600, outputs: int = 1) -> str:
    """y = weights . x + bias. Returns the hash of the file."""
    path = folder / "bank.onnx"
    subprocess.run([str(python), "-c", MAKE, str(path), weights, str(bias), str(outputs)], check=True, capture_output=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def named(sha256: str, **changes: Any) -> dict[str, Any]:
    base = {"kind": "onnx", "model": "bank-onnx", "file": "bank.onnx", "sha256": sha256, "features": FEATURES, "outputs": {"score": "y"}}
    return {**base, "timeout_ms": 2000, **changes}


async def asked(folder: Path, document: dict[str, Any]) -> Any:
    reach: Outside = outside([], folder)
    found = await whole(SELLER, policy=naming({"SCORE": document}), reach=reach)
    await reach.http.close()
    return found


async def test_a_file_answers(python: Path, tmp_path: Path) -> None:
    """DSCR 13.175, no month without sales: 2 x 13.175 + 5 x 0 + 600 = 626.35, 626 points, grade C. The order of the features counts."""
    sha256 = file_of(python, tmp_path)
    found = await asked(tmp_path, named(sha256))
    result = of(found)
    assert (result.kind, result.model_id, result.version, result.fault) == (ModelKind.ONNX, "bank-onnx", sha256, None)
    assert [value(result, name) for name in ("score", "grade")] == [626, "C"]
    other = of(await asked(tmp_path, named(sha256, features=FEATURES[::-1])))
    assert value(other, "score") == 666, "2 x 0 + 5 x 13.175 + 600 = 665.875"


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], ModelFault]] = {
    "out of range": ({"bias": 900}, {}, ModelFault.OUT_OF_RANGE),
    "two numbers": ({"outputs": 2}, {}, ModelFault.WRONG_SHAPE),
    "another number of features": ({"weights": "1,2,3"}, {}, ModelFault.WRONG_SHAPE),
    "an output that is not there": ({}, {"outputs": {"score": "z"}}, ModelFault.WRONG_SHAPE),
    "a feature without a value": ({}, {"features": ["rr_dscr", "cb_positive_rate"]}, ModelFault.INPUT_MISSING),
    "the same as NaN": ({}, {"features": ["rr_dscr", "cb_positive_rate"], "missing": "NAN"}, ModelFault.NOT_A_NUMBER),
    "infinite": ({"weights": "3e38,1"}, {}, ModelFault.NOT_A_NUMBER),
    "another file": ({}, {"sha256": "00" * 32}, ModelFault.CHANGED),
    "no file": ({}, {"file": "other.onnx"}, ModelFault.NOT_INSTALLED),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_is_wrong_the_default_formula_answers(python: Path, tmp_path: Path, name: str) -> None:
    made, changes, fault = FAULTS[name]
    found = await asked(tmp_path, {**named(file_of(python, tmp_path, **made)), **changes})
    result = of(found)
    assert (result.kind, result.fault, result.wanted, value(result, "score")) == (ModelKind.DEFAULT, fault, "bank-onnx", 679)
    assert found.made.outcome is Outcome.REFER_MANUAL


async def test_a_file_that_is_no_model(python: Path, tmp_path: Path) -> None:
    (tmp_path / "bank.onnx").write_bytes(b"not a model")
    found = await asked(tmp_path, named(hashlib.sha256(b"not a model").hexdigest()))
    assert of(found).fault is ModelFault.WRONG_SHAPE


async def test_without_the_runtime_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "bank.onnx").write_bytes(b"x")
    found = await asked(tmp_path, named(hashlib.sha256(b"x").hexdigest()))
    assert of(found).fault is ModelFault.NOT_INSTALLED
