"""What is installed is what was reviewed: hashes for every name, no unknown name, no placeholder, no secret in the tree; and the bill of materials names all of it.

The floor of versions is :mod:`tests.test_floor_versions`. ruff's rules S (bandit) are part of the lint. Nothing here needs a network.
"""

from __future__ import annotations

import math
import re
import subprocess
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path

import pytest

from bench.sbom import document, locked

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PLACEHOLDERS = {"graphql-cop", "graphw00f"}
"""Names on PyPI that are not the tools of that name (trust rules, section m)."""
OURS = {"zengxin-hub", "pip", "setuptools"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def without_hashes(lock: str) -> list[str]:
    """Names of a lock without a hash; every line that begins a requirement counts."""
    begun = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", lock, re.M)
    return [name for name in begun if not locked(lock).get(name, ("", []))[1]]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_name_has_hashes(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert without_hashes(text) == []
    assert len(locked(text)) == len(re.findall(r"^[A-Za-z0-9]", text, re.M)) > 30
    assert not PLACEHOLDERS & locked(text).keys()


def test_a_missing_hash_is_noticed() -> None:
    text = LOCKS[-1].read_text("utf-8")
    name = next(iter(locked(text)))
    entry, _, rest = text.partition("\n" + next(iter(list(locked(text))[1:])) + "==")
    bare = entry.partition(" ")[0] + "\n" + text[len(entry) + 1 :]
    assert rest and name in entry
    assert without_hashes(bare) == [name]
    assert without_hashes(text + "somebody-else>=1\n") == ["somebody-else"]


def unknown(installed: set[str]) -> set[str]:
    names = {normal(name) for lock in LOCKS for name in locked(lock.read_text("utf-8"))}
    return {normal(name) for name in installed} - names - OURS


def test_nothing_unknown_is_installed() -> None:
    assert unknown({one.name for one in distributions()}) == set()
    assert unknown({"graphql-cop"}) == {"graphql-cop"}


def test_the_bill_of_materials_names_everything() -> None:
    text = (ROOT / "requirements" / "hub.txt").read_text("utf-8")
    made = document(text)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["name"]: one for one in made["components"]}
    assert listed.keys() == locked(text).keys()
    assert all(one["externalReferences"] and one["purl"] == f"pkg:pypi/{name}@{one['version']}" for name, one in listed.items())
    silent = sorted(name for name, one in listed.items() if "licenses" not in one)
    print(f"{len(listed)} components, without a licence of their own words: {', '.join(silent) or 'none'}")


_SECRETS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\\?[nr]?\s*[A-Za-z0-9+/=]{30}"),
    "cloud key": re.compile(r"\b(?:AKIA|ASIA|LTAI)[A-Za-z0-9]{16,}\b"),
    "forge token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|pypi-[A-Za-z0-9_-]{50,})"),
    "chat token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    "private JWK": re.compile(r"[\"']d[\"']\s*:\s*[\"'][A-Za-z0-9_-]{40,}[\"']"),
    "password in a URL": re.compile(r"[a-z+]+://[^/\s:@'\"{}<]+:(?!\.\.\.|\*{3}|password|opensesame)[^/\s:@'\"{}<]{6,}@"),
}
_ASSIGNED = re.compile(r"(?i)\b[\w-]*(?:secret|passw(?:or)?d|api_?key|token)[\w-]*[\"']?\s*[:=]\s*[\"']([A-Za-z0-9+/_=-]{20,})[\"']")
RANDOM = 4.2
"""Bits per character from which on a text looks drawn by lot; words lie below."""


def bits(text: str) -> float:
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def secrets_in(text: str) -> list[str]:
    found = [kind for kind, pattern in _SECRETS.items() if pattern.search(text)]
    return found + ["assigned"] * any(bits(one) >= RANDOM for one in _ASSIGNED.findall(text))


def test_no_secret_is_in_the_tree() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.splitlines() if name != "tests/test_supply_chain.py"]
    texts = {
        str(path.relative_to(ROOT)): path.read_text("utf-8", "replace")
        for path in files
        if path.is_file() and path.stat().st_size < 1_000_000
    }
    assert len(texts) > 400
    assert {name: found for name, text in texts.items() if (found := secrets_in(text)) and name not in KNOWN} == {}
    assert sorted(name for name in KNOWN if not secrets_in(texts.get(name, ""))) == [], "no exception is kept that is not needed"


KNOWN: dict[str, str] = {}
"""Files that hold what looks like a secret, and why it is none."""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("private key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n"),
        ("cloud key", "id = AKIAIOSFODNN7EXAMPLE"),
        ("forge token", "ghp_" + "a1B2c3D4e5F6" * 3),
        ("chat token", "xoxb-1234567890-abcdefghijkl"),
        ("private JWK", '{"kty": "EC", "d": "' + "aB3_" * 11 + '"}'),
        ("password in a URL", "postgresql://hub:hunter2hunter2@db.example/hub"),
        ("assigned", 'client_secret = "q8Zr1vT0bX7mKp4LwY2sNd9e"'),
    ],
)
def test_a_secret_is_noticed(kind: str, text: str) -> None:
    assert kind in secrets_in(text)
    assert secrets_in('client_secret = "the-secret-of-the-sandbox"\npassword: str\npostgresql://hub_app:...@db.example/hub') == []
