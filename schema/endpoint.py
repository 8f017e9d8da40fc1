"""GraphQL over HTTP: POST, one JSON object, one operation. Everything else is refused before anything is executed. Subscriptions are answered as
server-sent events where the client accepts nothing but them first, and over WebSocket.

A document comes as text or as the digest of one that is stored for the client (ADR 41); some clients may ask with stored ones only. Each answer names its request
(``X-Request-Id``), which our log does, too; each error has a code (:mod:`schema.codes`).

Queries over GET, batches, multipart, compressed bodies and other media types are off. The answer is ``application/graphql-response+json`` where
the client asks for it (then a request that could not be executed is a 4xx), ``application/json`` otherwise. Neither the document nor its variables
nor the answer are ever logged: the log line has the document's digest, the status and the size of the answer.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import structlog
from graphql import GraphQLError
from msgspec import structs
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult

from hub.domain.caller import Admitted, Caller, Pending, Reconsider
from hub.domain.identifiers import new_id_text
from hub.errors import (
    BudgetSpent,
    CallerMustFix,
    CustomerMustAct,
    DocumentRequired,
    DocumentUnknown,
    HubError,
    PlatformFault,
    StoreAway,
    TokenInvalid,
    TooSlow,
    WaitAndRetry,
)
from hub.headers import sent
from schema.answer import GRAPHQL_JSON, Answer
from schema.answer import JSON as _JSON
from schema.body import BadRequest, Question, read_question
from schema.codes import ALWAYS, CODES, code_of, coded
from schema.context import Context, Meter, Reads, Trusted
from schema.contract import HubSchema
from schema.deadline import Deadline
from schema.discreet import without_values
from schema.etag import conditional
from schema.live import Live, Pulse, Refused
from schema.packing import packed
from schema.plan.prices import LOOK_UP_COST
from schema.services import Services
from schema.socket import PROTOCOL, Session
from schema.sse import EVENT_STREAM, EventStream

_BY_POST = BadRequest("GraphQL is asked by POST.", 405, "Send the question as JSON in the body of a POST: an address ends in logs.")
_ACCEPTED = BadRequest("None of the media types that are accepted is served.", 406, f"Accept {GRAPHQL_JSON}, {_JSON} or {EVENT_STREAM}.")
MAX_SECONDS = 10.0
SLOW = 5.0
"""Seconds after which whoever sends a body is looked at again before anything rests on what was found then."""
_PLACES = 30
_SHOWN = (CallerMustFix, CustomerMustAct, WaitAndRetry, PlatformFault)
REQUEST_ID = "X-Request-Id"
_REQUEST_ID = REQUEST_ID.lower().encode()
_request: ContextVar[str] = ContextVar("request", default="")
_hints: ContextVar[bool] = ContextVar("hints", default=False)
_log = structlog.get_logger("hub.graphql")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``admit`` tells who asks, or raises TokenInvalid; what it leaves pending is settled before anything has an effect or is answered. ``challenge`` makes the status and the headers then, ``courtesy`` those of every answer; ``tag`` makes the
    entity tag of an answer for who asks."""

    schema: HubSchema
    reads: Reads
    pulse: Pulse
    services: Services
    meter: Meter
    trusted: Trusted
    admit: Callable[[HTTPConnection], Awaitable[Admitted]]
    challenge: Callable[[TokenInvalid], tuple[int, Mapping[str, str]]]
    courtesy: Callable[[], Mapping[str, str]]
    tag: Callable[[Caller, str], str]
    broken: tuple[type[Exception], ...] = ()
    """What the store raises."""
    away: Callable[[Exception], bool] = lambda _: False
    """Whether what it raised means that it cannot be reached."""
    log: Any = field(default_factory=_log.bind)
    """Where each answer is told of: put together once, not for each."""

    async def __call__(self, request: Request) -> Response:
        """One request. Never raises but for cancellation."""
        _request.set(new_id_text())
        try:
            answer = await self._answered(request)
        except self.broken as error:
            # Before an operation has begun: whoever asks was not admitted, or his document not found, for a reason that is ours.
            answer = self._failed(error, media_type(sent(request.scope, b"accept")) or _JSON)
        answer.raw_headers.append((_REQUEST_ID, _request.get().encode()))
        return answer if isinstance(answer, EventStream) else packed(answer, sent(request.scope, b"accept-encoding"))

    async def _answered(self, request: Request) -> Response:
        began, media = time.perf_counter(), media_type(sent(request.scope, b"accept"))
        if request.method != "POST":
            return _answer(_BY_POST.told(), media or _JSON, _BY_POST.status, {"Allow": "POST"})
        if media is None:
            return _answer(_ACCEPTED.told(), _JSON, _ACCEPTED.status, {})
        try:
            admitted = await self.admit(request)
            try:
                question: Question | BadRequest = await read_question(request)
            except BadRequest as bad:
                question = bad
            if admitted.pending is not None and time.perf_counter() - began > SLOW:
                # What is used once is kept for as long as it could be shown, and no longer.
                admitted = await self.admit(request)
            try:
                return await self._settled_answer(request, admitted, question, media, began)
            except Reconsider as changed:
                return await self._settled_answer(request, changed.admitted(), question, media, began)
        except TokenInvalid as error:
            return self._unknown(error, media)

    async def _settled_answer(
        self, request: Request, admitted: Admitted, question: Question | BadRequest, media: str, began: float
    ) -> Response:
        """The answer, once its admission is settled, whatever it is. Raises Reconsider."""
        answer = await self._answer_to(request, admitted, question, media, began)
        if admitted.pending is not None:
            await admitted.pending.settle()
        return answer

    async def _answer_to(self, request: Request, admitted: Admitted, question: Question | BadRequest, media: str, began: float) -> Response:
        _hints.set("schema:introspect" in admitted.caller.scopes)
        if isinstance(question, BadRequest):
            return _answer(question.told(), media, question.status, self.courtesy())
        try:
            question = await self._settled(admitted.caller, question, admitted.pending)
        except (DocumentUnknown, DocumentRequired, BudgetSpent) as error:
            return self._refused(admitted.caller, question, error, media)
        price: Mapping[str, int] = {}
        if media == EVENT_STREAM:
            if admitted.pending is not None:
                await admitted.pending.settle()
            answer = self._stream(admitted, question)
        else:
            context = Context(admitted.caller, self.reads, self.services, self.meter, question.sha256, pending=admitted.pending)
            result, status, more = await self._run(context, question, media)
            answer, price = _answer(result, media, status, {**self.courtesy(), **more}), context.price
            if isinstance(result.get("data"), orjson.Fragment) and status == 200:
                digest = hashlib.sha256(b"%b\n%b" % (media.encode(), bytes(answer.body))).hexdigest()
                answer = conditional(answer, self.tag(admitted.caller, digest), sent(request.scope, b"if-none-match"))
        self._tell(admitted.caller, question, answer, time.perf_counter() - began, price)
        return answer

    async def _admitted(self, connection: HTTPConnection) -> Admitted:
        """Settled. Raises TokenInvalid."""
        admitted = await self.admit(connection)
        try:
            if admitted.pending is not None:
                await admitted.pending.settle()
        except Reconsider as changed:
            return changed.admitted()
        return admitted

    async def socket(self, socket: WebSocket) -> None:
        """One WebSocket, from its handshake to its end."""
        if PROTOCOL not in socket.scope["subprotocols"]:
            await socket.send_denial_response(Response(f"Speak the subprotocol {PROTOCOL}.", 400))
            return
        try:
            admitted = await self._admitted(socket)
        except TokenInvalid as error:
            await socket.send_denial_response(self._unknown(error, _JSON))
            return
        except self.broken as error:
            await socket.send_denial_response(self._failed(error, _JSON))
            return
        courtesy = [(name.lower().encode(), value.encode()) for name, value in self.courtesy().items()]
        await socket.accept(PROTOCOL, courtesy)
        _log.info("graphql.socket", client=admitted.caller.client_id)
        _request.set(new_id_text())
        await Session(socket, self._live, admitted, self._shown, self._settled).run()

    @property
    def _live(self) -> Live:
        return Live(self.schema, self.reads, self.pulse, self.meter)

    async def _settled(self, caller: Caller, question: Question, pending: Pending | None = None) -> Question:
        """The question with its document's text. Raises DocumentUnknown, DocumentRequired: alike, whoever else may have such a document."""
        if question.stored is None:
            if caller.documents == "ONLY":
                raise DocumentRequired
            if caller.documents == "AUDIT" and await self._stored(caller, question.sha256, pending) is None:
                _log.info("graphql.untrusted", client=caller.client_id, document=question.sha256, request=_request.get())
            return question
        text = await self._stored(caller, question.stored, pending)
        if text is None:
            raise DocumentUnknown
        return structs.replace(question, query=text)

    async def _stored(self, caller: Caller, sha256: str, pending: Pending | None) -> str | None:
        """Whoever makes the store look pays for it before it does: digests that are guessed come to an end with the budget. Raises BudgetSpent."""
        found = self.trusted.remembered(caller.client_id, sha256)
        if found is None:
            if pending is not None:
                await pending.settle()
            await self.meter.charge(caller, LOOK_UP_COST)
            found = await self.trusted.find(caller.client_id, sha256)
        return found

    def _refused(self, caller: Caller, question: Question, error: HubError, media: str) -> Response:
        told = shown(error)
        status, more = CODES[told["extensions"]["code"]][0], _patience([error])
        _log.info("graphql.refused", client=caller.client_id, document=question.sha256, status=status, request=_request.get())
        return _answer({"errors": [told]}, media, status, {**self.courtesy(), **more})

    def _failed(self, error: Exception, media: str) -> Response:
        told = self._shown(error)
        status, more = CODES[told["extensions"]["code"]][0], _patience([self._known(error)])
        return _answer({"errors": [told]}, media, status, {**self.courtesy(), **more})

    def _shown(self, error: Exception) -> dict[str, Any]:
        return shown(self._known(error))

    def _known(self, error: Exception) -> Exception:
        """The error, or what it means where the store raised it because it is away."""
        original = _original(error)
        if not isinstance(original, self.broken) or not self.away(original):
            return error
        _log.error("graphql.store_away", kind=type(original).__name__, request=_request.get())
        nodes, path = (error.nodes, error.path) if isinstance(error, GraphQLError) else (None, None)
        return GraphQLError("", nodes, path=path, original_error=StoreAway())

    def _unknown(self, error: TokenInvalid, media: str) -> Response:
        status, headers = self.challenge(error)
        _log.info("graphql.refused", client=None, status=status, request=_request.get())
        return _answer({"errors": [shown(error)]}, media, status, headers)

    def _stream(self, admitted: Admitted, question: Question) -> Response:
        """What cannot be subscribed to is answered at once and as JSON, like a request that cannot be executed."""
        try:
            return EventStream(self._live.prepare(admitted, question), self._shown, self.courtesy())
        except Refused as refused:
            errors: Sequence[Exception] = refused.errors
        except (GraphQLError, HubError) as error:
            errors = [error]
        return _answer({"errors": [shown(error) for error in errors[:5]]}, EVENT_STREAM, 400, self.courtesy())

    async def _run(self, context: Context, question: Question, media: str) -> tuple[dict[str, Any], int, Mapping[str, str]]:
        try:
            with Deadline(MAX_SECONDS):
                result = await self.schema.execute(question.query, question.variables, context, operation_name=question.operation)
        except TimeoutError:
            result = ExecutionResult(data=None, errors=[GraphQLError("", original_error=TooSlow())])
        except (CannotGetOperationTypeError, InvalidOperationTypeError):
            missing = GraphQLError("The document has no such operation, or it is not served here.")
            result = ExecutionResult(data=None, errors=[coded(missing, "OPERATION_UNKNOWN")])
        errors = [self._known(error) for error in result.errors or ()]
        return *_shaped(result.data, errors, media), _patience(errors)

    def _tell(self, caller: Caller, question: Question, answer: Response, seconds: float, price: Mapping[str, int]) -> None:
        self.log.info(
            "graphql.answered",
            client=caller.client_id,
            document=question.sha256,
            request=_request.get(),
            status=answer.status_code,
            size=len(answer.body),
            milliseconds=round(seconds * 1000, 1),
            **price,
        )


def media_type(accepts: list[str]) -> str | None:
    """What to answer in; None when the client accepts none of them."""
    for part in ",".join(accepts).split(",") if accepts else ("*/*",):
        wanted = part.partition(";")[0].strip().lower()
        if wanted in (GRAPHQL_JSON, EVENT_STREAM):
            return wanted
        if wanted in (_JSON, "*/*", "application/*"):
            return _JSON
    return None


def _shaped(data: Any, found: Sequence[Exception], media: str) -> tuple[dict[str, Any], int]:
    """The answer and its status: without data, in the newer media type, a request error is 400 and an internal one 500."""
    errors = [shown(error) for error in found[:5]]
    if not errors:
        return {"data": data}, 200
    if data is not None:
        return {"errors": errors, "data": data}, 200
    codes = [str(error["extensions"]["code"]) for error in errors]
    refused = next((CODES[code][0] for code in codes if CODES[code][0] != 400), 400)
    return {"errors": errors}, refused if media == GRAPHQL_JSON or ALWAYS & set(codes) else 200


def _patience(errors: Sequence[Exception]) -> Mapping[str, str]:
    """How long to wait, where a client has spent its minute, or the store is away."""
    seconds = [one.seconds for one in map(_original, errors) if isinstance(one, BudgetSpent | StoreAway)]
    return {"Retry-After": str(max(seconds))} if seconds else {}


def _original(error: Exception) -> Exception | None:
    """What lies behind an error of GraphQL's, which may wrap another one."""
    original = error.original_error if isinstance(error, GraphQLError) else error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return original


def shown(error: Exception) -> dict[str, Any]:
    """What the client sees of an error: our own expected ones and GraphQL's; of all else one sentence and an id that is logged."""
    original = _original(error)
    place = {"path": error.path} if isinstance(error, GraphQLError) and error.path else {}
    if isinstance(original, _SHOWN) and isinstance(original, HubError):
        code = code_of(original)
        # What has no remedy of its own has that of its kind.
        return {"message": original.message, "extensions": {"code": code, "remedy": original.remedy or CODES[code][1]}, **place}
    if isinstance(error, GraphQLError) and (original is None or isinstance(original, GraphQLError)):
        return _of_graphql(error) | place
    error_id = new_id_text()
    _log.error("graphql.masked", error_id=error_id, request=_request.get(), kind=type(original).__name__, places=_places(original))
    return {"message": "Something went wrong in the hub.", "extensions": {"code": "INTERNAL", "id": error_id}, **place}


def _places(error: BaseException | None) -> list[str]:
    """Where it was raised, innermost last. The error's own text stays out of the log: a database puts statements and values into it."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:] if error is not None else []
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _of_graphql(error: GraphQLError) -> dict[str, Any]:
    """A parse, validation or coercion error, without what was sent, and without hints about what else the schema holds for whoever may not read it."""
    locations = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    words, meant, hint = error.message.partition(" Did you mean")
    message = without_values(words) + (meant + hint if _hints.get() else "")
    return {"message": message, **({"locations": locations} if locations else {}), "extensions": {"code": code_of(error)}}


def _answer(body: dict[str, Any], media: str, status: int, headers: Mapping[str, str]) -> Response:
    if "errors" in body:
        body = {**body, "extensions": {"requestId": _request.get()}}
    return Answer(body, _JSON if media == EVENT_STREAM else media, status, headers)
