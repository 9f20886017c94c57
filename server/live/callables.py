"""Which rooms a main room may call into a lesson that nobody booked, and whether they can come. A part of the
service.

Without lists (a service that is built without a county) every receiving room may be called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from server.live.pages import Pages
from server.live.ports import Classroom
from server.protocol.inviting import CallableRoom, CallState
from server.protocol.messages import Words

CallLists = Callable[[str], Awaitable[Mapping[str, Words]]]
"""Of a main room: the rooms that it may call -> the name of each one's school."""
NO_SCHOOL = Words("", "")


class Callables:
    """`classrooms`: the service's, kept up to date by it."""

    def __init__(self, lists: CallLists | None, classrooms: Mapping[str, Classroom], pages: Pages) -> None:
        self._lists = lists
        self._classrooms = classrooms
        self._pages = pages

    async def of(self, main_room: str) -> list[CallableRoom]:
        """In the order of tiles."""
        if self._lists is not None:
            allowed = await self._lists(main_room)
        else:
            allowed = {room.room: NO_SCHOOL for room in self._classrooms.values() if not room.main}
        return [
            CallableRoom(room.room, room.name, allowed[room.room], self._state(room.room))
            for room in self._classrooms.values()
            if room.room in allowed and room.room != main_room
        ]

    def _state(self, room: str) -> CallState:
        there, lesson = self._pages.state_of(room)
        if not there:
            return CallState.AWAY
        return CallState.FREE if lesson is None else CallState.BUSY
