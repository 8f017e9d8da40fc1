"""Logs: one JSON line per event on stderr, ids not values. What is not on the list of fields is dropped, whoever logs it (trust rules, section l).

An exception is logged by its class and the places it passed through: its text may hold a value, and so may the locals of its frames.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson
import structlog

FIELDS = frozenset({
    "event", "level", "timestamp", "client", "document", "status", "size", "milliseconds", "error_id", "request", "cost", "rows", "kind", "connection", "customer",
    "connector", "verdict", "fault", "epoch", "scenario", "outcome", "trace", "stream", "path", "type", "count", "passes",
})  # fmt: skip

Event = MutableMapping[str, Any]


class _Others(logging.Handler):
    """What libraries log, as one line of ours: who, how bad, which error and where. Their texts may hold statements, values and arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        event = {"kind": record.name} | ({"exc_info": record.exc_info[1]} if record.exc_info else {})
        structlog.get_logger(record.name).log(record.levelno, "library", **event)


def configure(level: int = logging.INFO) -> None:
    """Sets up structlog for this process, and takes over what libraries log by the standard module, from warnings on."""
    logging.basicConfig(handlers=[_Others()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[_line, structlog.processors.JSONRenderer(_as_json)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )


class _Stderr:
    """What is stderr when the line is written: whoever exchanges it later is obeyed."""

    def __init__(self, *_: Any) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.msg

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")


def _as_json(event: Event, default: Callable[[Any], Any]) -> str:
    return orjson.dumps(event, default=default).decode()


def _line(_logger: Any, method: str, event: Event) -> Event:
    """What is written of an event: the fields on the list, its error's places, how bad it is and when it was. In one go, for one is written of every request."""
    error = _error(event["exc_info"]) if "exc_info" in event else None
    line = {name: value for name, value in event.items() if name in FIELDS}
    if error is not None:
        line["type"], line["trace"] = type(error).__name__, list(_trace(error.__traceback__))
    line["level"], line["timestamp"] = method, f"{datetime.now(UTC).isoformat()[:-6]}Z"
    return line


def _error(found: Any) -> BaseException | None:
    return found if isinstance(found, BaseException) else sys.exc_info()[1] if found else None


def _trace(at: TracebackType | None) -> list[str]:
    places = []
    while at is not None:
        code = at.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('site-packages/')[2]}:{at.tb_lineno} {code.co_name}")
        at = at.tb_next
    return places
