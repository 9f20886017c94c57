"""Rooms called into a lesson that nobody booked: asked, answered in the room itself, seated.

A part of the lesson room, in its task. Rules are `domain.invitation`; a room that says no, or nothing, can be
asked again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from server.domain import invitation as inviting
from server.domain.invitation import Invitation, InvitationState
from server.errors import UserFault
from server.protocol.inviting import CallableRoom, CallableRooms, CallState
from server.protocol.messages import LessonState, Role

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom
    from server.live.ports import LessonHost

FRESH_MS = 5_000
SAID = {
    InvitationState.ASKED: CallState.ASKED,
    InvitationState.ACCEPTED: CallState.ACCEPTED,
    InvitationState.DECLINED: CallState.DECLINED,
    InvitationState.EXPIRED: CallState.EXPIRED,
}


class CallRooms:
    """`_allowed`: the rooms this main room may ask, with their names; asked for anew now and then."""

    def __init__(self, room: LessonRoom, host: LessonHost) -> None:
        self.room = room
        self._host = host
        self._allowed: dict[str, CallableRoom] = {}
        self._asked_at: int | None = None
        self._told: CallableRooms | None = None
        self._made_of: tuple[object, ...] = ()

    async def call(self, rooms: list[str], now: int) -> None:
        """The teacher asks these rooms. UserFault where one may not be asked from here."""
        lesson = self.room.lesson
        if lesson.state is LessonState.ENDED:
            raise UserFault("not_on_air", zh="课已经结束了。", en="The lesson is over.")
        if self.room.rehearsing.acted:
            raise UserFault("only_acting", zh="排练只有排练教室参加。", en="Only acting rooms come here.")
        await self._learn(now)
        asked = {each.room: each for each in lesson.asked}
        for name in dict.fromkeys(rooms):
            stands = asked.get(name)
            if name in lesson.rooms or (
                stands is not None
                and inviting.tick(stands, now) == stands
                and stands.state is InvitationState.ASKED
            ):
                continue  # fmt: skip
            asked[name] = inviting.invite(lesson.id, name, frozenset(self._allowed), now)
        await self._become(asked)

    async def answered(self, room: str, accepted: bool, now: int) -> None:
        """Somebody in that room touched the screen. Too late, or a second time, changes nothing."""
        asked = {each.room: each for each in self.room.lesson.asked}
        invitation = asked.get(room)
        if invitation is None or self.room.lesson.state is LessonState.ENDED:
            return
        asked[room] = inviting.answer(invitation, accepted, now)
        await self._become(asked)

    async def settle(self, now: int) -> None:
        """Calls that nobody answered are over; the studio is told what became of each."""
        lesson = self.room.lesson
        ticked = {each.room: inviting.tick(each, now) for each in lesson.asked}
        if tuple(ticked.values()) != lesson.asked:
            await self._become(ticked)
            lesson = self.room.lesson
        studio = self.room.attendance.pages(Role.TEACHER)
        closed = lesson.booked or self.room.rehearsing.acted
        if closed or not studio or lesson.state is LessonState.ENDED:
            self._told = None
            return
        if self._asked_at is None or now - self._asked_at > FRESH_MS:
            await self._learn(now)
        made_of = (self._asked_at, lesson.asked, lesson.rooms)
        if self._told is not None and made_of == self._made_of:
            return
        news = CallableRooms([self._shown(each, ticked) for each in self._allowed.values()])
        self._made_of = made_of
        if news != self._told:
            self._told = news
            for page in studio:
                page.send(news)

    def came(self) -> None:
        """A studio page came (again): it is told everything anew."""
        self._told = None

    async def _learn(self, now: int) -> None:
        self._allowed = {
            each.room: each for each in await self._host.callable_from(self.room.lesson.main_room)
        }
        self._asked_at = now

    def _shown(self, room: CallableRoom, asked: dict[str, Invitation]) -> CallableRoom:
        state, until = room.state, None
        if room.room in self.room.lesson.rooms:
            state = CallState.ACCEPTED
        elif room.room in asked:
            invitation = asked[room.room]
            state = SAID[invitation.state]
            until = invitation.until if invitation.state is InvitationState.ASKED else None
        return CallableRoom(room.room, room.name, room.school, state, until)

    async def _become(self, asked: dict[str, Invitation]) -> None:
        lesson = self.room.lesson
        came = tuple(
            each.room
            for each in asked.values()
            if each.state is InvitationState.ACCEPTED and each.room not in lesson.rooms
        )
        after = replace(lesson, asked=tuple(asked.values()), rooms=(*lesson.rooms, *came))
        if after != lesson:
            await self.room.become(after)
            self._host.reassign()
