"""Which page is in which lesson: brought there, told so, moved where it belongs next. Owned by the
service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.clock import Clock
from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.live import inbox as told
from server.live.idle import Idle, Next, stands
from server.live.lesson_room import LessonRoom
from server.live.lessons import Lessons
from server.live.ports import PagePort
from server.protocol import messages as m
from server.protocol.inviting import AnswerCall
from server.protocol.messages import Role

Belongs = Callable[[Identity], LessonRoom | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is, for the rights door."""

    lesson: str | None
    main_room: str | None
    seats: frozenset[str]
    links: frozenset[int] = frozenset()  # numbers of the links that are good now


NOWHERE = Place(None, None, frozenset())


class Pages:
    """`belongs`: in which lesson an identity has its place now."""

    def __init__(self, lessons: Lessons, belongs: Belongs, next_of: Next, clock: Clock) -> None:
        self._lessons = lessons
        self._belongs = belongs
        self._clock = clock
        self._idle = Idle(next_of)
        self._attached: dict[PagePort, LessonRoom | None] = {}
        self._places: dict[tuple[Role, str], PagePort] = {}  # the newest page of each studio and room

    def __iter__(self) -> Iterator[PagePort]:
        return iter(list(self._attached))

    def __len__(self) -> int:
        return len(self._attached)

    def watchers(self, room: LessonRoom) -> int:
        """Pages that watch its broadcast."""
        return sum(at is room and page.identity.role is Role.WATCHER for page, at in self._attached.items())

    def any_in(self, room: LessonRoom) -> bool:
        return any(at is room for at in self._attached.values())

    def state_of(self, room: str) -> tuple[bool, LessonRoom | None]:
        """Whether the page of a receiving room is open, and its lesson."""
        page = self._places.get((Role.ROOM, room))
        return page is not None, self._attached.get(page) if page is not None else None

    def studio_open(self, main_room: str) -> bool:
        return (Role.TEACHER, main_room) in self._places

    def enter(self, page: PagePort, hello: m.Hello, *, resumed: bool) -> None:
        """An admitted page: it is welcomed by its lesson, or here where it has none."""
        room = self._belongs(page.identity)
        self._attached[page] = room
        self._places[page.identity.role, page.identity.room] = page
        if room is not None:
            room.inbox.post(told.PageCame(page, hello, resumed))
            return
        now = self._clock.wall_ms()
        identity = page.identity
        page.welcome(
            m.Welcome(
                session=page.session,
                role=identity.role,
                room=identity.room,
                name=identity.name,
                now=now,
                resumed=resumed,
            )
        )
        self._idle.tell(page, self._lessons, now, anew=True)

    def leave(self, page: PagePort) -> None:
        """Its WebSocket is closed."""
        room = self._attached.pop(page, None)
        place = (page.identity.role, page.identity.room)
        if self._places.get(place) is page:
            del self._places[place]
        self._idle.left(page)
        if room is not None:
            room.inbox.post(told.PageLeft(page))

    def said(self, page: PagePort, message: m.ToServer) -> bool:
        """False where the lesson cannot take more: hang up."""
        if isinstance(message, AnswerCall):
            self._answered(page.identity, message)
            return True
        room = self._attached.get(page)
        if room is None:
            return True  # it was in a lesson a moment ago
        taken = room.inbox.post(told.PageSaid(page, message))
        return taken or isinstance(message, m.Report)

    def _answered(self, identity: Identity, message: AnswerCall) -> None:
        room = self._lessons.get(message.lesson)
        now = self._clock.wall_ms()
        if room is None or identity.role is not Role.ROOM:
            return
        if any(stands(each, identity.room, now) for each in room.lesson.asked):
            room.inbox.post(told.CallAnswered(identity.room, message.accepted))

    def reassign(self) -> None:
        """Every page to the lesson it belongs to now; who has none is told what comes next."""
        now = self._clock.wall_ms()
        for page, before in list(self._attached.items()):
            after = self._belongs(page.identity)
            if after is before:
                if after is None:
                    self._idle.tell(page, self._lessons, now)
                continue
            self._attached[page] = after
            if before is not None:
                before.inbox.post(told.PageLeft(page, moved=True))
            if after is not None:
                self._idle.busy(page)
                after.inbox.post(told.PageCame(page, None))
            else:
                self._idle.tell(page, self._lessons, now, anew=True)

    def place_of(self, page: PagePort) -> Place:
        """Which lesson the page is in."""
        room = self._attached.get(page)
        return NOWHERE if room is None else place_of(room.lesson)


def place_of(lesson: Lesson) -> Place:
    """A lesson as the rights door asks about it."""
    return Place(lesson.id, lesson.main_room, frozenset(lesson.rooms), lesson.links)
