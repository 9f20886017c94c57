"""The broadcast of a lesson: its links, who has a WebRTC place, the questions, guests on stage, who is told.

A part of the lesson room (`LessonRoom`), in its task. The first viewers get a down connection each, the rest
the live playlist; the one that waited longest climbs when a place is free. Rules of questions are
`domain.questions`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from server.domain import floor as floors
from server.domain import questions as asking
from server.domain.floor import slots_of
from server.domain.lesson import Pass
from server.domain.questions import Question
from server.errors import UserFault
from server.live.participant import Participant
from server.live.ports import PagePort
from server.live.readers import Reader, Readers
from server.protocol import broadcast as b
from server.protocol import messages as m
from server.protocol.messages import Role, Words
from server.protocol.session import CloseCode

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

MOST_GUESTS = 3
LEFT_FOR_MS = 5_000
"""A viewer without a page for so long gives its place away."""
COUNT_EVERY_MS = 1_000
READER_NAMES = {
    "admin": ("管理员", "Administrator"),
    "demo_visitor": ("本机", "This machine"),
    "studio": ("讲课台的播放列表", "Playlist in the studio"),
    "room": ("播放列表", "playlist"),
    "observer": ("听课", "Observer"),
    "": ("播放列表", "Playlist"),
}
"""Who reads the playlist, by the role it came as; "" before our start."""
LINK_OVER = m.Refused(
    code="link_over",
    words=Words(
        zh="这个链接已经失效，请向老师要新的链接。", en="This link is over. Ask the teacher for a new one."
    ),
    fatal=True,
)


class Broadcast:
    """`placed`: viewers that have a WebRTC place, also before their connection is made."""

    def __init__(self, room: LessonRoom, readers: Readers, most_webrtc: int) -> None:
        self.room = room
        self.readers = readers
        self.questions = asking.Questions()
        self._most_webrtc = most_webrtc
        self._placed: set[str] = set()
        self._invited: set[str] = set()
        self._climbing: set[str] = set()
        self._told: dict[str, b.FromServer] = {}
        self._audience = b.Audience(viewers=0, asking=True, questions=[])
        self._counted_at = 0

    # -- who ---------------------------------------------------------------------------------------

    def _viewers(self) -> list[Participant]:
        """In the order in which they came."""
        return [who for who in self.room.attendance.everybody() if who.role is Role.WATCHER]

    def may_receive(self, who: Participant) -> bool:
        """Whether this page gets a down connection."""
        placed = who.role is not Role.WATCHER or who.seat in self._placed
        return bool(slots_of(who.role)) and placed and self.room.lobby.sees(who)

    def came(self, who: Participant) -> None:
        """A page came (again): it is told everything anew; a viewer gets a place where one is free."""
        self._told.pop(who.seat, None)
        if who.role is Role.WATCHER:
            if len(self._placed) < self._most_webrtc:
                self._placed.add(who.seat)
            self._tell(who, self._place_of(who.seat))
            if who.page is not None:
                who.page.send(self._audience)

    # -- links -------------------------------------------------------------------------------------

    def open_link(self, role: Role, link: Pass) -> None:
        """From now on this link opens that role; who came by an older one is out."""
        self._become(role, link)

    def close_link(self, role: Role) -> None:
        self._become(role, None)

    def _become(self, role: Role, link: Pass | None) -> None:
        lesson = self.room.lesson
        if role is Role.WATCHER:
            self.room.lesson = replace(lesson, watch_pass=link)
            self.readers.dismiss(lesson.id, [Role.WATCHER])
        else:
            self.room.lesson = replace(lesson, remote_pass=link)
        for who in self.room.attendance.everybody():
            if who.role is role:
                self._send_away(who)

    def _send_away(self, who: Participant) -> None:
        if who.page is not None:
            who.page.hang_up(LINK_OVER, CloseCode.REFUSED)
        self.off_stage(who.seat)
        self._forget(who)
        self.room.attendance.dismiss(who)

    def _climb(self, seat: str) -> None:
        """From the playlist to a place of its own."""
        self._placed.add(seat)
        self._climbing.add(seat)

    def _forget(self, who: Participant) -> None:
        for connection in (who.up, who.down):
            if connection is not None:
                self.room.media.close(connection)
        who.up = who.down = None
        self._placed.discard(who.seat)
        self._told.pop(who.seat, None)

    # -- what pages say ----------------------------------------------------------------------------

    def said(self, who: Participant, message: b.ToServer, now: int) -> None:
        """UserFault, with words, where it cannot be."""
        match message:
            case b.Ask(text=text, name=name):
                self.questions = asking.ask(self.questions, who.seat, name, text, now)
                called = self.questions.asked[-1].name
                who.name = Words(zh=called, en=called) if called else who.name
            case b.LeaveStage():
                self.off_stage(who.seat)
            case b.Judge(question=number, state=state):
                self.questions = asking.judge(self.questions, number, state)
            case b.TakeQuestions(open=opened):
                self.questions = replace(self.questions, open=opened)
            case b.Invite(viewer=seat, on=on):
                self._invite(seat, on)

    def _invite(self, seat: str, on: bool) -> None:
        if not on:
            self.off_stage(seat)
            return
        everybody = self.room.attendance.everybody()
        watching = (who for who in everybody if who.role in (Role.WATCHER, Role.GUEST))
        viewer = next((who for who in watching if who.seat == seat and who.page), None)
        if viewer is None or not self.room.lobby.sees(viewer):
            raise UserFault("viewer_gone", zh="这位观众已经离开。", en="This viewer has left.")
        if len({*self._invited, *self.room.lesson.guests} - {seat}) >= MOST_GUESTS:
            raise UserFault(
                "stage_full",
                zh=f"台上最多 {MOST_GUESTS} 位，请先请一位下台。",
                en=f"At most {MOST_GUESTS} guests on stage; let one leave first.",
            )
        self._invited.add(seat)
        if seat not in self._placed and viewer.role is Role.WATCHER:
            self._climb(seat)

    def come_up(self, who: Participant) -> None:
        """A viewer offers camera and voice: it takes its seat on stage. UserFault where nobody asked it."""
        lesson = self.room.lesson
        if who.seat in lesson.guests:
            return
        if who.seat not in self._invited or not lesson.on_air:
            raise UserFault("not_on_stage", zh="老师没有请您上台。", en="You were not asked on stage.")
        self._invited.discard(who.seat)
        self.room.lesson = replace(lesson, guests=(*lesson.guests, who.seat))
        self.room.attendance.follow(self.room.lesson)

    def off_stage(self, seat: str) -> None:
        """No seat, no camera, no voice any more; it goes on watching."""
        self._invited.discard(seat)
        lesson = self.room.lesson
        if seat not in lesson.guests:
            return
        attendance = self.room.attendance
        self.room.lesson = replace(lesson, guests=tuple(one for one in lesson.guests if one != seat))
        attendance.floor = floors.forget(attendance.floor, seat)
        for who in attendance.everybody():
            if who.seat == seat and who.up is not None:
                self.room.media.close(who.up)
                who.up = None
        attendance.follow(self.room.lesson)

    # -- settling ----------------------------------------------------------------------------------

    async def settle(self, now: int) -> None:
        """Links that are over, viewers that left, places that are free."""
        lesson = self.room.lesson
        for role, link in ((Role.WATCHER, lesson.watch_pass), (Role.REMOTE, lesson.remote_pass)):
            if link is not None and now >= link.until:
                self.close_link(role)
        viewers = self._viewers()
        for who in viewers:
            if who.page is None and who.left_at is not None and now - who.left_at > LEFT_FOR_MS:
                self.off_stage(who.seat)
                self._forget(who)
        self._placed &= {who.seat for who in viewers}
        waiting = [who for who in viewers if who.page is not None and who.seat not in self._placed]
        for who in waiting[: max(0, self._most_webrtc - len(self._placed))]:
            self._climb(who.seat)
        climbing, self._climbing = self._climbing, set()
        for who in viewers:
            if who.seat in climbing:
                await self.room.doors.offer_where_due(who, now)

    def show(self, now: int) -> None:
        """Whoever is concerned is told, where it changed; counts at most once a second."""
        viewers = [who for who in self._viewers() if who.page is not None]
        self._show_audience(viewers, now)
        for who in viewers:
            self._tell(who, self._place_of(who.seat))
        queue = self._queue({who.seat for who in viewers})
        for who in self.room.attendance.everybody():
            if who.role in (Role.TEACHER, Role.REMOTE):
                self._tell(who, queue)

    def _show_audience(self, viewers: list[Participant], now: int) -> None:
        count = self._audience.viewers
        if now - self._counted_at >= COUNT_EVERY_MS:
            self._counted_at, count = now, self.viewers(now)
        shown = [_asked(question) for question in self.questions.shown()]
        audience = b.Audience(viewers=count, asking=self.questions.open, questions=shown)
        if audience == self._audience:
            return
        self._audience = audience
        for who in viewers:
            if who.page is not None:
                who.page.send(audience)

    def _queue(self, here: set[str]) -> b.Questions:
        rows = [
            msgspec.structs.replace(
                _asked(question),
                viewer=question.viewer,
                staged=self.staged(question.viewer),
                here=question.viewer in here,
            )
            for question in self.questions.queue()
        ]
        return b.Questions(open=self.questions.open, questions=rows)

    def staged(self, seat: str) -> b.Staged:
        if seat in self.room.lesson.guests:
            return b.Staged.ON
        return b.Staged.INVITED if seat in self._invited else b.Staged.NO

    def _place_of(self, seat: str) -> b.Place:
        via = b.Via.WEBRTC if seat in self._placed else b.Via.HLS
        return b.Place(via=via, staged=self.staged(seat))

    def _tell(self, who: Participant, told: b.FromServer) -> None:
        page: PagePort | None = who.page
        if page is not None and self._told.get(who.seat) != told:
            self._told[who.seat] = told
            page.send(told)

    # -- who watches -------------------------------------------------------------------------------

    def viewers(self, now: int) -> int:
        """Everybody who watches by the link: pages, and readers of the playlist without a page."""
        pages = [who for who in self._viewers() if who.page is not None]
        by_playlist = sum(who.seat not in self._placed for who in pages)
        reading = sum(one.role == Role.WATCHER for one in self._reading(now))
        return len(pages) + max(0, reading - by_playlist)

    def _reading(self, now: int) -> list[Reader]:
        return self.readers.of(self.room.lesson.id, now) if self.room.lesson.on_air else []

    def _reader_name(self, reader: Reader) -> tuple[str, str]:
        name = self.room.attendance.name_of(reader.room) if reader.room is not None else None
        zh, en = READER_NAMES.get(reader.role, READER_NAMES[""])
        return (f"{name.zh}（{zh}）", f"{name.en} ({en})") if name is not None else (zh, en)

    def watching(self, now: int) -> list[tuple[Words, int]]:
        """Those who watch by the link or the playlist: a line for each kind, and how many it stands for."""
        reading = (one for one in self._reading(now) if one.role != Role.WATCHER)
        names = Counter(self._reader_name(one) for one in reading)
        rows = [(_times(Words(zh=zh, en=en), count), count) for (zh, en), count in names.items()]
        count = self.viewers(now)
        if count:
            link = self.room.lesson.watch_pass
            label = link.label if link is not None else ""
            zh, en = (label, label) if label else ("公开课链接", "the broadcast link")
            rows.append((Words(zh=f"{zh}（{count} 人）", en=f"{en} ({count})"), count))
        return rows

    def remotes(self) -> list[str]:
        """Phones that hold the remote."""
        everybody = self.room.attendance.everybody()
        return [device_of(who.browser) for who in everybody if who.role is Role.REMOTE and who.page]


def device_of(browser: str) -> str:
    """The device in a browser's name for itself: what a person calls it."""
    names = ("iPhone", "iPad", "HarmonyOS", "Android", "Windows", "Macintosh", "Linux")
    return next((name for name in names if name in browser), "?")


def _times(name: Words, count: int) -> Words:
    return name if count == 1 else Words(zh=f"{name.zh} ×{count}", en=f"{name.en} ×{count}")


def _asked(question: Question) -> b.Asked:
    return b.Asked(
        question=question.number,
        name=question.name,
        text=question.text,
        asked_at=question.asked_at,
        state=question.state,
    )
