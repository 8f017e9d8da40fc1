"""``hub documents check --schema``: a file that is no contract is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.documents import _contract
from hub.errors import FixConfiguration

PRINTED = Path(__file__).resolve().parents[3] / "schema" / "schema.graphql"


@pytest.mark.parametrize("text", ["query Q { a }", "type Thing { id: ID! }", "{", "type Query { a: Missing }"])
def test_what_is_no_contract(tmp_path: Path, text: str) -> None:
    (tmp_path / "new.graphql").write_text(text)
    with pytest.raises(FixConfiguration, match="is not a printed contract"):
        _contract(tmp_path / "new.graphql")


def test_the_printed_one_is() -> None:
    found = _contract(PRINTED)
    assert found.query_type is not None
