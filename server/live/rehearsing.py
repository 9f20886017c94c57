"""A lesson in which acting rooms play: they come at Start, act by `domain.rehearsal`, and leave at the end.

A part of the lesson room, in its task. Of a rehearsal nothing is kept but whether it was passed: no lesson's
row, no spans, no recording.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from server.domain import rehearsal as rules
from server.domain.rehearsal import Rehearsal
from server.errors import LiankeError
from server.live.ports import ActingPort, RehearsalRows
from server.protocol.messages import CallOn, LessonState
from server.protocol.rehearsing import Cue, PointOut, RehearsalView

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

logger = logging.getLogger(__name__)


class Rehearsing:
    """`stage` None: there are no acting rooms here."""

    def __init__(self, room: LessonRoom, stage: ActingPort | None, rows: RehearsalRows | None) -> None:
        self.room = room
        self._stage = stage
        self._rows = rows
        self._rehearsal: Rehearsal | None = None
        self._over = False

    @property
    def acted(self) -> bool:
        """Whether this lesson's rooms are acting ones."""
        rooms = self.room.lesson.rooms
        return self._stage is not None and bool(rooms) and rules.is_acting(rooms[0])

    def view(self) -> RehearsalView | None:
        if not self.acted:
            return None
        return rules.view(self._rehearsal) if self._rehearsal is not None else RehearsalView([])

    def taught(self, message: object, now: int) -> None:
        """The teacher did something, and it came about."""
        if self._rehearsal is None:
            return
        match message:
            case CallOn(room=str(room)):
                self._become(rules.called(self._rehearsal, room, now))
            case PointOut(room=room):
                self._become(rules.pointed_out(self._rehearsal, room, now))

    async def settle(self, now: int) -> None:
        """Begin with the lesson, go on by the clock, end with it."""
        if not self.acted or self._over:
            return
        lesson = self.room.lesson
        if lesson.state is LessonState.ENDED:
            await self._end(now)
        elif lesson.on_air and self._rehearsal is None:
            await self._begin(now)
        elif self._rehearsal is not None:
            self._become(rules.tick(self._rehearsal, self.room.attendance.present_rooms(now), now))

    async def _begin(self, now: int) -> None:
        assert self._stage is not None
        self._rehearsal = rules.begin(self.room.lesson.rooms, now)
        try:
            await self._stage.play(self.room.lesson.id, self.room.lesson.rooms)
        except (LiankeError, OSError) as error:
            logger.warning("lesson %s: no acting rooms: %s", self.room.lesson.id, error)

    async def _end(self, now: int) -> None:
        assert self._stage is not None
        self._over = True
        await self._stage.end(self.room.lesson.id)
        found = self._rehearsal
        if found is not None and found.done and self._rows is not None:
            lesson = self.room.lesson
            await self._rows.add(lesson.ended_at or now, lesson.main_room, lesson.taught_by, found.steps)

    def _become(self, after: tuple[Rehearsal, list[Cue]]) -> None:
        assert self._stage is not None
        self._rehearsal, cues = after
        for cue in cues:
            self._stage.cue(self.room.lesson.id, cue)
