"""What every slot of every page carries, told to the worker and to the page. A part of the lesson room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from server.domain.floor import Assignment
from server.live.participant import Participant
from server.protocol import messages as m
from server.protocol.messages import Role

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

SPEECH_DBOV = -50
SILENCE_DBOV = -127
PAUSE_MS = 1_000
"""So long a silence is the end of a sentence."""


class Pointing:
    """`main_silent_since`: since when the main room's line is silent although its page is there."""

    def __init__(self, room: LessonRoom) -> None:
        self.room = room
        self.main_silent_since: int | None = None
        self._spoken_at: int | None = None

    def heard(self, loudest: Mapping[str, int], now: int) -> None:
        """How loud each room is: whoever all can hear speaks, or is silent."""
        room = self.room
        heard = (room.lesson.main_room, *room.attendance.floor.heard())
        if any(loudest.get(name, SILENCE_DBOV) >= SPEECH_DBOV for name in heard):
            self._spoken_at = now

    def speaking(self, now: int) -> bool:
        """Whether somebody is in the middle of a sentence."""
        return self._spoken_at is not None and now - self._spoken_at < PAUSE_MS

    def settle(self, now: int) -> None:
        """Assignments to slots, and to the facts of what each tile must be seeing."""
        room = self.room
        announced, tracks, flowing = room.media.announced(), room.media.tracks(), room.media.flowing(now)
        boxes = room.media.boxes()
        to_viewers: Assignment | None = None  # the same for all of them, and they are many
        for who in room.attendance.everybody():
            viewer = who.role in (Role.WATCHER, Role.GUEST) and who.seat not in room.lesson.guests
            if viewer and to_viewers is not None:
                assignment = to_viewers
            else:
                assignment = room.attendance.assignment(who, room.lesson, announced, boxes)
            to_viewers = assignment if viewer else to_viewers
            shown = frozenset(slot for slot, origin in assignment.items() if origin in flowing)
            thinned = who.down.thinned if who.down else frozenset()
            who.due(shown - thinned, now)
            self._tell_layers(who)
            if who.down is None:
                continue
            who.codec_missing = room.media.lacks_codec(who.down, assignment, tracks)
            news = room.media.point(who.down, assignment, tracks)
            if news is not None and who.page is not None:
                who.page.send(m.Slots(connection=who.down.name, slots=news))
        room.doors.point_watchers(announced, tracks)
        self._watch_main(now, flowing)

    def _tell_layers(self, who: Participant) -> None:
        """A page need not send what nobody has a use for."""
        if who.up is None or who.page is None:
            return
        news = self.room.media.layer_news(who.up)
        if news is not None:
            who.page.send(m.Layers(connection=who.up.name, layers=news))

    def _watch_main(self, now: int, flowing: frozenset[tuple[str, object]]) -> None:
        room = self.room
        here = any(name == room.lesson.main_room for name, _ in flowing)
        if here or not room.lesson.on_air:
            self.main_silent_since = None
        elif self.main_silent_since is None and room.attendance.main_was_seen:
            self.main_silent_since = now
        room.attendance.main_was_seen |= here
