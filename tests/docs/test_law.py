"""Each rule of law has a test that names it, and the page says which."""

from __future__ import annotations

from pathlib import Path

from hub.cli.law_reference import faults, law_page, marks_by_rule
from hub.cli.laws import RULES

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_the_laws_is_current() -> None:
    assert (ROOT / "docs" / "reference" / "law.md").read_text("utf-8") == law_page(ROOT), "run `make docs`"


def test_every_rule_has_a_test_that_names_it() -> None:
    assert faults(ROOT) == []
    assert len({one.name for one in RULES}) == len(RULES), "one row per rule"


def _tree(root: Path, *rules: str, more: str = "") -> Path:
    """A tree whose only test names some rules."""
    for where in {one for rule in RULES for one in rule.where}:
        (root / where).parent.mkdir(parents=True, exist_ok=True)
        (root / where).touch()
    marks = "".join(f"@pytest.mark.law({rule!r})\n" for rule in rules)
    (root / "tests").mkdir(exist_ok=True)
    (root / "tests" / "test_all.py").write_text(f"{more}{marks}def test_all() -> None: ...\n", "utf-8")
    return root


def test_a_rule_without_a_test_is_found(tmp_path: Path) -> None:
    """Control: a mark that is taken away, a mark of no rule, one on a test that the suite leaves out, and a module that is gone."""
    names = [one.name for one in RULES]
    assert faults(_tree(tmp_path, *names)) == []
    assert faults(_tree(tmp_path, *names[1:])) == [f"no test names {names[0]!r}"]
    assert faults(_tree(tmp_path, *names, "PIPL 99: free beer")) == ["test_all.py::test_all names 'PIPL 99: free beer', which is no rule"]
    assert len(faults(_tree(tmp_path, *names, more="@pytest.mark.load\n"))) == len(names)
    _tree(tmp_path, *names)
    (tmp_path / RULES[0].where[0]).unlink()
    assert RULES[0].where[0] in faults(tmp_path)[0]


def test_marks_are_read_wherever_they_stand() -> None:
    """What is read from the sources is what pytest sees: a test of a class, a parametrised one, several rules in one mark."""
    named = marks_by_rule(ROOT)
    assert "hub/consent/test_gate.py::test_the_table_of_decisions" in named["征信业管理条例 18: agreed use"]
    assert {one.split("::")[0] for tests in named.values() for one in tests} <= {
        str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")
    }
