"""Headers as ASGI hands them on: pairs of bytes. What every request is asked a few times is not made into an object first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sent(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """The values of all headers of this name, which is in small letters, in the order in which they came."""
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name]
