"""Who is in a lesson: participants by seat, the floor, and each tile's state. Owned by the lesson room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from server.domain import floor as floors
from server.domain.admission import Identity
from server.domain.floor import Assignment, Floor
from server.domain.lesson import Lesson
from server.domain.rehearsal import is_acting, name_of
from server.domain.seats import seat_state
from server.live.connections import Connection, Direction
from server.live.participant import Participant
from server.live.ports import Classroom, PagePort
from server.protocol.messages import Role, Words
from server.protocol.parameters import Source

BACK_AFTER_RESTART_MS = 3_000
"""Pages need a moment to find campus again; until then nobody is called away."""


class Attendance:
    """The main room and every receiving room have their seat from the start; observers come and go."""

    def __init__(self, lesson: Lesson, classrooms: Mapping[str, Classroom], now: int) -> None:
        self.floor = floors.recalled(lesson)
        self._since = now
        self._classrooms = classrooms
        self._main = lesson.main_room
        self._rooms = lesson.rooms
        self.main_was_seen = False
        self._participants = {
            room: Participant(
                seat=room,
                role=Role.TEACHER if room == lesson.main_room else Role.ROOM,
                name=_name(classrooms, room),
                since=lesson.created_at,
            )
            for room in (lesson.main_room, *lesson.rooms)
        }
        self.main_name = _name(classrooms, lesson.main_room)

    def remembered(self, lesson: Lesson) -> Lesson:
        """The lesson with the floor in it, as it is saved."""
        return floors.remembered(lesson, self.floor)

    # -- who -----------------------------------------------------------------------------------------

    def everybody(self) -> list[Participant]:
        return list(self._participants.values())

    def seats(self) -> list[Participant]:
        """The receiving rooms and guests, in tile order."""
        return [self._participants[room] for room in self._rooms]

    @property
    def teacher(self) -> Participant:
        return self._participants[self._main]

    def of_page(self, page: PagePort) -> Participant | None:
        """Whose page this is now; None for a page that was replaced."""
        return next((p for p in self._participants.values() if p.page is page), None)

    def pages(self, role: Role | None = None) -> list[PagePort]:
        return [
            p.page
            for p in self._participants.values()
            if p.page is not None and (role is None or p.role is role)
        ]

    def enter(self, identity: Identity, session: str) -> Participant:
        """The participant of this identity; who has no seat of a room's is made one."""
        if identity.role in (Role.TEACHER, Role.ROOM):
            return self._participants[identity.room]
        seat = f"{identity.role}.{session}"
        return self._participants.setdefault(
            seat,
            Participant(
                seat=seat,
                role=identity.role,
                name=identity.name,
                session=session,
                link=identity.number,
                link_until=identity.until,
                label=identity.label,
            ),
        )

    def dismiss(self, who: Participant) -> None:
        """Its link is over: it has no place here any more."""
        self._participants.pop(who.seat, None)

    def seat(self, lesson: Lesson) -> None:
        """Rooms that came into the lesson after it was opened get their seats."""
        for room in lesson.rooms:
            if room not in self._participants:
                self._participants[room] = Participant(
                    seat=room, role=Role.ROOM, name=_name(self._classrooms, room), since=self._since
                )
        self.follow(lesson)

    def follow(self, lesson: Lesson) -> None:
        """Guests came on stage or left it: they have tiles like rooms while they are there."""
        self._rooms = tuple(seat for seat in lesson.seats if seat in self._participants)

    def name_of(self, room: str) -> Words | None:
        known = self._participants.get(room)
        return known.name if known is not None else None

    def named(self, values: Mapping[str, str]) -> dict[str, str]:
        """Values of a mark; its `room` also by name, as the room was called on that day."""
        room = self._participants.get(values.get("room", ""))
        names = {} if room is None else {"room_zh": room.name.zh, "room_en": room.name.en}
        return {**values, **names}

    def present_rooms(self, now: int) -> frozenset[str]:
        return frozenset(room for room in self._rooms if self._participants[room].present(now))

    def teacher_present(self, now: int) -> bool:
        return self.teacher.present(now)

    def teacher_gone(self, now: int, for_ms: int) -> bool:
        left_at = self.teacher.left_at
        return left_at is not None and now - left_at > for_ms

    def watchers(self) -> list[Words]:
        """Names of observers and of the main room's own walls: nobody watches unseen."""
        watching = (Role.OBSERVER, Role.WALL)
        return [p.name for p in self._participants.values() if p.role in watching and p.page]

    # -- their media ---------------------------------------------------------------------------------

    def assignment(
        self,
        who: Participant,
        lesson: Lesson,
        announced: Mapping[str, Iterable[Source]],
        boxes: Collection[Source],
    ) -> Assignment:
        return floors.assignments(lesson, self.floor, announced, who.role, who.seat, boxes)

    def take_back(self, connections: Iterable[Connection], now: int) -> list[Connection]:
        """Connections that outlived campus, back to their seats; their pages follow within seconds. Given
        back: those of nobody who is known."""
        strangers = []
        for connection in connections:
            participant = self._participants.get(connection.seat)
            if participant is None:
                strangers.append(connection)
                continue
            participant.was_here, participant.left_at = True, now + BACK_AFTER_RESTART_MS
            if connection.direction is Direction.UP:
                participant.up = connection
            else:
                participant.down = connection
        return strangers

    def connection_changed(self, connection: Connection, now: int) -> PagePort | None:
        """The page that lost this connection, where it is gone and was the one in use."""
        participant = self._participants.get(connection.seat)
        if participant is None or connection.alive:
            return None
        if participant.up is connection:
            participant.up = None
            return participant.page
        if participant.down is connection:
            participant.down = None
            participant.media_restarts(now)
            return participant.page
        return None

    def media_lost(self, now: int) -> None:
        for participant in self._participants.values():
            participant.up = participant.down = None
            participant.media_restarts(now)

    def lost(self, worst: Mapping[str, float], now: int) -> None:
        for participant in self._participants.values():
            lines = [line.name for line in (participant.up, participant.down) if line is not None]
            if participant.down is not None:
                participant.lost(max(worst.get(line, 0.0) for line in lines), now)
                participant.line_judged(
                    weak=participant.down.weak, held="stage" in participant.down.thinned, now=now
                )

    # -- time ----------------------------------------------------------------------------------------

    def on_air(self, now: int) -> None:
        """The lesson begins: whoever waits has the joining time."""
        for participant in self._participants.values():
            if participant.page is not None:
                participant.media_restarts(now)

    def ended(self) -> None:
        self.floor = Floor()
        for participant in self._participants.values():
            participant.up = participant.down = None
            participant.help_since = None

    def expire(self, now: int, resume_ms: int) -> list[Connection]:
        """Connections of pages that did not come back in time; observers without a page are forgotten."""
        closed: list[Connection] = []
        for participant in self.everybody():
            gone = participant.page is None and participant.left_at is not None
            if not gone or now - (participant.left_at or 0) < resume_ms:
                continue
            closed += [c for c in (participant.up, participant.down) if c is not None]
            participant.up = participant.down = None
            if participant.role not in (Role.TEACHER, Role.ROOM):
                del self._participants[participant.seat]
        return closed

    def leave_floor(self, now: int, call_kept_ms: int) -> None:
        """A room that is away has no hand up; its call is kept for a while."""
        for seat in self.seats():
            if seat.present(now):
                continue
            away_ms = now - (seat.left_at or self._since)
            if seat.left_at is None and away_ms <= BACK_AFTER_RESTART_MS:
                continue
            if seat.seat in self.floor.hands:
                self.floor = floors.lower_hand(self.floor, seat.seat)
            if self.floor.called == seat.seat and away_ms > call_kept_ms:
                self.floor = floors.room_left(self.floor, seat.seat)

    def judge(self, now: int, *, on_air: bool) -> None:
        """Each receiving room's state by the table."""
        for seat in self.seats():
            facts = seat.facts(now, on_air=on_air, muted=seat.seat in self.floor.muted)
            seat.show(*seat_state(facts, now), now)


def _name(classrooms: Mapping[str, Classroom], room: str) -> Words:
    known = classrooms.get(room)
    if known is not None:
        return known.name
    return name_of(room) if is_acting(room) else Words(zh=room, en=room)
