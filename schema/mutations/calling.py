"""How a mutation calls its service: the call with its idempotency key and the digest of its input."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any, TypeVar

import orjson
import strawberry
from strawberry.types import Info

from hub import errors
from schema.context import Context
from schema.services import Call

Key = Annotated[
    strawberry.ID,
    strawberry.argument(
        name="idempotencyKey",
        description="1 to 128 characters, made by the client, one per effect. The same key and input give the same answer and one effect.",
    ),
]
HubInfo = Info[Context, Any]
I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


async def call(info: HubInfo, key: str, service: Callable[[Call, I], Awaitable[O]], value: I) -> O:
    """Calls a service. Raises InvalidInput for a key that is none."""
    if not 1 <= len(key) <= 128:
        raise errors.InvalidInput("An idempotency key has 1 to 128 characters.")
    assert is_dataclass(value) and not isinstance(value, type)
    text = orjson.dumps([type(value).__name__, asdict(value)], default=str, option=orjson.OPT_SORT_KEYS)
    named = info.operation.name
    made = Call(info.context.caller, key, hashlib.sha256(text).hexdigest(), named.value if named else "", info.context.document_sha256)
    return await service(made, value)
