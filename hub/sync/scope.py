"""What a window was asked for, in one hash; and when the figures of a window add up.

A window that stands half read, or that was read to its end, answers the question it was asked with. Is the question another one now (another version of the
stream, other kinds, another consented range, a setting that decides what a window holds), then neither its cursor nor its rows say anything about it: it is read
anew rather than continued.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from hub.connect import Connector, Context, Stream, Window

UNEQUAL = """(moved OR fetched <> stored + unchanged + quarantined + rejected
    OR declared_total <> ALL(ARRAY[fetched, fetched - repeated]))"""
"""A window whose figures do not add up. A record that came twice may be counted once or twice by the platform; that the list did not move meanwhile is
looked at when the pass ends (:mod:`hub.sync.passes`)."""


def scope_hash(connector: Connector, stream: Stream, context: Context, window: Window) -> str:
    """32 hex digits. The last day is left out: a window that grows with the day is a matter of the plan.

    The consented range is cut into windows of its days, so that it is a part of the question only where one window is asked for the whole range.
    """
    manifest = connector.manifest
    asked: Mapping[str, Any] = {
        "stream": stream.name,
        "version": manifest.versions.get(stream.name, 1),
        "source": stream.source,
        "kinds": sorted(kind.__name__ for kind in stream.facts),
        "first": window.first,
        "range": None if stream.window_days else context.data_from,
        "settings": {one.name: context.config.get(one.name) for one in manifest.settings if one.shapes},
    }
    return hashlib.blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
