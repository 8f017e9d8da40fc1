"""``hub portfolio check``: a fault is told with the line that it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from hub.cli.portfolio import check, read_file
from hub.errors import InvalidInput

SOUND = """{
  "id": "HZ", "version": "2026-01-01", "effective_from": "2026-01-01", "title": "Sellers", "purpose": "CREDIT_APPROVAL",
  "choose": {"sizes": ["MICRO"]},
  "branch": {
    "scenarios": ["S01"],
    "without_bureau": "0.8"
  }
}"""


def test_each_fault_is_told_with_its_line_in_the_order_of_the_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SOUND.replace('"MICRO"', '"TINY"').replace('"0.8"', '"8"').replace('"version": "2026-01-01", ', "")
    path = tmp_path / "wrong.json"
    path.write_text(wrong, "utf-8")
    with pytest.raises(typer.Exit):
        check([path])
    told = capsys.readouterr().err.splitlines()
    places = [line.removeprefix(f"{path}:").split(": ")[:2] for line in told[:-1]]
    # What is missing has the line of what it is missing from.
    assert places == [["1", "version"], ["3", "choose.sizes[0]"], ["6", "branch.without_bureau"]]
    assert told[-1] == "1 checked, 3 faults."


def test_a_sound_file_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sound.json"
    path.write_text(SOUND, "utf-8")
    check([path])
    assert capsys.readouterr().err == "1 checked, no fault.\n"


def test_what_is_no_json_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_text(SOUND.replace('["S01"],', '["S01"]'), "utf-8")
    with pytest.raises(typer.Exit):
        read_file(path)
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{path}:6: the text: it is no JSON") and last == "Nothing was screened."


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.json cannot be read"):
        read_file(tmp_path / "nowhere.json")
