"""Looks for canaries in files, in the encodings in which a text may lie about; and tells in which column of a dump they stand.

GNU grep does it: all patterns at once, whatever the file is.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_BATCH = 2_000
"""Canaries that are looked for at once."""


@dataclass(frozen=True, slots=True)
class Hit:
    """``where`` is a file, or a table's column in a dump."""

    canary: str
    encoding: str
    where: str


def forms(text: str) -> dict[str, bytes]:
    """A text as it may be found, by the name of the encoding. Two that are alike stand there once."""
    plain = text.encode()
    found = {"utf-8": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    with contextlib.suppress(UnicodeEncodeError):
        found["gbk"] = text.encode("gb18030")
    escaped = json.dumps(text)[1:-1]
    found |= {"json": escaped.encode(), "JSON": re.sub(r"\\u[0-9a-f]{4}", lambda it: "\\u" + it[0][2:].upper(), escaped).encode()}
    found |= {"url": quote(text, safe="").encode(), "url lower": quote(text, safe="").lower().encode() if not text.isascii() else plain}
    for shift in range(3):
        # What stands before it moves the groups of three; the outer characters depend on the neighbours.
        whole = base64.b64encode(b"\0" * shift + plain)
        inner = whole[(0, 2, 3)[shift] : len(whole) - (0 if (shift + len(plain)) % 3 == 0 else 4 if (shift + len(plain)) % 3 == 1 else 3)]
        found[f"base64 {shift}"] = inner
        found[f"base64url {shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    seen: dict[bytes, str] = {}
    for name, form in found.items():
        seen.setdefault(form, name)
    return {name: form for form, name in seen.items() if len(form) >= 8}


def search(canaries: Iterable[str], files: Sequence[Path]) -> Iterator[Hit]:
    """Each canary at most once per file and encoding."""
    patterns = {form: (text, name) for text in canaries for name, form in forms(text).items()}
    listed = sorted(patterns)
    for first in range(0, len(listed), _BATCH * 8):
        yield from _grep(listed[first : first + _BATCH * 8], patterns, files)


def _grep(listed: Sequence[bytes], patterns: Mapping[bytes, tuple[str, str]], files: Sequence[Path]) -> Iterator[Hit]:
    for at in range(0, len(files), 500):
        names = [str(one) for one in files[at : at + 500]]
        command = ["grep", "-a", "-o", "-H", "-Z", "-F", "-f", "-", "--", *names]
        ran = subprocess.run(
            command, input=b"\n".join(listed), capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, check=False
        )
        if ran.returncode > 1 and b"No such file" not in ran.stderr:
            raise RuntimeError(f"grep ended with {ran.returncode}")
        for line in set(ran.stdout.splitlines()):
            where, _, form = line.partition(b"\0")
            # Of several that begin at one place grep tells the longest: a form that is a part of another is found within it.
            for known in (form,) if form in patterns else ():
                yield Hit(*patterns[known], where.decode())


def files_below(folder: Path, *, but: Sequence[Path] = ()) -> list[Path]:
    found = sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink())
    return [one for one in found if not any(one.is_relative_to(other) for other in but)]


_COPY = re.compile(rb"COPY (?:public|queue)\.(\w+) \(([^)]*)\) FROM stdin;")


def columns(dump: Path, canaries: Iterable[str]) -> Iterator[Hit]:
    """Where in a dump the canaries of :func:`search` stand, by table and column. A line that belongs to no table is told as ``dump``."""
    patterns = {form: (text, name) for text in canaries for name, form in forms(text).items()}
    if not patterns:
        return
    table, names = "dump", [""]
    with dump.open("rb") as lines:
        for line in lines:
            begins = _COPY.match(line)
            if begins:
                table, names = begins[1].decode(), [one.strip().strip('"') for one in begins[2].decode().split(",")]
            elif line == b"\\.\n":
                table, names = "dump", [""]
            for form, (text, encoding) in patterns.items():
                if form in line:
                    fields = line.split(b"\t")
                    at = next((place for place, one in enumerate(fields) if form in one), 0)
                    yield Hit(text, encoding, f"{table}.{names[at]}" if at < len(names) and names[at] else table)
