"""Connectors that cheat: copies of the skeleton with one thing spoiled, importable as ``connectors.<name>`` while a test runs."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import connectors
from connectors import registry
from hub.cli.connectors import SKELETON

Changes = Mapping[str, Sequence[tuple[str, str]]]
"""A file of the skeleton, texts in it, and what stands there instead."""

_count = itertools.count()


@contextmanager
def copy_of_the_skeleton(root: Path, changes: Changes) -> Iterator[str]:
    """The name of a registered connector that is the skeleton with these changes."""
    name, known = f"cheat_{next(_count)}", registry.NAMES
    write(root, name, changes)
    connectors.__path__.append(str(root))
    registry.NAMES = (*known, name)
    try:
        yield name
    finally:
        registry.NAMES = known
        connectors.__path__.remove(str(root))
        for module in [one for one in sys.modules if one == f"connectors.{name}" or one.startswith(f"connectors.{name}.")]:
            del sys.modules[module]


def write(root: Path, name: str, changes: Changes) -> None:
    """Writes the folder. A text that the skeleton does not have is an error: the cheat would be none."""
    (root / name).mkdir()
    for template in SKELETON:
        text = (files("connectors.sandbox") / "skeleton" / template).read_text("utf-8").replace("NAME", name)
        file = template.removesuffix(".txt")
        for old, new in changes.get(file, ()):
            assert old in text, f"{file} of the skeleton has no {old!r}"
            text = text.replace(old, new)
        (root / name / file).write_text(text, "utf-8")
