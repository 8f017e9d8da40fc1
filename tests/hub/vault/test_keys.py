"""The key file: private, whole or not there, and refused with a clear sentence when it is none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.errors import SecretMissing
from hub.vault import IDENTIFIER, Blind, FileKeys


def test_it_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys" / "keys.json"
    before = os.umask(0)
    try:
        FileKeys(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"], "no draft stays behind"


def test_it_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first, wrapped = FileKeys(path), FileKeys(path).wrap(b"k" * 32, b"place")
    assert FileKeys(path).unwrap(wrapped.key, wrapped.kek_id, b"place") == b"k" * 32
    assert (FileKeys(path).current, FileKeys(path).blind) == (first.current, first.blind)


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: FileKeys(tmp_path / "keys.json").blind, range(16)))
    assert len(set(made)) == 1


def test_the_key_that_wraps_is_not_the_one_that_hashes(tmp_path: Path) -> None:
    document = orjson.loads((FileKeys(tmp_path / "keys.json").path).read_bytes())
    assert document["blind"] not in document["keys"].values()


def test_the_chain_has_a_key_of_its_own_and_of_an_older_file_the_one_that_every_host_derives(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made, document = FileKeys(path), orjson.loads(path.read_bytes())
    assert FileKeys(path).audit == made.audit == base64.b64decode(document["audit"])
    assert made.audit not in (made.blind, *map(base64.b64decode, document["keys"].values()))
    path.write_bytes(orjson.dumps({name: value for name, value in document.items() if name != "audit"}))
    assert FileKeys(path).audit == hmac.new(made.blind, b"hub|audit|master", hashlib.sha256).digest()


Change = Callable[[dict[str, Any]], Any]
BROKEN: list[Change] = [
    lambda keys: b"",
    lambda keys: b"not json",
    lambda keys: [],
    lambda keys: {},
    lambda keys: {**keys, "keys": {}},
    lambda keys: {**keys, "keys": ["x"]},
    lambda keys: {**keys, "current": "another"},
    lambda keys: {**keys, "blind": "c2hvcnQ="},
    lambda keys: {**keys, "blind": "!" * 44},
    lambda keys: {**keys, "keys": {keys["current"]: "c2hvcnQ="}},
    lambda keys: {**keys, "keys": {keys["current"]: 7}},
]


@pytest.mark.parametrize("change", BROKEN)
def test_what_is_no_key_file_is_refused_and_left_alone(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "keys.json"
    FileKeys(path)
    changed = change(orjson.loads(path.read_bytes()))
    content = changed if isinstance(changed, bytes) else orjson.dumps(changed)
    path.write_bytes(content)
    with pytest.raises(SecretMissing, match=r"keys\.json is not a key file") as refused:
        FileKeys(path)
    assert "backup" in refused.value.sentence()
    assert path.read_bytes() == content


@pytest.mark.parametrize(("wrapped", "binding"), [(b"", b"place"), (b"x" * 11, b"place"), (b"x" * 60, b"place")])
def test_what_it_did_not_wrap_it_does_not_unwrap(tmp_path: Path, wrapped: bytes, binding: bytes) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    with pytest.raises(SecretMissing):
        keys.unwrap(wrapped, keys.current, binding)


def test_a_wrapped_key_is_bound_to_its_place_and_its_key(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    wrapped = keys.wrap(b"k" * 32, b"place")
    for kek, binding in ((keys.current, b"elsewhere"), ("kek-unknown", b"place")):
        with pytest.raises(SecretMissing):
            keys.unwrap(wrapped.key, kek, binding)


def test_blind_indexes_are_families() -> None:
    blind, other = Blind(b"m" * 32), Blind(b"n" * 32)
    mine = blind.hash(IDENTIFIER, "11010519491231002X")
    assert mine == blind.hash(IDENTIFIER, " 11010519491231002x "), "identifiers are canonical before they are hashed"
    assert mine != other.hash(IDENTIFIER, "11010519491231002X")
    assert mine != blind.hash("account", "11010519491231002X")
    assert blind.hash("account", "ab") != blind.hash("account", "AB"), "other values are taken as they are"
    assert (len(mine), mine.isascii()) == (43, True)


def test_holders_compare_across_kinds_and_other_fields_do_not() -> None:
    blind = Blind(b"m" * 32)
    holder = {blind.of_field(kind, field, "X1") for kind, field in (("Shop", "owner"), ("PaymentAccount", "holder"), ("Invoice", "person"))}
    assert holder == {blind.hash(IDENTIFIER, "X1")}
    assert blind.of_field("PaymentAccount", "account_number", "1") == blind.of_field("PaymentTransaction", "account_number", "1")
    assert blind.of_field("Order", "buyer", "X1") != blind.of_field("Refund", "buyer", "X1")
    assert blind.of_field("Order", "buyer", "X1") != blind.of_field("Order", "receiver_address", "X1")
