"""``hub keys``: what an operator sees before, during and after a rotation."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.forked import Hub


def test_a_rotation_as_an_operator_does_it(hub: Hub, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path))
    assert hub("migrate", *home).returncode == 0
    before = json.loads(hub("keys", "list", *home, "--json").stdout)
    assert before["known"] == [before["current"]]
    prepared = hub("keys", "prepare", *home)
    assert prepared.returncode == 0 and "Copy the file to every host" in prepared.stderr.replace("\n", " ")
    between = json.loads(hub("keys", "list", *home, "--json").stdout)
    (following,) = set(between["known"]) - set(before["known"])
    assert between["current"] == before["current"], "nothing is sealed under it yet"
    rotated = hub("keys", "rotate", "--retire", *home, "--json")
    assert rotated.returncode == 0, rotated.stderr
    told = json.loads(rotated.stdout)
    assert (told["current"], told["left"], told["unreadable"], told["retired"]) == (following, {}, 0, [before["current"]])
    assert f"{following}: " in hub("keys", "list", *home).stderr
    again = hub("keys", "rotate", *home)
    assert again.returncode == 0 and "are sealed under kek-" in again.stderr.replace("\n", " ")
