"""The command line, standing ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.forked import Hub, standing_ready


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with standing_ready(tmp_path_factory.mktemp("hub")) as ready:
        yield ready
