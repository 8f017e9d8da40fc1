"""``make sbom``: what the hub is made of, as CycloneDX 1.6 on stdout. Read off the lock and the environment; no network is needed.

python -m bench.sbom [requirements/hub.txt]
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import orjson

LOCK = Path(__file__).resolve().parents[1] / "requirements" / "hub.txt"
_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==(?P<version>[^ \\\n]+)(?: ;[^\\\n]*)?(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})*)$",
    re.M,
)


def locked(text: str) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and SHA-256 of everything a lock admits."""
    return {one["name"]: (one["version"], re.findall(r"sha256:([0-9a-f]{64})", one["hashes"])) for one in _ENTRY.finditer(text)}


def document(lock: str) -> dict[str, Any]:
    """The bill of materials of a lock."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "zengxin-hub", "version": version("zengxin-hub")}},
        "components": [_component(name, *found) for name, found in sorted(locked(lock).items())],
    }


def _component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    # Each file that may be installed (a wheel of each platform, the source) is a reference with a hash of its own.
    files = [{"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": one}]} for one in hashes]
    made: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "externalReferences": files}
    licence = _licence(name)
    return made | ({"licenses": [{"license": {"name": licence}}]} if licence else {})


def _licence(name: str) -> str:
    """As the package itself says it, where it is installed."""
    try:
        told: Distribution = distribution(name)
    except PackageNotFoundError:
        return ""
    classified = [one.rpartition(" :: ")[2] for one in told.metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    return _first(told, "License-Expression") or ", ".join(classified) or _first(told, "License")


def _first(told: Distribution, field: str) -> str:
    return str((told.metadata.get_all(field) or [""])[0]).partition("\n")[0]


if __name__ == "__main__":
    lock = Path(sys.argv[1]) if len(sys.argv) > 1 else LOCK
    sys.stdout.buffer.write(orjson.dumps(document(lock.read_text("utf-8")), option=orjson.OPT_INDENT_2) + b"\n")
