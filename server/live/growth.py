"""Recordings that grow: who waits for the next part, and who reads them while the lesson is live.

Both are counts and times alone: no path, no cookie, no address. Owned by campus' event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

MOST_WAITERS = 4_000
"""More than these are answered at once with what there is."""
MOST_LESSONS = 1_000
MOST_READERS = 20_000
AWAY_MS = 20_000
"""A reader that asked for nothing for so long has gone."""


class Growth:
    """Told by the recorder that a lesson's playlists have more in them."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._generations: OrderedDict[str, int] = OrderedDict()
        self.waiters = 0

    def grew(self, lesson: str) -> None:
        """Everybody who waits for this lesson may look again."""
        self._generations[lesson] = self._generations.pop(lesson, 0) + 1
        while len(self._generations) > MOST_LESSONS:
            self._generations.popitem(last=False)
        event = self._events.pop(lesson, None)
        if event is not None:
            event.set()

    def generation(self, lesson: str) -> int:
        """Rises with every growth; 0 where none was heard of (yet)."""
        return self._generations.get(lesson, 0)

    def next(self, lesson: str) -> asyncio.Event:
        """Set when the lesson has grown from now on: ask before looking, wait after."""
        return self._events.setdefault(lesson, asyncio.Event())

    @contextmanager
    def waiting(self) -> Iterator[bool]:
        """Whether there is room for one more who waits."""
        room = self.waiters < MOST_WAITERS
        self.waiters += room
        try:
            yield room
        finally:
            self.waiters -= room


@dataclass(frozen=True, slots=True)
class Reader:
    """One who watches a live lesson over HLS. `session`: names the visit, tells nothing; `role`: as the
    rights door knows it; `room`: of its token, if any. Times are milliseconds since 1970."""

    session: str
    lesson: str
    role: str
    room: str | None
    since: int
    seen: int


class Readers:
    """Everybody who watches a live lesson over HLS. Bounded: who was not seen the longest goes."""

    def __init__(self) -> None:
        self._readers: OrderedDict[tuple[str, str], Reader] = OrderedDict()

    def admitted(self, lesson: str, session: str, role: str, room: str | None, now: int) -> None:
        """This visit was given the lesson's addresses."""
        known = self._readers.pop((lesson, session), None)
        since = known.since if known is not None else now
        self._readers[lesson, session] = Reader(session, lesson, role, room, since, now)
        while len(self._readers) > MOST_READERS:
            self._readers.popitem(last=False)

    def seen(self, lesson: str, session: str, now: int) -> None:
        """This visit has asked for a file of the lesson; one that was never admitted here (campus started
        again since) is there all the same."""
        known = self._readers.pop((lesson, session), None)
        if known is None:
            self.admitted(lesson, session, "", None, now)
        else:
            self._readers[lesson, session] = replace(known, seen=now)

    def of(self, lesson: str, now: int) -> list[Reader]:
        """Who watches this lesson now, the newest last."""
        return [
            reader
            for reader in self._readers.values()
            if reader.lesson == lesson and now - reader.seen < AWAY_MS
        ]
