"""``hub keys`` and ``hub audit``: what an operator sees before, during and after a rotation, and that it cannot be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from hub.store.embedded import Embedded
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
    assert f"{following}: " in hub("keys", "list", *home).stdout
    again = hub("keys", "rotate", *home)
    assert again.returncode == 0 and "are sealed under kek-" in again.stderr.replace("\n", " ")
    _audit(hub, tmp_path)


def _audit(hub: Hub, home_dir: Path) -> None:
    """What was done above is in the chain of events."""
    home = ("--home", str(home_dir))
    published = json.loads(hub("audit", "publish", *home, "--json").stdout)
    assert (published["line"], published["file"]) == (1, str(home_dir / "audit" / "heads.jsonl"))
    heads = json.loads(hub("audit", "heads", *home, "--json").stdout)
    events = next(one for one in heads["heads"] if one["shard"] == 16)["sequence"]
    verified = hub("audit", "verify", *home, "--json")
    told = json.loads(verified.stdout)
    assert verified.returncode == 0 and told["holds"] and told["rows"] == events and told["published_lines"] == 1
    embedded = Embedded(home_dir / "postgres")
    with psycopg.connect(embedded.dsn("hub"), autocommit=True) as admin:
        done = [row[0] for row in admin.execute("SELECT action FROM audit_event ORDER BY sequence")]
        assert done[-3:] == ["keys.prepare", "keys.rotate", "keys.rotate"] and "client.register" in done
        admin.execute("DELETE FROM audit_event WHERE sequence = %s", (events,))
    embedded.stop()
    cut = hub("audit", "verify", *home)
    said = cut.stderr.replace("\n", " ")
    assert cut.returncode == 1 and f"events, row {events}: cut tail. A head was published for row {events}" in said, said
    assert "cannot be compared" not in said and "There is no file" in hub.refusal("audit", "verify", *home, "--heads", "nowhere", code=2)
