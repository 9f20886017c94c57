"""Recordings that grow, and who waits for the next part. Owned by campus' event loop."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

MOST_WAITERS = 4_000
"""More than these are answered at once with what there is."""
MOST_LESSONS = 1_000


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
