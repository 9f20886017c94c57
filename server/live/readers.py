"""Who may read the playlists of lessons on the air, and who does: nobody reads unlisted.

A reader is listed under its session (a name of its browser's visit, which every signature covers) when it is
given the lesson's addresses; each request is told here, and one of a session that is not listed gets nothing.
Mutable, with synchronous calls only: the API tells it, lesson rooms read it. Times: milliseconds since 1970.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

MOST_READERS = 20_000
AWAY_MS = 20_000
"""A reader that asked for nothing for so long has gone."""
BELIEVED_MS = 60_000
"""So long after our own start a signed request of an unknown session is listed: it is older than we are."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """One who watches a live lesson over HLS. `session`: names the visit, tells nothing; `role`: as the
    rights door knows it; `room`: of its token, if any."""

    session: str
    lesson: str
    role: str
    room: str | None
    since: int
    seen: int


class Readers:
    """By lesson and session. Bounded: who was not seen the longest goes."""

    def __init__(self, started_at: int) -> None:
        self._started_at = started_at
        self._readers: OrderedDict[Key, Reader] = OrderedDict()
        self._dismissed: OrderedDict[Key, None] = OrderedDict()

    def admitted(self, lesson: str, session: str, role: str, room: str | None, now: int) -> None:
        """This visit was given the lesson's addresses."""
        key = (lesson, session)
        self._dismissed.pop(key, None)
        known = self._readers.pop(key, None)
        since = known.since if known is not None else now
        self._readers[key] = Reader(session, lesson, role, room, since, now)
        while len(self._readers) > MOST_READERS:
            self._readers.popitem(last=False)

    def seen(self, lesson: str, session: str, now: int) -> bool:
        """This visit asks for a file of the lesson. False: it is not listed, and gets nothing while the
        lesson is on the air."""
        key = (lesson, session)
        known = self._readers.pop(key, None)
        if known is not None:
            self._readers[key] = replace(known, seen=now)
            return True
        believed = now - self._started_at < BELIEVED_MS and key not in self._dismissed
        if believed:
            self.admitted(lesson, session, "", None, now)
        return believed

    def dismiss(self, lesson: str, roles: Iterable[str]) -> None:
        """What these came by is over: their next request is refused."""
        gone = [key for key, one in self._readers.items() if one.lesson == lesson and one.role in roles]
        for key in gone:
            del self._readers[key]
            self._dismissed[key] = None
        while len(self._dismissed) > MOST_READERS:
            self._dismissed.popitem(last=False)

    def of(self, lesson: str, now: int) -> list[Reader]:
        """Who watches this lesson now, the newest last."""
        return [
            reader
            for reader in self._readers.values()
            if reader.lesson == lesson and now - reader.seen < AWAY_MS
        ]
