"""One live lesson: a task with an inbox, from the studio's check to the playable replay.

Each message changes the lesson, its floor, its participants or its media; then `_settle` (after frequent
messages at most twice a second) compares what is with what was told, and tells the difference to the worker,
the recorder, the store and the pages. Nobody else touches any of it. Rules are `server.domain`, exchanges
`live.connections` and `live.room_media`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import assert_never

from server.domain import lesson as lessons
from server.domain.lesson import Lesson, LessonNotice
from server.errors import LiankeError
from server.live import inbox as told
from server.live.attendance import Attendance
from server.live.boxes import Boxes
from server.live.broadcast import Broadcast
from server.live.calling import CallRooms
from server.live.connections import MediaLost
from server.live.doors import Doors
from server.live.inbox import Inbox, Inward, is_frequent
from server.live.lobby import Lobby
from server.live.pointing import Pointing
from server.live.ports import Classroom, RoomPorts
from server.live.receptions import Receptions
from server.live.recorded import Recorded
from server.live.rehearsing import Rehearsing
from server.live.room_media import WHEP_SEAT, WHIP_SEAT, RoomMedia
from server.live.view import bell_values, lesson_view, seen_by
from server.media import contract as media
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role

logger = logging.getLogger(__name__)

TICK_S = 0.5
CALM_TICK_S = 1.0
TOGETHER_S = 0.1
"""Messages that come in a heap are settled once, but never later than this."""
SNAPSHOT_S = 2.0
RELEASE_MS = 15_000
"""How long rooms are shown that the lesson is over, before they wait for the next one."""
KEEP_ENDED_MS = 900_000
CALL_KEPT_MS = 10_000
ALIVE_EVERY_MS = 30_000


class LessonRoom:
    """`restored`: it was on the air when campus stopped; its peers may live on a worker that knows it."""

    def __init__(
        self, lesson: Lesson, classrooms: Mapping[str, Classroom], ports: RoomPorts, *, restored: bool = False
    ) -> None:
        self.lesson = lesson
        self.inbox = Inbox()
        self._ports = ports
        self._clock = ports.clock
        self.media = RoomMedia(lesson.id, lesson.main_room)
        self.attendance = Attendance(lesson, classrooms, ports.clock.wall_ms())
        self.recorded = Recorded(lesson.id, ports.store, ports.recorder)
        self.doors = Doors(self)
        self.boxes = Boxes(self, ports.box)
        self.rehearsing = Rehearsing(self, ports.acting, ports.rehearsals)
        self.receptions = Receptions(self, ports.spans)
        self.broadcast = Broadcast(self, ports.readers, ports.webrtc_viewers)
        self.calling = CallRooms(self, ports.host)
        self.lobby = Lobby(self)
        self._saved: tuple[object, ...] | None = None  # what the rows were made of
        self._view: m.LessonView | None = None
        self._waiting_for_snapshot = restored
        self._released = False
        self._settled_at = 0.0
        self._unsettled = False
        self.pointing = Pointing(self)

    # -- the task ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the lesson is over, its replay ready and nobody waits for news of it."""
        await self._contained(self.recorded.load(self.lesson))
        if self._waiting_for_snapshot:
            await self._contained(self.receptions.load())
        await self._wait_for_snapshot()
        while not self._finished():
            message: Inward | None = None
            try:
                async with asyncio.timeout(TICK_S if self.lesson.on_air else CALM_TICK_S):
                    message = await self.inbox.get()
            except TimeoutError:
                pass
            await self._turn(message)
        self.media.close_room()

    async def _turn(self, message: Inward | None) -> None:
        """One message and what follows from it, together with what follows from those that wait already. Its
        failure is its own: the lesson goes on."""
        if message is not None:
            await self._contained(self._take(message))
        self._unsettled |= message is None or not is_frequent(message)
        since = self._clock.monotonic() - self._settled_at
        together = self.inbox.waiting > 0 and since < TOGETHER_S
        if (self._unsettled and not together) or since >= TICK_S:
            self._settled_at, self._unsettled = self._clock.monotonic(), False
            await self._contained(self._settle())

    async def _contained(self, step: Coroutine[None, None, None]) -> None:
        """The unit boundary of a lesson: what fails here is logged once and stops nothing else."""
        try:
            await step
        except MediaLost as lost:
            logger.warning("lesson %s: media: %s", self.lesson.id, lost)
        except Exception:
            logger.exception("lesson %s: a message failed", self.lesson.id)

    async def _wait_for_snapshot(self) -> None:
        """After campus started again: our worker's word first, then what the pages say."""
        early: list[Inward] = []
        heard: set[str] = set()
        try:
            async with asyncio.timeout(SNAPSHOT_S if self._waiting_for_snapshot else 0):
                while self._waiting_for_snapshot:
                    message = await self.inbox.get()
                    if isinstance(message, told.WorkerUp) and (message.peers or message.tap is not None):
                        await self._turn(message)
                    elif isinstance(message, told.WorkerUp):
                        heard.add(message.worker)  # it has nothing of ours
                        self._waiting_for_snapshot &= len(heard) < self._ports.workers
                    else:
                        early.append(message)
        except TimeoutError:
            pass
        self._waiting_for_snapshot = False
        if self.media.worker is None:
            self._place()
            self._begin_recording()
        for message in early:
            await self._turn(message)

    def now(self) -> int:
        return self._clock.wall_ms()

    def _finished(self) -> bool:
        if self.lesson.state is not LessonState.ENDED:
            return False
        over = self.now() - (self.lesson.ended_at or 0) > KEEP_ENDED_MS
        return over or (not self.attendance.pages() and self.recorded.settled)

    # -- what comes in -------------------------------------------------------------------------------

    async def _take(self, message: Inward) -> None:
        now = self.now()
        match message:
            case told.PageCame():
                await self.doors.came(message, now)
            case told.PageSaid():
                await self.doors.said(message, now)
            case told.PageLeft():
                self.doors.left(message, now)
            case told.WorkerSaid(event=media.PeerChanged() as changed):
                await self.doors.peer_changed(changed, now)
            case told.WorkerSaid(event=event):
                self._worker_said(event, now)
            case told.WorkerUp():
                await self._worker_up(message)
            case told.WorkerGone(worker=worker):
                if worker == self.media.worker_name:
                    await self._worker_gone(now)
            case told.RecorderSaid(recording=recording):
                await self.recorded.told(recording, self.lesson, now)
            case told.RecorderWants(track=track):
                self.media.refresh(track)
            case told.LinkEnded(number=number):
                self.lobby.link_ended(number)
            case told.CallAnswered(room=room, accepted=accepted):
                await self.calling.answered(room, accepted, now)
            case told.Missed():
                if not self.lesson.on_air and self.lesson.state is not LessonState.ENDED:
                    await self.become(lessons.miss(self.lesson, now))
            case (
                told.StartLesson()
                | told.EndLesson()
                | told.Publish()
                | told.Watch()
                | told.Patch()
                | told.Hangup()
                | told.OpenLink()
                | told.CloseLink()
            ):
                await self._asked(message)
            case _:
                assert_never(message)

    async def _asked(self, ask: told.Ask) -> None:
        """Carry out and answer; what cannot be is the asker's error."""
        if ask.reply.done():
            return
        try:
            await self.doors.asked(ask, self.now())
        except (LiankeError, MediaLost) as error:
            if not ask.reply.done():
                ask.reply.set_exception(error)
        finally:
            if not ask.reply.done():
                ask.reply.cancel()

    def _worker_said(self, event: media.Event, now: int) -> None:
        match event:
            case media.TrackChanged():
                self.media.track_changed(event, now)
            case media.LayersWanted():
                self.media.layers_wanted(event)
            case media.Figures():
                self.attendance.lost(self.media.counted(event, now), now)
            case media.Levels():
                loudest = self.media.loudest(event)
                self.pointing.heard(loudest, now)
                for page in self.attendance.pages(Role.TEACHER):
                    page.send(m.Levels(rooms=loudest))
            case _:
                pass

    # -- the worker ----------------------------------------------------------------------------------

    def _place(self) -> None:
        if self.media.worker is None and not self._waiting_for_snapshot:
            placed = self._ports.host.place(self.lesson.id)
            if placed is not None:
                self.media.placed(*placed)

    async def _worker_up(self, message: told.WorkerUp) -> None:
        """A worker is there (again): ours with our peers on it, or one to be placed on."""
        if self.media.worker is not None:
            return
        restoring, self._waiting_for_snapshot = self._waiting_for_snapshot, False
        self._place()
        if self.media.worker is None:
            return
        if restoring and self.media.worker_name == message.worker:
            found = self.media.take_back(message.peers, message.tap)
            for stranger in self.attendance.take_back(found, self.now()):
                if not stranger.seat.startswith((WHIP_SEAT, WHEP_SEAT)):
                    self.media.close(stranger)
        self._begin_recording()
        await self.doors.reopen(self.now())

    async def _worker_gone(self, now: int) -> None:
        """Every page is told at once; another worker is taken where one lives."""
        self.media.lost()
        self.attendance.media_lost(now)
        for page in self.attendance.pages():
            page.send(m.Reconnect(up=True, down=True))
        self._place()
        if self.media.worker is not None:
            self._begin_recording()
            await self.doors.reopen(now)

    def _begin_recording(self) -> None:
        if self.lesson.on_air and self.lesson.recorded and self.media.worker is not None:
            self.recorded.begin(self.lesson, self.media.worker.tap_socket)

    # -- changes of the lesson -----------------------------------------------------------------------

    async def become(self, lesson: Lesson) -> None:
        """Take the new value, and do what its state asks for."""
        before, self.lesson = self.lesson, lesson
        if lesson.rooms != before.rooms:
            self.attendance.seat(lesson)
        if lesson.on_air and not before.on_air:
            self._place()
            await self.media.tap(lesson, self.attendance.floor)
            self._begin_recording()
            self.attendance.on_air(self.now())
            self._ports.host.reassign()
            await self.doors.reopen(self.now())
        if lesson.state is LessonState.ENDED and before.state is not LessonState.ENDED:
            was_recorded = before.on_air and lesson.recorded
            self._released = not before.on_air
            self.media.close_all()
            self.attendance.ended()
            self.recorded.finish(lesson, was_recorded=was_recorded)
            self._ports.host.reassign()

    def start_next(self) -> None:
        self._ports.host.start_next(self.lesson)

    def notify(self, notice: LessonNotice, values: Mapping[str, str]) -> None:
        for page in self.lobby.pages():
            page.send(m.Notice(id=notice, values=dict(values)))

    # -- settling ------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        now = self.now()
        await self._time(now)
        await self.broadcast.settle(now)
        await self.calling.settle(now)
        self.lobby.settle(now)
        await self.rehearsing.settle(now)
        self.media.muted = self.lesson.main_room in self.attendance.floor.muted
        try:
            await self.boxes.settle(now)
            self.pointing.settle(now)
            self.recorded.follow(self.lesson, self.media.worker)
            await self.media.tap(self.lesson, self.attendance.floor)
        except MediaLost as lost:
            logger.warning("lesson %s: tap: %s", self.lesson.id, lost)
        self.boxes.tell()
        await self.save()  # before it is told, so that a restart cannot take back what a page was shown
        self._show(now)
        await self.receptions.settle(now)
        over = self.lesson.state is LessonState.ENDED and now - (self.lesson.ended_at or 0) > RELEASE_MS
        if over and not self._released:
            self._released = True
            self._ports.host.reassign()

    @property
    def released(self) -> bool:
        """Rooms need not stay any longer."""
        return self._released

    async def _time(self, now: int) -> None:
        """The bell, the teacher's absence, sessions that did not come back."""
        lesson, needed_at = self.lesson, self._ports.host.needed_at(self.lesson.id)
        if needed_at != lesson.needed_at:
            lesson = replace(lesson, needed_at=needed_at)
        if lesson.on_air:
            here = self.attendance.teacher_present(now) or self.doors.published()
            lesson = lessons.main_back(lesson) if here else lessons.main_away(lesson, now)
            if (lesson.main_away_since is None) != (self.lesson.main_away_since is None):
                self._away_mark(lesson, now)
            self.recorded.presence(self.attendance.present_rooms(now), lesson.started_at, now)
        elif (
            lesson.state is LessonState.OPEN
            and (not lesson.booked or lesson.on_the_spot)
            and self.attendance.teacher_gone(now, self._ports.resume_ms)
        ):
            lesson = lessons.end(lesson, now)
        lesson, notices = lessons.tick(lesson, now, speaking=self.pointing.speaking(now))
        if lesson != self.lesson:
            await self.become(lesson)
        for notice in notices:
            self.notify(notice, bell_values(lesson, notice, now))
        for connection in self.attendance.expire(now, self._ports.resume_ms):
            self.media.close(connection)
        self.attendance.leave_floor(now, CALL_KEPT_MS)

    def _away_mark(self, lesson: Lesson, now: int) -> None:
        away = lesson.main_away_since is not None
        self.recorded.mark("main_away" if away else "main_back", {}, self.lesson.started_at, now)
        self.notify(LessonNotice.MAIN_AWAY if away else LessonNotice.MAIN_BACK, {})

    def _show(self, now: int) -> None:
        """Every tile's state, and the view to every page where it changed."""
        self.attendance.judge(now, on_air=self.lesson.on_air)
        view = self.view(now)
        before, self._view = self._view, view
        for role in Role:
            seen = seen_by(role, view)
            if before is None or seen != seen_by(role, before):
                for page in self.lobby.pages(role):
                    page.send(m.Lesson(lesson=seen))
        self.broadcast.show(now)
        self.lobby.show()

    def view(self, now: int) -> m.LessonView:
        silent = self.pointing.main_silent_since
        silent_long = silent is not None and now - silent > 1_500
        return lesson_view(
            self.lesson,
            self.attendance.floor,
            self.attendance.main_name,
            self.attendance.seats(),
            self.media.live(),
            [(name, 1) for name in self.attendance.watchers() + self.lobby.names() + self.doors.watchers()]
            + self.broadcast.watching(self.now()),
            self.broadcast.remotes(),
            self.lesson.main_away_since or (silent if silent_long else None),
            self.recorded.facts,
            self.rehearsing.view(),
        )

    async def save(self) -> None:
        """Rows that changed; a rehearsal leaves none."""
        if self.lesson.started_at is None or (self.rehearsing.acted and not self.lesson.booked):
            return
        alive_at = self.now() // ALIVE_EVERY_MS * ALIVE_EVERY_MS if self.lesson.on_air else None
        stands = (self.lesson, self.attendance.floor, alive_at, self.media.worker_name)
        if stands != self._saved:
            lesson = replace(self.attendance.remembered(self.lesson), alive_at=alive_at)
            await self._ports.store.save_lesson(lesson, self.media.worker_name or None)
            if self._saved is None and lesson.booked:
                await self._ports.store.book(lesson)
            self._saved = stands
        await self.recorded.save()
