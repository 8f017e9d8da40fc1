"""When a worker looks for garbage. A page is thousands of small objects that are gone with it, without any cycle among them: to look through them, and through
all modules besides, each time some hundreds have been made costs a seventh of the time a page takes."""

from __future__ import annotations

import gc

YOUNG, OLDER, OLDEST = 20_000, 20, 50
"""Objects made until the young ones are looked through; how often until the older ones are, too."""


def look_rarely() -> None:
    """Once per process, when everything is loaded: what is there then is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDEST)
