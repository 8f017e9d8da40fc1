"""wrk: eight connections, one thread, a request for another customer each time. With proofs it takes each of them once, from a file."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.read.settings import CONNECTIONS

_LUA = """
local ids, proofs, token, n = {}, {}, %(token)s, 0
for line in io.lines("%(ids)s") do ids[#ids + 1] = line end
%(load)s
local head, tail = [==[%(head)s]==], '"}}'
local headers = {["Content-Type"] = "application/json", ["Accept"] = "application/json"}
if token then headers["Authorization"] = "DPoP " .. token end
function request()
  n = n + 1
  if token then headers["DPoP"] = proofs[n] or "used up" end
  return wrk.format("POST", nil, headers, head .. ids[(n + %(from)d) %% #ids + 1] .. tail)
end
function done(summary, latency, requests)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"requests":%%d,"microseconds":%%d,"bad":%%d,"p50":%%d,"p99":%%d,"bytes":%%d}\\n',
    summary.requests, summary.duration, bad, latency:percentile(50), latency:percentile(99), summary.bytes))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of wrk found."""

    requests: int
    seconds: float
    bad: int
    p50: float
    p99: float
    size: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @staticmethod
    def of(found: dict[str, Any]) -> Load:
        requests, milliseconds = found["requests"], 1_000
        p50, p99 = found["p50"] / milliseconds, found["p99"] / milliseconds
        return Load(requests, found["microseconds"] / 1e6, found["bad"], p50, p99, found["bytes"] / max(1, requests))


def wrk() -> str:
    """Where it is. Raises SystemExit, and says how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit(
            "wrk is not there, and everything is measured with it: apt-get install wrk (Debian, Ubuntu), brew install wrk (macOS)."
        )
    return found


@dataclass(frozen=True)
class Asking:
    """Asks ``url`` for ``document`` of the customers in the file ``ids``; with ``token`` each request takes the next of ``proofs``."""

    home: Path
    url: str
    document: str
    ids: Path

    async def run(self, seconds: int, begin: int = 0, token: str | None = None, proofs: Sequence[str] = ()) -> Load:
        told = orjson.dumps({"query": self.document})[:-1].decode() + ',"variables":{"id":"'
        listed = self.home / "proofs.txt"
        listed.write_text("\n".join(proofs))
        load = f'for line in io.lines("{listed}") do proofs[#proofs + 1] = line end' if token else ""
        script = self.home / "ask.lua"
        quoted = f'"{token}"' if token else "nil"
        script.write_text(_LUA % {"token": quoted, "ids": self.ids, "load": load, "head": told, "from": begin})
        pipe = asyncio.subprocess.PIPE
        command = (wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script), self.url)
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        out, error = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"wrk failed:\n{out.decode()[-2000:]}{error.decode()[-2000:]}")
        return Load.of(orjson.loads(out.splitlines()[-1]))
