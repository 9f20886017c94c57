"""Room codes: six digits that make a screen a room; random, kept in memory, new at each start.

An address that got one wrong is slowed (`slowing`), so a code of a million cannot be found by trying.
"""

from __future__ import annotations

from collections.abc import Iterable

from server.ids import new_room_code


class RoomCodes:
    """The codes of all rooms; no two rooms share one."""

    def __init__(self, rooms: Iterable[str]) -> None:
        self._rooms: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        for room in rooms:
            self._give(room)

    def room_of(self, code: str) -> str | None:
        return self._rooms.get(code)

    def code_of(self, room: str) -> str:
        """Of a room that is new it is made now."""
        return self._codes.get(room) or self._give(room)

    def _give(self, room: str) -> str:
        code = new_room_code()
        while code in self._rooms:
            code = new_room_code()
        self._rooms[code] = room
        self._codes[room] = code
        return code
