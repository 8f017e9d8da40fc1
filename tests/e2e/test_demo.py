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

from tests.e2e.forked import Hub

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


def block(language: str, page: str = "README.md") -> str:
    """The page's only block of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
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


def test_the_demo_answers_and_serves(hub: Hub, tmp_path: Path) -> None:
    """The other commands work on what it made, while it serves and after its end; so does the partner's client of docs/partners.md."""
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
            given = settings_of(Path(said["settings"]))
            evaluation = said["evidence"]["customer"]["evaluation"]["id"]
            again = hub("evaluate", "--evaluation", evaluation, "--json", environment=given)
            assert (again.returncode, json.loads(again.stdout)["verdict"]) == (0, "EQUAL"), again.stderr
            assert as_partner(tmp_path)["finalLimit"] == FIGURES["finalLimit"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    assert process.returncode == 0
    verified = hub("audit", "verify", "--json", environment=given)
    assert verified.returncode == 0 and json.loads(verified.stdout)["rows"] > 0, verified.stderr
    assert "A demo's hub is there: `. " in hub.refusal("audit", "show", "--home", str(tmp_path))


def settings_of(path: Path) -> dict[str, str]:
    """What a shell has in its environment once it has read the file."""
    told = subprocess.run(["sh", "-c", '. "$0" && env -0', str(path)], capture_output=True, text=True, check=True).stdout
    return {name: value for name, _, value in (line.partition("=") for line in told.split("\0")) if name.startswith("HUB_")}


def as_partner(home: Path) -> dict[str, Any]:
    """What the client of docs/partners.md prints that is run against the demo."""
    (home / "ask.py").write_text(block("python", "docs/partners.md"), "utf-8")
    command = [sys.executable, str(home / "ask.py"), str(home / "clients" / "partner-app.json")]
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def bearer(home: Path) -> str:
    command = [sys.executable, "-m", "hub.cli", "token", "--client", "risk-desk", "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout.strip()


def ask(origin: str, token: str, query: str) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json"}
    answer = httpx.post(f"{origin}/graphql", json={"query": query}, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    return answer.json()
