"""All live lessons of this campus: makes and restores them, brings pages, workers and the recorder to them.

The one door of `live` for `api`. Owns which page is in which lesson; a lesson's inside is its `LessonRoom`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TypeVar

from server.clock import Clock
from server.config import Config
from server.domain import lesson as lessons
from server.domain.admission import PASSES, Admission, Identity, admit
from server.domain.lesson import Lesson
from server.live import inbox as told
from server.live.acting import Troupe
from server.live.ad_hoc import ad_hoc_lesson, prepared, receiving, rehearsal_lesson, schedule_rules
from server.live.broadcast import LINK_OVER
from server.live.callables import Callables, CallLists
from server.live.connections import MediaLost
from server.live.growth import Growth
from server.live.ingest_link import IngestLink
from server.live.inward import InwardLinks
from server.live.lesson_room import LessonRoom
from server.live.lessons import Lessons
from server.live.network_test import NetworkTests
from server.live.pages import Pages, Place
from server.live.placement import Workers
from server.live.ports import (
    Classroom,
    LessonStore,
    PagePort,
    RehearsalRows,
    RoomPorts,
    SpanStore,
    WorkerPort,
)
from server.live.readers import Readers
from server.live.recorder_link import RecorderLink
from server.live.refusals import LessonSoon, LinkOver, NoLesson, OtherStudio, TooManyViewers
from server.live.scheduler import Scheduler
from server.live.sessions import Sessions, newer_page
from server.live.standard_doors import NoMedia
from server.protocol import messages as m
from server.protocol.inviting import CallableRoom
from server.protocol.messages import LessonState, Role, Words
from server.protocol.session import CloseCode

logger = logging.getLogger(__name__)

ASK_TIMEOUT_S = 10.0
T = TypeVar("T")


class LiveService:
    """Build it once; `run` until cancelled. Everything else is called on the event loop once it is `ready`:
    its rooms are known and the lessons that were on the air are back."""

    def __init__(
        self,
        config: Config,
        store: LessonStore,
        clock: Clock,
        call_lists: CallLists | None = None,
        spans: SpanStore | None = None,
        troupe: Troupe | None = None,
        rehearsals: RehearsalRows | None = None,
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._troupe = troupe
        self.growth, self.readers = Growth(), Readers(clock.wall_ms())
        names = [f"w{number}" for number in range(config.worker_count)]
        self.lessons = Lessons(clock, schedule_rules(config))
        self._inward = InwardLinks(self.lessons, store)
        self._workers = Workers({name: config.run_path / f"{name}.sock" for name in names}, self._inward)
        self._recorder = RecorderLink(
            config.run_path / "recorder.sock",
            self._inward.recording_changed,
            self._inward.keyframe_wanted,
            lambda grown: self.growth.grew(grown.lesson),
        )
        self.ingest = IngestLink(config.run_path / "ingest.sock", self._inward.knows)
        self._ports = RoomPorts(
            box=self.ingest,
            host=self,
            store=store,
            recorder=self._recorder,
            clock=clock,
            resume_ms=config.lessons.resume_s * 1000,
            workers=config.worker_count,
            readers=self.readers,
            webrtc_viewers=config.broadcast.webrtc_viewers,
            spans=spans,
            acting=troupe,
            rehearsals=rehearsals,
        )
        self._classrooms: dict[str, Classroom] = {}
        self.scheduler = Scheduler(store, self, clock, schedule_rules(config))
        self.pages = Pages(self.lessons, self._lesson_of, self.scheduler.next_of, clock)
        self._callables = Callables(call_lists, self._classrooms, self.pages)
        self._sessions = Sessions(clock, config.lessons.resume_s * 1000)
        self.network_tests = NetworkTests(self._workers.place, self._workers.release)
        self._group: asyncio.TaskGroup | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Take back the lessons that were on the air, then keep everything going until cancelled."""
        await self.refresh_rooms()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = self._inward.group = group
                for lesson in await self._store.open_lessons():
                    await self._take_back(lessons.found_again(lesson, self._clock.wall_ms()))
                await self.scheduler.turn()
                self.ready.set()
                group.create_task(self._workers.run(), name="worker links")
                group.create_task(self._recorder.run(), name="recorder link")
                group.create_task(self.ingest.run(), name="ingest link")
                group.create_task(self.scheduler.run(), name="scheduler")
        finally:
            self._group = self._inward.group = None

    async def refresh_rooms(self) -> None:
        """The county has other rooms now; who waits in one that is new is told of its lessons."""
        rooms = {room.room: room for room in await self._store.classrooms()}
        self._classrooms.clear()
        self._classrooms.update(rooms)

    async def _take_back(self, lesson: Lesson) -> None:
        if lesson.on_air:
            self._add(lesson, restored=True)
            return
        await self._store.save_lesson(lesson, None)
        self._recorder.finish(lesson.id)

    # -- what the API asks ---------------------------------------------------------------------------

    @property
    def workers_connected(self) -> int:
        return self._workers.connected

    @property
    def recorder_connected(self) -> bool:
        return self._recorder.connected

    @property
    def figures(self) -> Mapping[str, float]:
        """For /metrics: lessons, pages, and the workers' totals."""
        on_air = sum(room.lesson.on_air for room in self.lessons)
        dropped = sum(room.inbox.dropped for room in self.lessons)
        own = {"lessons_live": on_air, "pages": len(self.pages), "inbox_dropped": dropped}
        own["recordings_in_trouble"] = sum(bool(r.recorded.facts.problem) for r in self.lessons)
        own["hls_waiting"] = self.growth.waiters
        return {**self._workers.totals(), **own}

    async def start_lesson(self, room: str, *, title: Words | None = None, minutes: int | None = None) -> str:
        """Start the lesson that is booked in a main room, else one with every receiving room from now on;
        its id. UserFault where one is on the air there."""
        await self.ready.wait()
        classroom = self._classrooms.get(room)
        if classroom is None or not classroom.main:
            raise NoLesson
        lesson_room = self._of_main(room)
        if lesson_room.lesson.state is LessonState.ENDED:
            lesson_room = self._next(room)
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        rooms = receiving(self._classrooms)
        return await self._asked(lesson_room, told.StartLesson(reply, title, minutes, rooms), reply)

    async def rehearse(self, main_room: str) -> str:
        """Open a rehearsal with acting rooms; its lesson. UserFault where there is a lesson now or soon, or
        too many rehearse."""
        await self.ready.wait()
        held = self.lessons.current(main_room)
        if held is not None and held.rehearsing.acted and held.lesson.state is not LessonState.ENDED:
            return held.lesson.id
        busy = held is not None and (held.lesson.on_air or self.lessons.waiting(main_room) is not None)
        if busy:
            raise LessonSoon
        if self._troupe is not None:
            self._troupe.check()
        lesson = rehearsal_lesson(self._config, main_room, self._clock.wall_ms())
        self._add(lesson)
        self.reassign()
        return lesson.id

    async def end_lesson(self, lesson: str) -> None:
        """End it now; a lesson that has ended stays as it is."""
        room = self.lessons.get(lesson)
        if room is None or room.lesson.state is LessonState.ENDED:
            return
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await self._asked(room, told.EndLesson(reply), reply)

    def list_reader(self, lesson: str, session: str, role: str, room: str | None) -> None:
        """This visit was given signed addresses of the lesson."""
        here = self.lessons.get(lesson)
        if here is not None and here.lesson.on_air:
            self.readers.admitted(lesson, session, role, room, self._clock.wall_ms())

    def may_read(self, lesson: str, session: str) -> bool:
        """Whether this visit may read the lesson's files: while it is on the air only listed ones may."""
        listed = self.readers.seen(lesson, session, self._clock.wall_ms())
        room = self.lessons.get(lesson)
        return listed or room is None or not room.lesson.on_air

    def current(self, main_room: str) -> str:
        """The main room's lesson, "" where it has none."""
        room = self.lessons.current(main_room)
        return room.lesson.id if room is not None else ""

    def room(self, lesson: str) -> LessonRoom:
        """The live room of a lesson; Refused where there is none."""
        found = self.lessons.get(lesson)
        if found is None:
            raise NoLesson
        return found

    async def ask(self, lesson: str, ask: told.Ask, reply: asyncio.Future[T]) -> T:
        """Post a WHIP or WHEP request and wait for its reply, or raise what it was refused with."""
        return await self._asked(self.room(lesson), ask, reply)

    async def _asked(self, room: LessonRoom, ask: told.Ask, reply: asyncio.Future[T]) -> T:
        if not room.inbox.post(ask):
            raise NoMedia
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                return await reply
        except (MediaLost, TimeoutError):
            raise NoMedia from None

    # -- pages ---------------------------------------------------------------------------------------

    def admit(self, identity: Identity, hello: m.Hello) -> tuple[str, bool]:
        """Session and whether it is resumed. OtherStudio, or Refused where the room does not exist."""
        if identity.role in PASSES:
            self._check_link(identity)
        elif identity.role is not Role.OBSERVER and not self._is_room(identity):
            raise NoLesson
        older = self._sessions.page(identity)
        same = older is not None and hello.resume == older.session
        answer = admit(
            occupied=older is not None, same_session=same, role=identity.role, takeover=hello.takeover
        )
        if answer is Admission.ASK:
            raise OtherStudio
        if answer is Admission.REPLACE and older is not None:
            older.hang_up(None if same else newer_page(identity.role), CloseCode.NEWER_PAGE)
        return self._sessions.begin(identity, hello.resume)

    def _is_room(self, identity: Identity) -> bool:
        """A room of the county, or an acting one of this lesson."""
        if identity.room in self._classrooms:
            return True
        return identity.lesson is not None and self.lessons.of(identity) is not None

    def _check_link(self, identity: Identity) -> None:
        """LinkOver where the lesson does not know (any longer) what this page came by."""
        room = self._lesson_of(identity)
        if room is None:
            raise LinkOver
        viewers = self.pages.watchers(room)
        if identity.role is Role.WATCHER and viewers >= self._config.broadcast.viewers:
            raise TooManyViewers

    def enter(self, page: PagePort, hello: m.Hello, *, resumed: bool) -> None:
        """An admitted page: it is welcomed by its lesson, or as one without."""
        self._sessions.entered(page)
        self.pages.enter(page, hello, resumed=resumed)

    def leave(self, page: PagePort) -> None:
        """Its WebSocket is closed."""
        self._sessions.left(page)
        self.pages.leave(page)

    def said(self, page: PagePort, message: m.ToServer) -> bool:
        """False where the lesson cannot take more: hang up."""
        return self.pages.said(page, message)

    def hang_up_all(self, code: CloseCode) -> None:
        """Campus stops: every page is told to come back."""
        for page in self.pages:
            page.hang_up(None, code)

    def end_guest_link(self, number: int) -> None:
        """Revoked: who came by it is out, of a lesson or of the wait for one."""
        for room in self.lessons:
            room.inbox.post(told.LinkEnded(number))
        for page in self.pages:
            if page.identity.role is Role.GUEST and page.identity.number == number:
                page.hang_up(LINK_OVER, CloseCode.REFUSED)

    def place_of(self, page: PagePort) -> Place:
        """Which lesson the page is in."""
        return self.pages.place_of(page)

    def classroom(self, room: str) -> Classroom | None:
        return self._classrooms.get(room)

    # -- host of the lessons -------------------------------------------------------------------------

    def place(self, lesson: str) -> tuple[str, WorkerPort] | None:
        return self._workers.place(lesson)

    def start_next(self, ended: Lesson) -> None:
        """Start after the end: everybody comes along."""
        if self.current(ended.main_room) == ended.id:  # else it was pressed twice
            self._start(self._next(ended.main_room))

    def _start(self, room: LessonRoom) -> None:
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_looked_at)
        room.inbox.post(told.StartLesson(reply))

    def needed_at(self, lesson: str) -> int | None:
        return self.scheduler.needed_at(lesson)

    async def callable_from(self, main_room: str) -> list[CallableRoom]:
        return await self._callables.of(main_room)

    def reassign(self) -> None:
        """Every page to the lesson it belongs to now."""
        self.pages.reassign()

    def _lesson_of(self, identity: Identity) -> LessonRoom | None:
        at_main = identity.lesson is None and identity.role in (Role.TEACHER, Role.WALL)
        return self._of_main(identity.room) if at_main else self.lessons.of(identity)

    def _of_main(self, main_room: str) -> LessonRoom:
        """The main room's lesson; one is opened where there is none."""
        return self.lessons.current(main_room) or self._make(main_room)

    def _next(self, main_room: str) -> LessonRoom:
        """What is begun there after a lesson that is over: the booked one, else another."""
        booked = self.lessons.waiting(main_room)
        if booked is None:
            return self._make(main_room)
        self.lessons.make_current(booked)
        self.reassign()
        return booked

    def _make(self, main_room: str) -> LessonRoom:
        room = self._add(ad_hoc_lesson(self._config, self._classrooms, main_room, self._clock.wall_ms()))
        self.reassign()
        return room

    def _add(self, lesson: Lesson, *, restored: bool = False, current: bool = True) -> LessonRoom:
        if self._group is None:
            raise RuntimeError("the service does not run")
        room = LessonRoom(lesson, self._classrooms, self._ports, restored=restored)
        self.lessons.add(room, current=current)
        self._group.create_task(self._live(room), name=f"lesson {lesson.id}")
        return room

    # -- host of the scheduler -----------------------------------------------------------------------

    def open_booked(self, lesson: Lesson) -> None:
        """Its time is near: the studio may prepare it."""
        if lesson.id not in self.lessons and lesson.main_room in self._classrooms:
            self._add(prepared(lesson, self._config), current=False)
            self.reassign()

    def start_booked(self, lesson: str) -> None:
        room = self.lessons.get(lesson)
        if room is not None and room.lesson.state is LessonState.OPEN:
            self._start(room)

    def withdraw(self, lesson: str) -> None:
        """Its time went by, or the timetable has it no longer."""
        room = self.lessons.get(lesson)
        if room is not None:
            room.inbox.post(told.Missed())

    async def _live(self, room: LessonRoom) -> None:
        await room.run()
        self._forget(room)

    def _forget(self, room: LessonRoom) -> None:
        self.lessons.forget(room)
        self._workers.release(room.lesson.id)
        if self._group is not None and self.pages.any_in(room):
            self.reassign()


def _looked_at(reply: asyncio.Future[str]) -> None:
    """Nobody waits for this answer: what went wrong is told where it shows, in the studio."""
    if not reply.cancelled() and (error := reply.exception()) is not None:
        logger.warning("the next lesson did not start: %s", error)
