"""Answers are compressed when they are long and the client takes it: zstd before gzip. Nobody is sent what was not asked for.

An answer holds nothing that an attacker could vary beside something secret: it is asked with a token in a header, which no browser adds by itself.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence

import zstandard
from starlette.responses import Response

WORTH = 1024
"""Bytes from which on compressing is worth its time."""
_LEVELS = {"zstd": 3, "gzip": 4}
_VARY = (b"vary", b"Accept, Accept-Encoding")


def packed(response: Response, accepted: Sequence[str]) -> Response:
    """The same answer, compressed if both sides gain by it."""
    response.raw_headers.append(_VARY)
    body = bytes(response.body)
    coding = chosen(accepted) if accepted and len(body) >= WORTH else None
    if coding is not None:
        small = zstandard.compress(body, _LEVELS[coding]) if coding == "zstd" else gzip.compress(body, _LEVELS[coding], mtime=0)
        response.body = small
        if "etag" in response.headers:
            # The same answer, but not the same bytes.
            response.headers["ETag"] = f"W/{response.headers['etag']}"
        response.headers["Content-Encoding"], response.headers["Content-Length"] = coding, str(len(small))
    return response


def chosen(accepted: Iterable[str]) -> str | None:
    """The first of ours that the client accepts (RFC 9110, 12.5.3); None: as it is."""
    weights: dict[str, float] = {}
    for part in (part for header in accepted for part in header.split(",")):
        name, _, parameters = part.strip().partition(";")
        weights[name.strip().lower()] = _weight(parameters)
    fitting = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in _LEVELS}
    best = max(fitting.values())
    return next(coding for coding, weight in fitting.items() if weight == best) if best > 0 else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
