"""The body of a request, read strictly: one content type, strict UTF-8, one JSON object with known members, bounded in size and depth."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from starlette.requests import ClientDisconnect, Request

from hub.headers import sent

MAX_BODY = 64 * 1024
MAX_NESTING = 20
ENCODED = b"content-encoding"
_MEMBERS = {"query", "variables", "operationName", "extensions", "documentId"}
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class BadRequest(Exception):
    """The request is not a GraphQL request."""

    def __init__(self, message: str, status: int = 400, remedy: str = "Correct the request: sent again as it is it cannot work.") -> None:
        super().__init__(message)
        self.status, self.remedy = status, remedy

    def told(self) -> dict[str, Any]:
        """The answer: the one error and what to do."""
        return {"errors": [{"message": str(self), "extensions": {"code": "BAD_REQUEST", "remedy": self.remedy}}]}


class Question(msgspec.Struct, frozen=True):
    """What is asked: a document by its text, or by the digest under which it is stored (``stored``); then ``query`` is empty until it is found."""

    query: str
    variables: dict[str, Any]
    operation: str | None
    stored: str | None = None

    @property
    def sha256(self) -> str:
        """Of the document."""
        return self.stored or _digest(self.query)


@lru_cache(maxsize=500)
def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


async def read_question(request: Request) -> Question:
    """Raises BadRequest."""
    kinds = sent(request.scope, b"content-type")
    if len(kinds) != 1 or not _is_json(kinds[0]):
        raise BadRequest("The body is not sent as JSON.", 415, "Send Content-Type: application/json.")
    if sent(request.scope, ENCODED):
        raise BadRequest("The body is compressed.", 415, "Send it as it is.")
    return _parsed(await _body(request))


async def _body(request: Request) -> bytearray:
    """Whole. Raises BadRequest as soon as it is too long, ClientDisconnect."""
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise BadRequest(
                "The body is too long.", 413, f"Send at most {MAX_BODY:,} bytes: ask with stored documents, or in several operations."
            )
    return body


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    kind, _, parameters = content_type.lower().partition(";")
    return kind.strip() == "application/json" and parameters.strip().replace('"', "") in ("", "charset=utf-8")


def _parsed(body: bytearray) -> Question:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON.") from None
    return question_of(found)


def question_of(found: Any) -> Question:
    """A question as JSON gave it, in the body of a request or in a message. Raises BadRequest."""
    if not isinstance(found, dict) or not found.keys() <= _MEMBERS:
        raise BadRequest("Send one JSON object with query or documentId, variables and operationName.")
    query, variables, name = found.get("query"), found.get("variables"), found.get("operationName")
    stored = _stored(found)
    if (query is not None or stored is None) and (not isinstance(query, str) or not query.strip()):
        raise BadRequest("The query is missing.")
    if query is not None and stored is not None and hashlib.sha256(query.encode()).hexdigest() != stored:
        raise BadRequest("The digest is not that of the query.")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None) or not isinstance(found.get("extensions"), dict | None):
        raise BadRequest("The variables must be an object and the operation's name a string.")
    if variables and not _is_plain(variables):
        if _depth(variables) > MAX_NESTING:
            raise BadRequest("The variables nest too deep.")
        if _holds_nul(variables):
            raise BadRequest("A text holds no NUL character.")
    # Who sends the text has sent the text: naming its digest, too, stores nothing and opens nothing.
    return Question(query or "", variables or {}, name or None, stored if query is None else None)


def _stored(found: dict[str, Any]) -> str | None:
    """The digest that a request names: ``documentId``, or ``extensions.persistedQuery.sha256Hash`` as some clients send it. Raises BadRequest."""
    extensions = found.get("extensions")
    if extensions is None and found.get("documentId") is None:
        return None
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    named = [found["documentId"]] if found.get("documentId") is not None else []
    if persisted is not None:
        named.append(persisted.get("sha256Hash") if isinstance(persisted, dict) else None)
    digests = {match[1] if isinstance(one, str) and (match := _SHA256.fullmatch(one)) else "" for one in named}
    if len(digests) > 1 or "" in digests:
        raise BadRequest("A stored document is named by one SHA-256, in small hexadecimal digits.")
    return digests.pop() if digests else None


def _is_plain(variables: dict[str, Any]) -> bool:
    """Texts without NUL and nothing else, as of most operations: then there is nothing more to look for."""
    return all(type(value) is str and "\0" not in value and "\0" not in name for name, value in variables.items())


def _holds_nul(value: Any) -> bool:
    """PostgreSQL stores no NUL. Called for values whose nesting is bounded."""
    if isinstance(value, dict):
        return any(_holds_nul(item) for pair in value.items() for item in pair)
    return any(map(_holds_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _depth(value: Any) -> int:
    """Levels of nesting; stops counting behind the limit."""
    level, depth = [value], 0
    while level and depth <= MAX_NESTING:
        level = [item for one in level if isinstance(one, dict | list) for item in (one.values() if isinstance(one, dict) else one)]
        depth += bool(level)
        if not level:
            break
    return depth
