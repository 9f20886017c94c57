"""Who may read the live playlists of one lesson, and who does: nobody reads unlisted.

A reader is listed under its visit (the name of one browser's visit, which every signature covers) when its
playlist is handed out; each request is told here, and one whose visit is not listed gets nothing. Mutable,
with synchronous calls only; the API tells it, the lesson room reads it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from server.protocol.messages import Words

READING_MS = 12_000
"""A player that asked nothing for so long has stopped; the next request lists it again."""
MOST_LISTED = 5_000


@dataclass(slots=True)
class _Reader:
    name: Words | None
    read_at: int | None


class Readers:
    """At most MOST_LISTED visits; beyond it the one that read longest ago is forgotten."""

    def __init__(self) -> None:
        self._listed: dict[str, _Reader] = {}

    def admit(self, visit: str, name: Words | None) -> None:
        """List this visit. `name` None: one of the broadcast link's many."""
        known = self._listed.pop(visit, None)
        if len(self._listed) >= MOST_LISTED:
            del self._listed[next(iter(self._listed))]
        self._listed[visit] = _Reader(name, known.read_at if known is not None else None)

    def read(self, visit: str, now: int) -> bool:
        """A request of this visit. False: it is not listed, give it nothing."""
        reader = self._listed.pop(visit, None)
        if reader is None:
            return False
        reader.read_at = now
        self._listed[visit] = reader  # the newest stands last
        return True

    def dismiss_viewers(self) -> None:
        """The broadcast's link is over."""
        self._listed = {visit: one for visit, one in self._listed.items() if one.name is not None}

    def dismiss_all(self) -> None:
        self._listed.clear()

    def viewers(self, now: int) -> int:
        """How many of the broadcast link's viewers read now."""
        return sum(one.name is None and _reads(one, now) for one in self._listed.values())

    def named(self, now: int) -> list[tuple[Words, int]]:
        """Everybody else who reads now, by name, with how many of that name."""
        names = [one.name for one in self._listed.values() if one.name is not None and _reads(one, now)]
        counted = Counter((name.zh, name.en) for name in names)
        return [(Words(zh=zh, en=en), count) for (zh, en), count in counted.items()]


def _reads(reader: _Reader, now: int) -> bool:
    return reader.read_at is not None and now - reader.read_at < READING_MS
