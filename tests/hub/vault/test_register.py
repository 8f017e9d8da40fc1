"""The register of destroyed keys: it only grows, every process sees it, and nothing opens while it cannot be read. Keys out of the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.identifiers import new_id
from hub.errors import SecretMissing
from hub.vault import EnvKeys, FileKeys, Register, Wrapped, wrap_binding


def keys_with_one(folder: Path) -> tuple[FileKeys, tuple[UUID, UUID, Wrapped]]:
    keys, customer, key = FileKeys(folder / "keys.json"), new_id(), new_id()
    wrapped = keys.wrap(b"k" * 32, wrap_binding(customer, key))
    return keys, (customer, key, wrapped)


def test_what_was_destroyed_opens_for_no_process_any_more(tmp_path: Path) -> None:
    keys, (customer, key, wrapped) = keys_with_one(tmp_path)
    running, binding = FileKeys(tmp_path / "keys.json"), wrap_binding(customer, key)
    assert running.unwrap(wrapped.key, wrapped.kek_id, binding) == b"k" * 32
    keys.destroy(customer, key)
    keys.destroy(customer, key)
    for one in (keys, running, FileKeys(tmp_path / "keys.json")):
        with pytest.raises(SecretMissing, match="was destroyed"):
            one.unwrap(wrapped.key, wrapped.kek_id, binding)
        assert one.destroyed == {customer}
    file = tmp_path / "destroyed.jsonl"
    assert (len(file.read_text().splitlines()), stat.S_IMODE(file.stat().st_mode)) == (1, 0o600), "once is enough"


def test_others_open_as_before(tmp_path: Path) -> None:
    keys, (customer, key, wrapped) = keys_with_one(tmp_path)
    keys.destroy(new_id(), key)
    keys.destroy(customer, new_id())
    assert keys.unwrap(wrapped.key, wrapped.kek_id, wrap_binding(customer, key)) == b"k" * 32


@pytest.mark.parametrize("damage", [b"", b"{}\n", b'{"customer": 7, "key": "x"}\n'], ids=["emptied", "no key", "no id"])
def test_while_it_cannot_be_read_nothing_opens(tmp_path: Path, damage: bytes) -> None:
    keys, (customer, key, wrapped) = keys_with_one(tmp_path)
    keys.destroy(new_id(), new_id())
    (tmp_path / "destroyed.jsonl").write_bytes(damage)
    with pytest.raises(SecretMissing, match="cannot be read"):
        keys.unwrap(wrapped.key, wrapped.kek_id, wrap_binding(customer, key))
    (tmp_path / "destroyed.jsonl").unlink()
    with pytest.raises(SecretMissing, match="cannot be read"):
        keys.unwrap(wrapped.key, wrapped.kek_id, wrap_binding(customer, key))


def test_a_line_that_was_cut_short_costs_no_other(tmp_path: Path) -> None:
    """Whoever wrote it died before it said that the key was destroyed."""
    register, first, second = Register(tmp_path / "r"), (new_id(), new_id()), (new_id(), new_id())
    register.add(*first)
    with (tmp_path / "r").open("ab") as file:
        file.write(b'{"customer":"01a2')
    register.add(*second)
    assert Register(tmp_path / "r").customers == {first[0], second[0]}


def test_a_copy_is_joined_never_put_back(tmp_path: Path) -> None:
    register, copy = Register(tmp_path / "r"), Register(tmp_path / "copy")
    both, mine, theirs = (new_id(), new_id()), (new_id(), new_id()), (new_id(), new_id())
    for one, known in ((register, (both, mine)), (copy, (both, theirs))):
        for pair in known:
            one.add(*pair)
    assert (register.join(tmp_path / "copy"), register.join(tmp_path / "copy"), register.join(tmp_path / "nowhere")) == (1, 0, 0)
    assert register.customers == {both[0], mine[0], theirs[0]}


def test_keys_out_of_the_environment_are_those_of_the_file(tmp_path: Path) -> None:
    keys, (customer, key, wrapped) = keys_with_one(tmp_path)
    env = EnvKeys((tmp_path / "keys.json").read_text(), Register(tmp_path / "elsewhere" / "destroyed.jsonl"))
    assert (env.current, env.known, env.blind) == (keys.current, keys.known, keys.blind)
    assert env.unwrap(wrapped.key, wrapped.kek_id, wrap_binding(customer, key)) == b"k" * 32
    again = env.wrap(b"n" * 32, b"place")
    assert keys.unwrap(again.key, again.kek_id, b"place") == b"n" * 32
    env.destroy(customer, key)
    with pytest.raises(SecretMissing, match="was destroyed"):
        env.unwrap(wrapped.key, wrapped.kek_id, wrap_binding(customer, key))


@pytest.mark.parametrize("document", ["", "{}", "[]", "no json", '{"keys": {}, "current": "k", "blind": ""}'])
def test_what_is_no_key_file_is_refused(tmp_path: Path, document: str) -> None:
    with pytest.raises(SecretMissing, match="HUB_KEYS is not the content of a key file") as refused:
        EnvKeys(document, Register(tmp_path / "r"))
    assert document not in refused.value.sentence() or not document
    assert os.listdir(tmp_path) == []
