"""Messages that wait for a slow page: bounded, the newest view instead of all of them. Pure.

Policy: what tells a whole state (`WHOLE`, and `Slots` by connection) and still waits is replaced by its
newest in place; of everything else at most LIMIT may wait. A page that is slower than that is hung up: it
comes back and gets the whole view again.
"""

from __future__ import annotations

from server.protocol.broadcast import Audience, Place, Questions
from server.protocol.messages import FromServer, Lesson, Levels, Pong, Slots

LIMIT = 64

WHOLE = Lesson | Levels | Pong | Audience | Place | Questions

Key = tuple[str, str | int]


class Outbox:
    """In order of first putting. `replaced` counts what was never sent because something newer came."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._waiting: dict[Key, FromServer] = {}
        self._serial = 0
        self.replaced = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: FromServer) -> bool:
        """False: the page is too slow, hang up."""
        key = self._key(message)
        if key in self._waiting:
            self.replaced += 1
        elif len(self._waiting) >= self._limit:
            return False
        self._waiting[key] = message
        return True

    def take(self) -> FromServer | None:
        """The next message, or None."""
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))

    def _key(self, message: FromServer) -> Key:
        if isinstance(message, Slots):
            return ("slots", message.connection)
        if isinstance(message, WHOLE):
            return (type(message).__name__, "")
        self._serial += 1
        return ("", self._serial)
