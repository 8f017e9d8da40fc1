"""The demo as a person runs it, and the README's question asked of it: what is printed there is what it answers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    "outcome": "ENHANCED",
    "tier": "HIGH",
    "consistency": "0.9838",
    "coverage": "1.0000",
    "verifiedRevenue": "1428869.20",
    "score": 679,
    "grade": "A",
    "baseLimit": "165000.00",
    "finalLimit": "223000.00",
    "rate": "0.0370",
    "termMonths": 12,
}


def block(language: str) -> str:
    """The README's block of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(found) == 1
    return str(found[0])


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The one JSON document a process prints, whether it ends or goes on."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            found: dict[str, Any] = json.loads(text)
            return found
    raise AssertionError(f"no answer: {text}")


def test_the_demo_answers_and_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hub.cli", "demo", "--json", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            said = answer_of(process)
            found = said["answer"]["customer"]["evaluation"]
            assert {name: found[name] for name in FIGURES} == FIGURES
            assert [reason["code"] for reason in found["reasons"]] == ["C06", "C01", "C05"]
            assert {sync["verdict"] for sync in said["syncs"]} == {"COMPLETE"}
            assert len(said["syncs"]) == 6
            assert ask(said["origin"], bearer(tmp_path), block("graphql")) == json.loads(block("json"))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    assert process.returncode == 0


def bearer(home: Path) -> str:
    command = [sys.executable, "-m", "hub.cli", "token", "--client", "risk-desk", "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout.strip()


def ask(origin: str, token: str, query: str) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json"}
    answer = httpx.post(f"{origin}/graphql", json={"query": query}, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    return answer.json()
