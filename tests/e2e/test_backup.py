"""``hub backup`` and ``hub restore``: what an operator sees."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.forked import Hub


def test_a_backup_and_its_restore_as_an_operator_does_them(hub: Hub, tmp_path: Path) -> None:
    home, data, keys = ("--home", str(tmp_path / "home")), tmp_path / "data", tmp_path / "apart"
    parts = (str(data), "--keys", str(keys))
    assert hub("migrate", *home).returncode == 0
    made = hub("backup", *parts, *home)
    assert made.returncode == 0, made.stderr
    assert "No data key is in it" in made.stderr.replace("\n", " ")
    assert {path.name: oct(path.stat().st_mode)[-3:] for path in (data / "data.dump", keys / "data_keys.dump")} == {
        "data.dump": "600",
        "data_keys.dump": "600",
    }
    had = json.loads(hub("audit", "heads", "--json", *home).stdout)["heads"][0]["sequence"]
    assert hub("keys", "rotate", *home).returncode == 0
    assert hub("audit", "publish", *home).returncode == 0
    restored = hub("restore", *parts, "--replace", "--json", *home)
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout) == {"rows_erased_again": 0}
    verified = hub("audit", "verify", "--json", *home)
    assert verified.returncode == 0, verified.stdout
    (told,) = json.loads(verified.stdout)["restores"]
    assert (told["line"], told["lost"]) == (2, [{"shard": 16, "first": had + 1, "last": had + 1}])
