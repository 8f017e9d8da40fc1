"""The example operations: what a partner app, a risk desk and an admin ask, one named operation per file.

The README shows them, the demo and ``hub evaluate`` send them, and ``tests/schema`` runs each of them against a real store.
"""

from __future__ import annotations

from importlib.resources import files


class UnknownExample(KeyError):
    """There is no example operation of this name."""

    def __str__(self) -> str:
        return f"There is no example operation {self.args[0]!r}. There are: {', '.join(names())}."


def example(name: str) -> str:
    """The document of one example. Raises UnknownExample."""
    if name not in names():
        raise UnknownExample(name)
    return (files(__name__) / f"{name}.graphql").read_text("utf-8")


def names() -> list[str]:
    """Names of all examples, sorted; each is also the name of the operation in its document."""
    return sorted(found.name.removesuffix(".graphql") for found in files(__name__).iterdir() if found.name.endswith(".graphql"))
