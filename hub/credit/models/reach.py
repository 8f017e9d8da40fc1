"""How an external model is reached: over HTTP by the hub's one outbound client, or as an ONNX file in a folder of the operator's.

Whatever goes wrong is a fault with a name, and never an error: the default formula answers then.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import msgspec

from hub.connect import Request
from hub.credit.models.declare import Result, figures
from hub.credit.models.slot import Answered, Asked, checked
from hub.domain.models import ModelFault, ModelKind
from hub.errors import ContractBroken, HubError
from hub.http import HostNotAllowed, Http, PlatformUnreachable

CALLER = "models"
_JSON = msgspec.json.Decoder(float_hook=Decimal)
_EXACT = msgspec.json.Encoder(decimal_format="number")
LARGEST_FILE = 256 * 1024 * 1024


class Reach(Protocol):
    """Asks a model, and answers in time."""

    def __call__(self, asked: Asked) -> Awaitable[Answered]: ...


async def unreachable(asked: Asked) -> Answered:
    """Where an operator lists no model."""
    return Answered(asked, fault=ModelFault.UNREACHABLE)


def words_of(result: Result) -> dict[str, str] | None:
    """What an external model answered, for it to answer once more (:class:`Answering`): the text with its exact numbers, or the fault. None: none was asked."""
    if result.wanted is None:
        return None
    if result.answer is None:
        return {"fault": str(result.fault)}
    return {"answer": _EXACT.encode(result.answer).decode()}


@dataclass(frozen=True, slots=True)
class Answering:
    """Models that answer as they did when an evaluation was made: nobody is asked anew. ``words`` are those of :func:`words_of`, by slot."""

    words: Mapping[str, Mapping[str, str]]

    async def __call__(self, asked: Asked) -> Answered:
        said = self.words.get(asked.external.slot, {"fault": ModelFault.UNREACHABLE})
        return Answered(asked, fault=ModelFault(said["fault"])) if "fault" in said else checked(asked, _JSON.decode(said["answer"]))


@dataclass(frozen=True, slots=True)
class Outside:
    """``http`` reaches what the operator lists for :data:`CALLER`; ``folder`` holds the ONNX files."""

    http: Http
    folder: Path
    sessions: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, asked: Asked) -> Answered:
        external = asked.external
        by: Callable[[Asked], Awaitable[Answered]] = self._by_http if external.kind is ModelKind.HTTP else self._by_onnx
        try:
            async with asyncio.timeout(external.timeout):
                return await by(asked)
        except TimeoutError:
            return Answered(asked, fault=ModelFault.TIMEOUT)

    async def _by_http(self, asked: Asked) -> Answered:
        """No redirect is followed; a larger answer than allowed is not read to its end."""
        headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
        request = Request("POST", "", headers=headers, body=asked.body)
        try:
            answer = await self.http.send(asked.external.url, request, CALLER, most=figures()["slot"]["most_bytes"])
        except HubError as error:
            return Answered(asked, fault=_named(error))
        if answer.status != 200:
            return Answered(asked, fault=ModelFault.REFUSED)
        try:
            given = _JSON.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
            return Answered(asked, fault=_unread(answer.body))
        return checked(asked, given)

    async def _by_onnx(self, asked: Asked) -> Answered:
        if asked.external.missing == "REFUSE" and None in asked.values:
            return Answered(asked, fault=ModelFault.INPUT_MISSING)
        found = await asyncio.to_thread(self._run, asked)
        return Answered(asked, fault=found) if isinstance(found, ModelFault) else checked(asked, found)

    def _run(self, asked: Asked) -> dict[str, Any] | ModelFault:
        """In a thread: the runtime computes outside Python. One input of shape [1, n] of 32-bit floats, in the order that the document names."""
        session, external = self._session(asked), asked.external
        if isinstance(session, ModelFault):
            return session
        numpy = importlib.import_module("numpy")
        row = numpy.array([[float("nan") if one is None else float(one) for one in asked.values]], dtype=numpy.float32)
        names = external.outputs or {}
        try:
            found = session.run(list(names.values()), {session.get_inputs()[0].name: row})
            output = {name: _scalar(value) for name, value in zip(names, found, strict=True)}
        except _errors():
            return ModelFault.WRONG_SHAPE
        if any(isinstance(one, float) and not Decimal(one).is_finite() for one in output.values()):
            return ModelFault.NOT_A_NUMBER
        whole = {name: round(value) if name in ("score", "points") else Decimal(str(value)) for name, value in output.items()}
        return {"modelId": external.model, "version": external.sha256, "output": whole}

    def _session(self, asked: Asked) -> Any:
        """Made of the very bytes whose hash was compared, and kept under it."""
        external = asked.external
        if external.sha256 in self.sessions:
            return self.sessions[external.sha256]
        path = self.folder / external.file
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return ModelFault.NOT_INSTALLED
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != external.sha256:
            return ModelFault.CHANGED
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError:
            return ModelFault.NOT_INSTALLED
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            made = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _errors():
            return ModelFault.WRONG_SHAPE
        self.sessions[external.sha256] = made
        return made


def _errors() -> tuple[type[Exception], ...]:
    """What the runtime raises for a file or an input that does not fit. Its errors have no class in common but Exception."""
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    named = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return (ValueError, TypeError, RuntimeError, *(getattr(state, name) for name in named if hasattr(state, name)))


def _scalar(value: Any) -> float:
    """The one number of an output."""
    flat = value.reshape(-1)
    if flat.shape[0] != 1:
        raise ValueError("an output is one number")
    return float(flat[0])


def _named(error: HubError) -> ModelFault:
    if isinstance(error, ContractBroken):
        return ModelFault.TOO_LARGE
    if isinstance(error, HostNotAllowed | PlatformUnreachable):
        return ModelFault.UNREACHABLE
    raise error


def _unread(body: bytes) -> ModelFault:
    """JSON has no NaN; who writes one anyway is told so."""
    return ModelFault.NOT_A_NUMBER if any(word in body for word in (b"NaN", b"Infinity")) else ModelFault.WRONG_SHAPE


@dataclass(frozen=True, slots=True)
class Listed:
    """What an operator lists of models: a process of its own reaches by it what the one that started it does."""

    urls: tuple[str, ...]
    folder: Path
    private: tuple[Any, ...] = ()

    def outside(self) -> Outside:
        """Raises HostNotAllowed for an address that may never be listed."""
        return outside(self.urls, self.folder, self.private)


def outside(urls: Iterable[str], folder: Path, private: Any = ()) -> Outside:
    """What an operator lets models be reached at. Raises HostNotAllowed for an address that may never be listed."""
    return Outside(Http({CALLER: urls}, private=private), folder)
