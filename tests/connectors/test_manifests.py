"""What a manifest says of streams is said of streams that are there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors import registry
from hub.connect import Connector


def strangers(connector: Connector) -> set[str]:
    """Streams that the manifest names and the connector does not have."""
    manifest = connector.manifest
    return {*manifest.absence_means_gone, *manifest.versions} - {stream.name for stream in connector.streams}


@pytest.mark.parametrize("name", registry.NAMES)
def test_it_names_its_own_streams(name: str) -> None:
    connector = registry.load(name)
    assert strangers(connector) == set()
    wrong = replace(connector.manifest, absence_means_gone=frozenset({"nothing"}), versions={"nobody": 2})
    assert strangers(replace(connector, manifest=wrong)) == {"nothing", "nobody"}
