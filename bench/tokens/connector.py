"""The tiny connector of the platform: a code grant, and one call that shows whether a token works."""

from __future__ import annotations

from bench.kit import speaking
from hub.connect import Connector, Quota

NAME = "tokens"


def connector() -> Connector:
    return speaking.connector(
        NAME, "A platform that revokes a family of tokens when one of them is used twice.", Quota(10_000, 10_000, 1_000)
    )
