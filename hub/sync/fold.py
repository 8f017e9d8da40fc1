"""What all pages of a connection say of each key today, folded in the order in which they were committed, and how that compares with what lives.

Pure: no I/O. The last page that speaks of a key decides, so an older page never overwrites a newer one; where several in a row say the same, the first of them stays the
evidence. Pages that cannot be read today leave a doubt: what was said before them, in the same window, may have been changed by them. A doubtful key is left as it is.
A connection's keys are in memory while it is folded, about half a kilobyte each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from hub.domain.facts import spec_of
from hub.sync.kept import Opened

WindowKey = tuple[str, date]
"""Stream and first day."""
WHOLE = date.min
"""Stands for the first day where a pass over any window is one over the whole stream (a state)."""


class Winner(NamedTuple):
    """The page that decides about a key: its serial, the record's position in it, the content it gives (hex digest)."""

    serial: int
    position: int
    content: str


class Live(NamedTuple):
    """What the store holds under a key, and the page it came from."""

    key: str
    fact_id: UUID
    content: str
    serial: int
    window: WindowKey


@dataclass
class Fold:
    """``state`` by kind and key. ``proven`` is, by window of a stream where absence means deletion, the serial from which its last proven pass began: older pages no
    longer say what lives. ``outside`` are keys, by kind, that a page gives outside of what is consented now: what lives of them is left to its life."""

    proven: Mapping[WindowKey, int] = field(default_factory=dict)
    state: dict[str, dict[str, Winner]] = field(default_factory=lambda: defaultdict(dict))
    windows: dict[int, WindowKey] = field(default_factory=dict)
    unread: dict[WindowKey, int] = field(default_factory=dict)
    unclean: set[WindowKey] = field(default_factory=set)
    clean: set[int] = field(default_factory=set)
    outside: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, opened: Opened) -> None:
        """Pages come by serial, each once."""
        serial, window = opened.page.serial, (opened.page.stream, opened.page.first_day)
        self.windows[serial] = window
        if opened.unread is not None:
            self.unread[window] = serial
        if opened.is_clean:
            self.clean.add(serial)
        else:
            self.unclean.add(window)
        if serial >= max(self.proven.get(window, 0), self.proven.get((window[0], WHOLE), 0)):
            self._take(opened)

    def _take(self, opened: Opened) -> None:
        for cls, rows in opened.outside.kinds.items():
            self.outside[spec_of(cls).name].update(rows)
        for cls, rows in opened.batch.kinds.items():
            state = self.state[spec_of(cls).name]
            for key, (position, row) in rows.items():
                if key not in state or state[key].content != row[1]:
                    state[key] = Winner(opened.page.serial, position, row[1])

    def decides(self, winner: Winner, live: Live | None) -> bool:
        """Whether a winner may be written over what lives, or where nothing does."""
        if live is not None and live.serial > winner.serial:
            return False
        return winner.serial > self.unread.get(self.windows[winner.serial], -1)

    def disowns(self, live: Live) -> bool:
        """Whether a live fact that no page gives is known to have no source left: its own window was read without a doubt."""
        return live.serial in self.clean and live.window not in self.unclean


@dataclass
class Kind:
    """Figures of one kind of fact. ``before`` and ``after`` are facts that live, the rest is what becomes of keys."""

    before: int = 0
    after: int = 0
    unchanged: int = 0
    added: int = 0
    changed: int = 0
    retracted: int = 0
    doubtful: int = 0
    rejected: int = 0


@dataclass
class Comparison:
    """Compares one kind. ``covers`` says which windows are asked about, ``wants`` which winners may be written."""

    fold: Fold
    kind: str
    covers: Callable[[WindowKey], bool]
    wants: Callable[[Winner], bool]
    retracts: bool
    figures: Kind
    to_write: list[tuple[Winner, str]] = field(default_factory=list)
    to_close: list[UUID] = field(default_factory=list)

    def lives(self, live: Live) -> None:
        """A live fact against what the pages say."""
        winner = self.fold.state[self.kind].pop(live.key, None)
        asked = self.covers(live.window)
        self.figures.before += asked
        if winner is None:
            if asked:
                self._without_source(live)
        elif winner.content == live.content:
            self.figures.unchanged += asked
        elif self.wants(winner):
            self._write(live.key, winner, live)

    def rest(self) -> None:
        """What the pages say of keys that do not live."""
        for key, winner in self.fold.state.pop(self.kind, {}).items():
            if self.wants(winner):
                self._write(key, winner, None)
        figures = self.figures
        figures.after = figures.before + figures.added - figures.retracted

    def _write(self, key: str, winner: Winner, live: Live | None) -> None:
        if not self.fold.decides(winner, live):
            self.figures.doubtful += 1
            return
        self.to_write.append((winner, key))
        self.figures.changed += live is not None
        self.figures.added += live is None

    def _without_source(self, live: Live) -> None:
        if live.key in self.fold.outside[self.kind]:
            self.figures.rejected += 1
        elif self.retracts and self.fold.disowns(live):
            self.figures.retracted += 1
            self.to_close.append(live.fact_id)
        else:
            self.figures.doubtful += 1
