"""Guests of a lesson: who waits in the lobby, who was let in, who is told so.

A part of the lesson room (`LessonRoom`), in its task. A guest who waits gets nothing of the lesson: no view,
no notice, no connection. Campus' restart sends everybody back into the lobby.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.errors import UserFault
from server.live.broadcast import LINK_OVER
from server.live.participant import Participant
from server.live.ports import PagePort
from server.live.view import seen_by
from server.protocol import broadcast as b
from server.protocol import lobby as said
from server.protocol import messages as m
from server.protocol.lobby import GuestState
from server.protocol.messages import Role, Words
from server.protocol.session import CloseCode

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

MOST_WAITING = 20
MOST_INSIDE = 10
LEFT_FOR_MS = 5_000
"""A guest without a page for so long leaves the stage."""
REFUSED = m.Refused(
    code="not_let_in",
    words=Words(zh="老师没有让您进入这节课。", en="The teacher did not let you into this lesson."),
    fatal=True,
)
FULL = m.Refused(
    code="lobby_full",
    words=Words(zh="等候的人太多了，请稍后再来。", en="Too many wait in the lobby; come back soon."),
    fatal=True,
)


class Lobby:
    """`_states`: of each guest by seat; who is not in it waits."""

    def __init__(self, room: LessonRoom) -> None:
        self.room = room
        self._states: dict[str, GuestState] = {}
        self._told: dict[str, m.FromServer] = {}

    def _guests(self) -> list[Participant]:
        return [who for who in self.room.attendance.everybody() if who.role is Role.GUEST]

    def _state(self, who: Participant) -> GuestState:
        return self._states.get(who.seat, GuestState.WAITING)

    def sees(self, who: Participant) -> bool:
        """Whether this page may have anything of the lesson."""
        return who.role is not Role.GUEST or self._state(who) is GuestState.INSIDE

    def pages(self, role: Role | None = None) -> list[PagePort]:
        """Pages of everybody (of a role) who may have something of the lesson."""
        everybody = self.room.attendance.everybody()
        mine = (who for who in everybody if role is None or who.role is role)
        return [who.page for who in mine if who.page is not None and self.sees(who)]

    def names(self) -> list[Words]:
        """For "watched by": guests who were let in."""
        inside = (who for who in self._guests() if who.page is not None and self.sees(who))
        return [Words(zh=f"客人 {who.name.zh}", en=f"Guest {who.name.en}") for who in inside]

    # -- coming, being let in, going -----------------------------------------------------------------

    def came(self, who: Participant) -> None:
        """A page came (again): it is told where it stands, or that there is no room left."""
        self._told.pop(who.seat, None)
        if who.role is not Role.GUEST or who.page is None:
            return
        waiting = [each for each in self._guests() if each.page is not None and not self.sees(each)]
        if len(waiting) > MOST_WAITING:
            self._out(who, FULL)

    async def let_in(self, seat: str, on: bool, now: int) -> None:
        """The teacher's word. UserFault where the guest is gone or too many are inside."""
        guest = next((who for who in self._guests() if who.seat == seat and who.page is not None), None)
        if guest is None:
            raise UserFault("viewer_gone", zh="这位客人已经离开。", en="This guest has left.")
        if not on:
            self._out(guest, REFUSED)
            return
        inside = [who for who in self._guests() if self.sees(who) and who.seat != seat]
        if len(inside) >= MOST_INSIDE:
            raise UserFault(
                "too_many",
                zh=f"最多 {MOST_INSIDE} 位客人，请先请一位离开。",
                en=f"At most {MOST_INSIDE} guests; let one leave first.",
            )
        self._states[seat] = GuestState.INSIDE
        if guest.page is not None:
            guest.page.send(m.Lesson(lesson=seen_by(Role.GUEST, self.room.view(now))))
        await self.room.doors.offer_where_due(guest, now)

    def link_ended(self, number: int) -> None:
        """Who came by this link is out."""
        for who in self._guests():
            if who.link == number:
                self._out(who, LINK_OVER)

    def _out(self, who: Participant, why: m.Refused) -> None:
        if who.page is not None:
            who.page.hang_up(why, CloseCode.REFUSED)
        self._states.pop(who.seat, None)
        self._told.pop(who.seat, None)
        self.room.broadcast.off_stage(who.seat)
        for connection in (who.up, who.down):
            if connection is not None:
                self.room.media.close(connection)
        who.up = who.down = None
        self.room.attendance.dismiss(who)

    # -- settling ------------------------------------------------------------------------------------

    def settle(self, now: int) -> None:
        """Links that are over; guests that left the stage without a word."""
        for who in self._guests():
            if now >= who.link_until:
                self._out(who, LINK_OVER)
            elif who.page is None and who.left_at is not None and now - who.left_at > LEFT_FOR_MS:
                self.room.broadcast.off_stage(who.seat)
        known = {who.seat for who in self._guests()}
        self._states = {seat: state for seat, state in self._states.items() if seat in known}

    def show(self) -> None:
        """The guests are told where they stand, the teacher who is there; where it changed."""
        lesson = self.room.lesson
        for who in self._guests():
            self._tell(who, said.Lobby(
                self._state(who), lesson.title, self.room.attendance.main_name, who.link_until
            ))  # fmt: skip
            if self.sees(who):
                self._tell(
                    who, b.Place(via=b.Via.WEBRTC, staged=self.room.broadcast.staged(who.seat)), "place"
                )
        rows = [self._row(who) for who in self._guests() if who.page is not None]
        for who in self.room.attendance.everybody():
            if who.role in (Role.TEACHER, Role.REMOTE):
                self._tell(who, said.Guests(rows))

    def _row(self, who: Participant) -> said.Guest:
        return said.Guest(
            guest=who.seat,
            name=who.name.zh,
            label=who.label,
            state=self._state(who),
            since=who.joined_at or 0,
            staged=self.room.broadcast.staged(who.seat),
        )

    def _tell(self, who: Participant, told: m.FromServer, kind: str = "") -> None:
        key = who.seat + kind
        if who.page is not None and self._told.get(key) != told:
            self._told[key] = told
            who.page.send(told)
