"""Neighbours of a live lesson: a worker that agrees, pages that keep what they hear, a clock by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import msgspec

from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.live.connections import MediaLost
from server.live.ports import Classroom, Mark, RecordingRow, WorkerPort
from server.media import contract as media
from server.protocol import messages as m
from server.protocol.inviting import CallableRoom, CallState
from server.protocol.messages import FromServer, LessonState, Refused, Role, Words
from server.protocol.parameters import Candidate, Fingerprint, LocalTransport
from server.protocol.session import CloseCode

NAMES = {"main": "Starlight", "luoping": "Luoping", "shahe": "Shahe", "yefan": "Yefan"}
CLASSROOMS = {room: Classroom(room, Words(zh=name, en=name), room == "main") for room, name in NAMES.items()}


@dataclass
class HandClock:
    """Time that stands still until it is moved."""

    ms: int = 1_800_000_000_000

    def wall_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@dataclass
class WillingWorker:
    """Says yes, and remembers every command in order; while `answering` is not set it says nothing."""

    told: list[media.Command] = field(default_factory=list)
    lost: bool = False
    tap_socket: str = "w0.taps"
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    async def request(self, command: media.Command) -> media.Done:
        if self.lost:
            raise ConnectionError("the worker is gone")
        self.told.append(msgspec.structs.replace(command, request=0))
        if not self.answering.is_set():
            await self.answering.wait()
        transport = LocalTransport(
            ufrag=f"uf{len(self.told):04d}",
            pwd="p" * 22,
            fingerprints=[Fingerprint("sha-256", ":".join(["AB"] * 32))],
            candidates=[Candidate("127.0.0.1", 40000)],
        )
        return media.Done(request=0, transport=transport)

    def send(self, command: media.Command) -> None:
        self.told.append(command)

    def of(self, kind: type[media.Command]) -> list[media.Command]:
        return [command for command in self.told if type(command) is kind]


@dataclass(eq=False)
class ListeningPage:
    """A page that keeps what it is sent."""

    role: Role
    room: str
    session: str = ""
    fell_silent: bool = False
    heard: list[FromServer] = field(default_factory=list)
    hung_up: Refused | CloseCode | None = None
    person: str = ""

    @property
    def identity(self) -> Identity:
        return Identity(self.role, self.room, Words(self.room, self.room), person=self.person)

    def welcome(self, welcome: m.Welcome) -> None:
        self.heard.append(welcome)

    def send(self, message: FromServer) -> None:
        self.heard.append(message)

    def hang_up(self, refused: Refused | None, code: CloseCode) -> None:
        self.hung_up = refused or code

    def last(self, kind: type[FromServer]) -> FromServer | None:
        return next((message for message in reversed(self.heard) if type(message) is kind), None)

    @property
    def lesson(self) -> m.LessonView:
        told = self.last(m.Lesson)
        assert isinstance(told, m.Lesson)
        assert told.lesson is not None
        return told.lesson


@dataclass
class KeptRows:
    """The store's rows, in memory."""

    lessons: dict[str, Lesson] = field(default_factory=dict)
    kept_marks: dict[str, list[Mark]] = field(default_factory=dict)
    recordings: dict[str, RecordingRow] = field(default_factory=dict)

    async def classrooms(self) -> list[Classroom]:
        return list(CLASSROOMS.values())

    async def save_lesson(self, lesson: Lesson, worker: str | None) -> None:
        self.lessons[lesson.id] = lesson

    async def open_lessons(self) -> list[Lesson]:
        return [lesson for lesson in self.lessons.values() if lesson.on_air]

    async def planned(self, until: int) -> list[Lesson]:
        waiting = [each for each in self.lessons.values() if each.state is LessonState.PLANNED]
        return [each for each in waiting if (each.booked_from or 0) < until]

    async def save_missed(self, lesson: Lesson) -> None:
        if self.lessons[lesson.id].state is LessonState.PLANNED:
            self.lessons[lesson.id] = lesson

    async def book(self, lesson: Lesson) -> None:
        self.lessons.setdefault(lesson.id, replace(lesson, state=LessonState.PLANNED))

    async def marks(self, lesson: str) -> list[Mark]:
        return self.kept_marks.get(lesson, [])

    async def save_marks(self, lesson: str, marks: list[Mark]) -> None:
        self.kept_marks[lesson] = list(marks)

    async def save_recording(self, row: RecordingRow) -> None:
        self.recordings[row.lesson] = row


@dataclass
class SaidToRecorder:
    """What the recorder was asked for."""

    begun: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    paused: list[tuple[str, bool]] = field(default_factory=list)
    about: dict[str, bytes] = field(default_factory=dict)

    def begin(self, *, lesson: str, title: str, started_at_ms: int, tap_socket: str) -> None:
        self.begun.append(tap_socket)

    def finish(self, lesson: str, about: bytes = b"") -> None:
        self.finished.append(lesson)
        self.about[lesson] = about

    def pause(self, lesson: str, *, paused: bool) -> None:
        self.paused.append((lesson, paused))


@dataclass
class OneWorkerHost:
    """The service as a lesson sees it; `worker` None: there is none."""

    worker: WorkerPort | None = None
    reassigned: int = 0
    next_for: list[str] = field(default_factory=list)
    needed: dict[str, int] = field(default_factory=dict)

    def place(self, lesson: str) -> tuple[str, WorkerPort] | None:
        return ("w0", self.worker) if self.worker is not None else None

    def reassign(self) -> None:
        self.reassigned += 1

    def needed_at(self, lesson: str) -> int | None:
        return self.needed.get(lesson)

    async def callable_from(self, main_room: str) -> list[CallableRoom]:
        return [
            CallableRoom(room, classroom.name, Words("", ""), CallState.FREE)
            for room, classroom in CLASSROOMS.items()
            if not classroom.main
        ]

    def start_next(self, ended: Lesson) -> None:
        self.next_for.append(ended.id)


__all__ = ["CLASSROOMS", "HandClock", "KeptRows", "ListeningPage", "MediaLost", "OneWorkerHost",
           "SaidToRecorder", "WillingWorker"]  # fmt: skip
