"""The slot: an external model as a policy names it, what it is asked, and how its answer is checked. Pure; :mod:`hub.credit.models.reach` asks.

A policy's document may name one model for each slot::

    "models": {"SCORE": {"kind": "http", "url": "https://models.bank.example/score", "model": "bank-score", "timeout_ms": 800,
        "features": ["rr_dscr", "ss_cv"], "request": {...}, "answer": {...}}}

``request`` and ``answer`` are JSON Schemas (:mod:`hub.credit.models.schemas`). What is sent are the members of the contract (domain brief, section 6) that the
request's schema names, and of features those in ``features``; nothing else. The answer is ``{modelId, version, output, reasonCodes, warnings}``; its ``output``
has the slot's own bounds beside those of the schema. Of an ONNX file the document has ``file``, its ``sha256``, ``features`` in the order of the input, ``outputs``
(our name -> that of the file's output), and ``missing``: NAN hands a feature without a value over as NaN, else the default formula answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import orjson

from hub.credit.barred import fraud_only, law_against
from hub.credit.models import schemas
from hub.credit.models.declare import Case, figures
from hub.credit.policies import document
from hub.domain.models import ModelFault, ModelKind, ModelSlot

MEMBERS = ("modelSlot", "subjectRef", "asOf", "knownAt", "features", "featureSetVersion")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.onnx")
BARRED: Mapping[ModelSlot, frozenset[str]] = dict.fromkeys((ModelSlot.SCORE, ModelSlot.APPROVAL), fraud_only())
"""Device data are for fraud prevention and monitoring only: no score, limit or price is made of them (domain brief, section 7)."""

_NUMBER = {"type": "number"}
OUTPUTS: Mapping[ModelSlot, dict[str, Any]] = {
    ModelSlot.SCORE: {
        "score": {"type": "integer", "minimum": 400, "maximum": 710},
        "probabilityOfDefault": {**_NUMBER, "minimum": 0, "maximum": 1},
    },
    ModelSlot.APPROVAL: {"approval": {"type": "string", "enum": ["APPROVE", "REFER", "DECLINE"]}},
    ModelSlot.POST_LOAN: {"points": {"type": "integer", "minimum": 0, "maximum": 1000}},
    ModelSlot.COLLECTION: {
        "priority": {**_NUMBER, "minimum": 0, "maximum": 100},
        "segment": {"type": "string", "enum": ["REMIND", "RESTRUCTURE", "LEGAL"]},
    },
    ModelSlot.BEHAVIOUR_MANAGEMENT: {"engagement": {**_NUMBER, "minimum": 0, "maximum": 100}},
    ModelSlot.BEHAVIOUR_ANALYSIS: {
        "pattern": {"type": "string", "enum": ["DECLINING", "GROWING", "VOLATILE", "SEASONAL", "STABLE"]},
        "anomaly": {**_NUMBER, "minimum": -1000, "maximum": 1000},
    },
}
"""What an external model of a slot may say, and within which bounds. The first member of each it must."""


@dataclass(frozen=True, slots=True)
class External:
    """A model that a policy names."""

    slot: ModelSlot
    kind: ModelKind
    model: str
    timeout: float
    features: tuple[str, ...]
    url: str = ""
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    file: str = ""
    sha256: str = ""
    outputs: Mapping[str, str] | None = None
    missing: Literal["NAN", "REFUSE"] = "REFUSE"

    @staticmethod
    def of(slot: str, named: Mapping[str, Any]) -> External:
        """Raises KeyError, TypeError and ValueError for what is no such document."""
        kind, terms = ModelKind(str(named["kind"]).upper()), figures()["slot"]
        return External(
            slot=ModelSlot(slot),
            kind=kind,
            model=str(named["model"]),
            timeout=int(named.get("timeout_ms", terms["timeout_ms"])) / 1000,
            features=tuple(map(str, named["features"])),
            missing="NAN" if named.get("missing") == "NAN" else "REFUSE",
            **_of_http(named) if kind is ModelKind.HTTP else _of_onnx(named),
        )


def _of_http(named: Mapping[str, Any]) -> dict[str, Any]:
    return {"url": str(named["url"]), "request": dict(named["request"]), "answer": dict(named["answer"])}


def _of_onnx(named: Mapping[str, Any]) -> dict[str, Any]:
    return {"file": str(named["file"]), "sha256": str(named["sha256"]), "outputs": dict(named["outputs"])}


def external_models(policy_document: Mapping[str, Any]) -> tuple[External, ...]:
    """The models that a policy names. Raises KeyError, TypeError, ValueError."""
    return tuple(External.of(slot, named) for slot, named in policy_document.get("models", {}).items())


def faults(one: External, known: frozenset[str]) -> Iterator[str]:
    """What is wrong with a model that a policy names. ``known``: ids of features."""
    terms = figures()["slot"]
    if one.kind is ModelKind.DEFAULT:
        yield "the default formula is not named, it is there"
    if not 0 < one.timeout * 1000 <= terms["most_timeout_ms"]:
        yield f"timeout_ms lies between 1 and {terms['most_timeout_ms']}"
    if len(one.features) > terms["most_features"] or len(set(one.features)) < len(one.features):
        yield f"there are more than {terms['most_features']} features, or one stands there twice"
    yield from (f"{name!r} may not be looked at ({law})" for name in one.features if (law := law_against(name)))
    yield from (f"nothing is called {name!r}" for name in one.features if name not in known)
    yield from (f"{name} may not be used for this" for name in one.features if name in BARRED.get(one.slot, ()))
    yield from _faults_of_http(one) if one.kind is ModelKind.HTTP else _faults_of_onnx(one)


def _faults_of_http(one: External) -> Iterator[str]:
    request, answer = one.request or {}, one.answer or {}
    yield from (*schemas.faults(request, "request"), *schemas.faults(answer, "answer"))
    yield from (f"request names {name!r}, which is not known" for name in sorted(set(request.get("properties", {})) - set(MEMBERS)))
    outputs = answer.get("properties", {}).get("output", {}).get("properties", {})
    if not {"modelId", "version", "output"} <= set(answer.get("required", [])):
        yield "answer must require modelId, version and output"
    if not set(outputs) <= set(OUTPUTS[one.slot]) or next(iter(OUTPUTS[one.slot])) not in outputs:
        yield f"answer.output has other members than {', '.join(OUTPUTS[one.slot])}, or lacks the first of them"


def _faults_of_onnx(one: External) -> Iterator[str]:
    if not FILE.fullmatch(one.file) or not re.fullmatch(r"[0-9a-f]{64}", one.sha256):
        yield "file is a plain name that ends in .onnx, and sha256 the hash of its content"
    numeric = {name for name, schema in OUTPUTS[one.slot].items() if schema["type"] in ("number", "integer")}
    if not one.outputs or not set(one.outputs) <= numeric:
        yield f"outputs names other things than {', '.join(sorted(numeric)) or 'an ONNX file can say for this slot'}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is asked: the values of its features, and over HTTP the body."""

    external: External
    values: tuple[Decimal | None, ...]
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Answered:
    """``output``, or why there is none. ``raw`` is what was answered, as far as it fits the schema."""

    asked: Asked
    output: Mapping[str, Any] | None = None
    fault: ModelFault | None = None
    model_id: str = ""
    version: str = ""
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] | None = None


def ask(external: External, case: Case, subject: str) -> Asked:
    """The request, and nothing in it that its schema does not name. ``subject`` is an opaque reference."""
    features = {name: _feature(case, name) for name in external.features}
    dossier = case.made.dossier
    members = {
        "modelSlot": external.slot.value,
        "subjectRef": subject,
        "asOf": dossier.as_of.isoformat(),
        "knownAt": dossier.known_at.isoformat(),
        "features": features,
        "featureSetVersion": str(document("engine")["version"]),
    }
    named = set((external.request or {}).get("properties", {})) if external.kind is ModelKind.HTTP else {"features"}
    body = orjson.dumps({name: value for name, value in members.items() if name in named}, option=orjson.OPT_SORT_KEYS)
    return Asked(external, tuple(case.found.features[name].number for name in external.features), body)


def _feature(case: Case, name: str) -> dict[str, Any]:
    """A number goes as text, exactly."""
    one = case.found.features[name]
    value = f"{one.number:f}" if one.number is not None else one.value
    return {"value": value, "unit": one.unit.value, "missingReason": one.missing.value if one.missing else None}


def checked(asked: Asked, given: object) -> Answered:
    """An answer by the schema of the document and the bounds of the slot."""
    external = asked.external
    fault = schemas.wrong(external.answer or {}, given) if external.kind is ModelKind.HTTP else None
    if fault or not isinstance(given, dict):
        return Answered(asked, fault=fault or ModelFault.WRONG_SHAPE)
    output = given.get("output")
    own = {"type": "object", "properties": OUTPUTS[external.slot], "required": [next(iter(OUTPUTS[external.slot]))]}
    codes = given.get("reasonCodes", [])
    fault = schemas.wrong(own, output) or _strange(codes) or _strange(given.get("warnings", []), known=None)
    if fault or not isinstance(output, dict):
        return Answered(asked, fault=fault or ModelFault.WRONG_SHAPE)
    warnings = tuple(str(one)[:200] for one in given.get("warnings", []))
    return Answered(asked, output, None, str(given.get("modelId", "")), str(given.get("version", "")), tuple(codes), warnings[:10], given)


def _strange(words: object, known: Mapping[str, Any] | None = document("reasons")["codes"]) -> ModelFault | None:
    """Reasons are those of the catalogue: a customer must be told them in words."""
    fits = isinstance(words, list) and all(isinstance(one, str) and (known is None or one in known) for one in words)
    return None if fits else ModelFault.WRONG_SHAPE
