"""Entity tags: a client that has an answer already is told that it is the same, and is sent nothing (ADR 46).

Only answers of stored reads without errors have a tag: a mutation has an effect, an error is not worth keeping. The read itself has happened, and is on the access
log: that nothing has changed is an answer, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

MOST = 20
"""Tags of one request that are looked at."""


def named(headers: Sequence[str]) -> frozenset[str]:
    """The tags of ``If-None-Match``, compared weakly as RFC 9110 has it. ``*`` names none: who has no answer yet wants one."""
    found = [part.strip().removeprefix("W/") for header in headers for part in header.split(",", MOST)[:MOST]]
    return frozenset(one for one in found if len(one) > 2 and one[0] == one[-1] == '"')


def conditional(answer: Response, tag: str, if_none_match: Sequence[str]) -> Response:
    """The answer with its tag, or 304 and no body to whoever has it."""
    quoted = f'"{tag}"'
    if if_none_match and quoted in named(if_none_match):
        kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}
        return Response(None, 304, {**kept, "ETag": quoted})
    answer.raw_headers.append((b"etag", quoted.encode()))
    return answer
