"""Which engine it is: the digest over everything of the code's own that decides a result beside the policy. Another digest may mean another result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from hub.credit import parameters, policies
from hub.credit.features import CATALOGUE
from hub.credit.scenario.inputs.table import TABLE

OWN = ("engine", "models", "reasons", "explanations")
"""Documents of the package's policies that are the engine's; the others are the scenarios', which are published."""


def code_version() -> str:
    """Of the hub that runs."""
    return version("zengxin-hub")


def engine_sha256() -> str:
    """Hex SHA-256 over the versions of all formulas, what the inputs of policies say they are, and the engine's documents."""
    formulas = "\n".join(f"{one.id} {one.version}" for one in sorted(CATALOGUE.values(), key=lambda one: one.id))
    inputs = "\n".join(f"{name} {one.compute.__doc__}" for name, one in sorted(TABLE.items()))
    return hashlib.sha256(f"{_documents()}\n{formulas}\n{inputs}".encode()).hexdigest()


@cache
def _documents() -> str:
    return "\n".join(f"{name} {hashlib.sha256(body).hexdigest()}" for name, body in _bodies())


def _bodies() -> Iterator[tuple[str, bytes]]:
    for package in (parameters, policies):
        for one in sorted(files(package.__name__).iterdir(), key=lambda one: one.name):
            if one.name.endswith(".json") and (package is parameters or one.name.startswith(OWN)):
                yield one.name, one.read_bytes()
