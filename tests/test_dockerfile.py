"""The container's promises, read off the text of the Dockerfile: two stages, non-root, the same lock, no build tools at the end."""

from __future__ import annotations

from pathlib import Path

DOCKERFILE = (Path(__file__).resolve().parents[1] / "Dockerfile").read_text("utf-8")
BUILD, RUN = DOCKERFILE.split("\nFROM ")[1:] if DOCKERFILE.startswith("#") else DOCKERFILE.split("\nFROM ")


def test_two_stages() -> None:
    assert DOCKERFILE.count("\nFROM ") == 2
    assert "AS build" in BUILD
    assert "COPY --from=build" in RUN


def test_the_final_stage_runs_as_nobody_in_particular() -> None:
    assert "USER 10001:10001" in RUN
    assert RUN.index("USER ") < RUN.index("ENTRYPOINT")
    assert "root" not in RUN.split("USER ")[1]


def test_the_final_stage_has_no_build_tools() -> None:
    for tool in ("apt-get", "gcc", "uv pip", "pip install", "hatchling", "dev.txt"):
        assert tool not in RUN
    assert "rm -rf /usr/local/lib/python3.11/site-packages/pip" in RUN


def test_the_same_lock() -> None:
    assert "--require-hashes -r requirements/hub.txt" in BUILD
