"""Every connector by name. A new one is one folder and one line here; a test compares this with the folders."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from connectors.sandbox.platform import Platform, World
from hub.connect import Connector
from hub.errors import UnknownConnector

NAMES = (
    "alipay",
    "cn_credit_bureau",
    "cn_farm",
    "cn_procurement",
    "cn_public_records",
    "cn_social",
    "cn_tax",
    "taobao",
)


def load(name: str) -> Connector:
    """The connector of that name. Raises UnknownConnector."""
    if name not in NAMES:
        raise UnknownConnector(f"There is no connector called {name!r}.")
    return cast(Connector, importlib.import_module(f"connectors.{name}").connector)


def load_all() -> dict[str, Connector]:
    return {name: load(name) for name in NAMES}


def simulate(name: str, world: World) -> Platform:
    """The simulated platform of a connector, serving the personas of ``world``."""
    build = cast(Callable[[World], Platform], importlib.import_module(f"connectors.{name}.sandbox").build)
    return build(world)
