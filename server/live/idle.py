"""What a page outside every lesson is told: what comes next in its room, and who calls it. Owned by the
service."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server.domain.invitation import Invitation, InvitationState
from server.live.lesson_room import LessonRoom
from server.live.ports import PagePort
from server.protocol import messages as m
from server.protocol.inviting import Calling, Invited
from server.protocol.messages import Role

Next = Callable[[str], m.Lesson]


class Idle:
    """`next_of`: what a room's page is told while there is no lesson for it."""

    def __init__(self, next_of: Next) -> None:
        self._next_of = next_of
        self._told: dict[PagePort, tuple[m.Lesson, Calling]] = {}

    def tell(self, page: PagePort, lessons: Iterable[LessonRoom], now: int, *, anew: bool = False) -> None:
        """Send what changed; all of it `anew` to a page that just came out of a lesson, or in."""
        told = self._next_of(page.identity.room), calling(page, lessons, now)
        before = None if anew else self._told.get(page)
        if before is None or before[0] != told[0]:
            page.send(told[0])
        if before[1] != told[1] if before is not None else told[1].invited is not None:
            page.send(told[1])
        self._told[page] = told

    def busy(self, page: PagePort) -> None:
        """It is in a lesson: a call it was told of is over."""
        before = self._told.pop(page, None)
        if before is not None and before[1].invited is not None:
            page.send(Calling(None))

    def left(self, page: PagePort) -> None:
        self._told.pop(page, None)


def calling(page: PagePort, lessons: Iterable[LessonRoom], now: int) -> Calling:
    """The call that stands for this room; the oldest where there are several."""
    if page.identity.role is not Role.ROOM:
        return Calling(None)
    found = [
        (invitation.until, room)
        for room in lessons
        for invitation in room.lesson.asked
        if stands(invitation, page.identity.room, now) and room.lesson.state is not m.LessonState.ENDED
    ]
    if not found:
        return Calling(None)
    until, room = min(found, key=lambda each: (each[0], each[1].lesson.id))
    lesson = room.lesson
    return Calling(Invited(lesson.id, lesson.title, room.attendance.main_name, until))


def stands(invitation: Invitation, room: str, now: int) -> bool:
    return invitation.room == room and invitation.state is InvitationState.ASKED and now < invitation.until
