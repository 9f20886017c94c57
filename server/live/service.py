"""All live lessons of this campus: makes and restores them, brings pages, workers and the recorder to them.

The one door of `live` for `api`. Owns which page is in which lesson; a lesson's inside is its `LessonRoom`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from recorder.contract import KeyframeWanted, Recording
from server.clock import Clock
from server.config import Config
from server.domain import lesson as lessons
from server.domain.admission import PASSES, Admission, Identity, admit, belongs
from server.domain.lesson import Lesson
from server.live import inbox as told
from server.live.ad_hoc import ad_hoc_lesson
from server.live.connections import MediaLost
from server.live.growth import Growth
from server.live.ingest_link import IngestLink
from server.live.lesson_room import LessonRoom
from server.live.network_test import NetworkTests
from server.live.placement import Workers
from server.live.ports import Classroom, LessonStore, PagePort, RecordingRow, RoomPorts, WorkerPort
from server.live.readers import Readers
from server.live.recorder_link import RecorderLink
from server.live.refusals import LinkOver, NoLesson, OtherStudio, TooManyViewers
from server.live.sessions import Sessions, newer_page
from server.live.standard_doors import NoMedia
from server.media.contract import Event
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role, Words
from server.protocol.session import CloseCode

logger = logging.getLogger(__name__)

ASK_TIMEOUT_S = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is, for the rights door."""

    lesson: str | None
    main_room: str | None
    seats: frozenset[str]
    links: frozenset[int] = frozenset()  # numbers of the links that are good now


NOWHERE = Place(None, None, frozenset())


class LiveService:
    """Build it once; `run` until cancelled. Everything else is called on the event loop once it is `ready`:
    its rooms are known and the lessons that were on the air are back."""

    def __init__(self, config: Config, store: LessonStore, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self.growth, self.readers = Growth(), Readers(clock.wall_ms())
        names = [f"w{number}" for number in range(config.worker_count)]
        self._workers = Workers({name: config.run_path / f"{name}.sock" for name in names}, self)
        self._recorder = RecorderLink(
            config.run_path / "recorder.sock",
            self._recording_changed,
            self._keyframe_wanted,
            lambda grown: self.growth.grew(grown.lesson),
        )
        self.ingest = IngestLink(config.run_path / "ingest.sock", self.knows)
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
        )
        self._classrooms: dict[str, Classroom] = {}
        self._rooms: dict[str, LessonRoom] = {}
        self._current: dict[str, str] = {}  # main room -> lesson
        self._sessions = Sessions(clock, config.lessons.resume_s * 1000)
        self._attached: dict[PagePort, LessonRoom | None] = {}
        self.network_tests = NetworkTests(self._workers.place, self._workers.release)
        self._group: asyncio.TaskGroup | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Take back the lessons that were on the air, then keep everything going until cancelled."""
        await self.refresh_rooms()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for lesson in await self._store.open_lessons():
                    await self._take_back(lessons.found_again(lesson, self._clock.wall_ms()))
                self.ready.set()
                group.create_task(self._workers.run(), name="worker links")
                group.create_task(self._recorder.run(), name="recorder link")
                group.create_task(self.ingest.run(), name="ingest link")
        finally:
            self._group = None

    async def refresh_rooms(self) -> None:
        self._classrooms = {room.room: room for room in await self._store.classrooms()}

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
        on_air = sum(room.lesson.on_air for room in self._rooms.values())
        dropped = sum(room.inbox.dropped for room in self._rooms.values())
        own = {"lessons_live": on_air, "pages": len(self._attached), "inbox_dropped": dropped}
        own["recordings_in_trouble"] = sum(bool(r.recorded.facts.problem) for r in self._rooms.values())
        own["hls_waiting"] = self.growth.waiters
        return {**self._workers.totals(), **own}

    async def start_lesson(self, room: str, *, title: Words | None = None, minutes: int | None = None) -> str:
        """Start a lesson in a main room; its id. UserFault where one is on the air there."""
        await self.ready.wait()
        classroom = self._classrooms.get(room)
        if classroom is None or not classroom.main:
            raise NoLesson
        lesson_room = self._of_main(room)
        if lesson_room.lesson.state is LessonState.ENDED:
            lesson_room = self._make(room)
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await self._asked(lesson_room, told.StartLesson(reply, title, minutes), reply)

    async def end_lesson(self, lesson: str) -> None:
        """End it now; a lesson that has ended stays as it is."""
        room = self._rooms.get(lesson)
        if room is None or room.lesson.state is LessonState.ENDED:
            return
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await self._asked(room, told.EndLesson(reply), reply)

    def list_reader(self, lesson: str, session: str, role: str, room: str | None) -> None:
        """This visit was given signed addresses of the lesson."""
        here = self._rooms.get(lesson)
        if here is not None and here.lesson.on_air:
            self.readers.admitted(lesson, session, role, room, self._clock.wall_ms())

    def may_read(self, lesson: str, session: str) -> bool:
        """Whether this visit may read the lesson's files: while it is on the air only listed ones may."""
        listed = self.readers.seen(lesson, session, self._clock.wall_ms())
        room = self._rooms.get(lesson)
        return listed or room is None or not room.lesson.on_air

    def current(self, main_room: str) -> str:
        """The main room's lesson, "" where it has none."""
        return self._current.get(main_room, "")

    def room(self, lesson: str) -> LessonRoom:
        """The live room of a lesson; Refused where there is none."""
        found = self._rooms.get(lesson)
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
        elif identity.role is not Role.OBSERVER and identity.room not in self._classrooms:
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

    def _check_link(self, identity: Identity) -> None:
        """LinkOver where the lesson does not know (any longer) what this page came by."""
        room = self._lesson_of(identity)
        if room is None:
            raise LinkOver
        viewers = sum(
            at is room and page.identity.role is Role.WATCHER for page, at in self._attached.items()
        )
        if identity.role is Role.WATCHER and viewers >= self._config.broadcast.viewers:
            raise TooManyViewers

    def enter(self, page: PagePort, hello: m.Hello, *, resumed: bool) -> None:
        """An admitted page: it is welcomed by its lesson, or here where it has none."""
        self._sessions.entered(page)
        room = self._lesson_of(page.identity)
        self._attached[page] = room
        if room is not None:
            room.inbox.post(told.PageCame(page, hello, resumed))
            return
        identity = page.identity
        page.welcome(
            m.Welcome(
                session=page.session,
                role=identity.role,
                room=identity.room,
                name=identity.name,
                now=self._clock.wall_ms(),
                resumed=resumed,
            )
        )
        page.send(m.Lesson(lesson=None))

    def leave(self, page: PagePort) -> None:
        """Its WebSocket is closed."""
        self._sessions.left(page)
        room = self._attached.pop(page, None)
        if room is not None:
            room.inbox.post(told.PageLeft(page))

    def said(self, page: PagePort, message: m.ToServer) -> bool:
        """False where the lesson cannot take more: hang up."""
        room = self._attached.get(page)
        if room is None:
            return True  # it was in a lesson a moment ago
        taken = room.inbox.post(told.PageSaid(page, message))
        return taken or isinstance(message, m.Report)

    def hang_up_all(self, code: CloseCode) -> None:
        """Campus stops: every page is told to come back."""
        for page in list(self._attached):
            page.hang_up(None, code)

    def place_of(self, page: PagePort) -> Place:
        """Which lesson the page is in."""
        room = self._attached.get(page)
        return NOWHERE if room is None else place_of(room.lesson)

    def classroom(self, room: str) -> Classroom | None:
        return self._classrooms.get(room)

    # -- host of the lessons -------------------------------------------------------------------------

    def place(self, lesson: str) -> tuple[str, WorkerPort] | None:
        return self._workers.place(lesson)

    def start_next(self, ended: Lesson) -> None:
        """Start after the end: everybody comes along."""
        if self._current.get(ended.main_room) != ended.id:
            return  # pressed twice
        room = self._make(ended.main_room)
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_looked_at)
        room.inbox.post(told.StartLesson(reply))

    def reassign(self) -> None:
        """Every page to the lesson it belongs to now."""
        for page, before in list(self._attached.items()):
            after = self._lesson_of(page.identity)
            if after is before:
                continue
            self._attached[page] = after
            if before is not None:
                before.inbox.post(told.PageLeft(page, moved=True))
            if after is not None:
                after.inbox.post(told.PageCame(page, None))
            else:
                page.send(m.Lesson(lesson=None))

    def _lesson_of(self, identity: Identity) -> LessonRoom | None:
        if identity.lesson is not None:
            bound = self._rooms.get(identity.lesson)
            return bound if bound is not None and belongs(bound.lesson, identity) else None
        if identity.role in (Role.TEACHER, Role.WALL):
            return self._of_main(identity.room)
        mine = [room for room in self._rooms.values() if belongs(room.lesson, identity)]
        if on_air := [room for room in mine if room.lesson.on_air]:
            return min(on_air, key=lambda room: room.lesson.started_at or 0)
        waiting = [room for room in mine if room.lesson.state is LessonState.OPEN]
        over = [room for room in mine if room.lesson.state is LessonState.ENDED and not room.released]
        return next(iter(over or waiting), None)

    def _of_main(self, main_room: str) -> LessonRoom:
        """The main room's lesson; one is opened where there is none."""
        known = self._rooms.get(self._current.get(main_room, ""))
        return known or self._make(main_room)

    def _make(self, main_room: str) -> LessonRoom:
        room = self._add(ad_hoc_lesson(self._config, self._classrooms, main_room, self._clock.wall_ms()))
        self.reassign()
        return room

    def _add(self, lesson: Lesson, *, restored: bool = False) -> LessonRoom:
        if self._group is None:
            raise RuntimeError("the service does not run")
        room = LessonRoom(lesson, self._classrooms, self._ports, restored=restored)
        self._rooms[lesson.id] = room
        self._current[lesson.main_room] = lesson.id
        self._group.create_task(self._live(room), name=f"lesson {lesson.id}")
        return room

    async def _live(self, room: LessonRoom) -> None:
        await room.run()
        self._forget(room)

    def _forget(self, room: LessonRoom) -> None:
        lesson = room.lesson
        self._rooms.pop(lesson.id, None)
        self._workers.release(lesson.id)
        if self._current.get(lesson.main_room) == lesson.id:
            del self._current[lesson.main_room]
        if self._group is not None and any(at is room for at in self._attached.values()):
            self.reassign()

    # -- workers and recorder ------------------------------------------------------------------------

    def knows(self, lesson: str) -> bool:
        return lesson in self._rooms

    def worker_up(self, lesson: str | None, message: told.WorkerUp) -> None:
        rooms = self._rooms.values() if lesson is None else [self._rooms[lesson]]
        for room in rooms:
            room.inbox.post(message)

    def worker_gone(self, worker: str) -> None:
        for room in self._rooms.values():
            room.inbox.post(told.WorkerGone(worker))

    def worker_said(self, worker: str, lesson: str, event: Event) -> None:
        room = self._rooms.get(lesson)
        if room is not None:
            room.inbox.post(told.WorkerSaid(worker, event))

    def _recording_changed(self, recording: Recording) -> None:
        room = self._rooms.get(recording.lesson)
        if room is not None:
            room.inbox.post(told.RecorderSaid(recording))
        elif self._group is not None:
            self._group.create_task(self._keep(recording), name=f"recording {recording.lesson}")

    def _keyframe_wanted(self, wanted: KeyframeWanted) -> None:
        if wanted.lesson in self._rooms:
            self._rooms[wanted.lesson].inbox.post(told.RecorderWants(wanted.track))

    async def _keep(self, recording: Recording) -> None:
        """The row of a lesson that is no longer live."""
        await self._store.save_recording(
            RecordingRow(
                recording.lesson,
                recording.state,
                recording.seconds,
                recording.ready_after_s,
                recording.problem,
            )
        )


def place_of(lesson: Lesson) -> Place:
    """A lesson as the rights door asks about it."""
    return Place(lesson.id, lesson.main_room, frozenset(lesson.rooms), lesson.links)


def _looked_at(reply: asyncio.Future[str]) -> None:
    """Nobody waits for this answer: what went wrong is told where it shows, in the studio."""
    if not reply.cancelled() and (error := reply.exception()) is not None:
        logger.warning("the next lesson did not start: %s", error)
