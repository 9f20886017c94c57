"""What the live lessons need from the rest of campus, as narrow protocols; `app.py` brings the real ones.

Owned here so that `live` knows neither a WebSocket nor a database driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from server.clock import Clock
from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.domain.reception import Reception, Span
from server.ingest.contract import Publish, SourceChanged
from server.live.readers import Readers
from server.media.contract import Command, Done
from server.protocol.inviting import CallableRoom
from server.protocol.messages import FromServer, Refused, Welcome
from server.protocol.parameters import Fingerprint
from server.protocol.rehearsing import Cue
from server.protocol.session import CloseCode
from server.store.records import BoxSource, Classroom, Mark, RecordingRow

__all__ = [
    "ActingPort",
    "BoxPort",
    "BoxSource",
    "Classroom",
    "LessonHost",
    "LessonStore",
    "Mark",
    "PagePort",
    "RecorderPort",
    "RecordingRow",
    "RehearsalRows",
    "RoomPorts",
    "WorkerPort",
]


class LessonStore(Protocol):
    """Rows the live lessons read and write. Every write is an upsert: said twice it changes nothing."""

    async def classrooms(self) -> list[Classroom]:
        """Every room, in the order in which tiles are shown."""
        ...

    async def save_lesson(self, lesson: Lesson, worker: str | None) -> None: ...

    async def open_lessons(self) -> list[Lesson]:
        """Lessons that were LIVE or CLOSING when campus stopped."""
        ...

    async def planned(self, until: int) -> list[Lesson]:
        """Booked lessons that nobody began, whose time begins before `until`."""
        ...

    async def save_missed(self, lesson: Lesson) -> None:
        """A booked lesson is over that never began. One that did begin meanwhile stays as it is."""
        ...

    async def book(self, lesson: Lesson) -> None:
        """A lesson that was booked on the spot gets its place in the timetable."""
        ...

    async def marks(self, lesson: str) -> list[Mark]: ...

    async def save_marks(self, lesson: str, marks: list[Mark]) -> None: ...

    async def save_recording(self, row: RecordingRow) -> None: ...


class WorkerPort(Protocol):
    """One media worker as a lesson sees it (`server.media.client.WorkerLink`)."""

    @property
    def tap_socket(self) -> str: ...

    async def request(self, command: Command) -> Done:
        """Send a command with a request number and wait for its answer; ConnectionError where it is lost."""
        ...

    def send(self, command: Command) -> None:
        """Send a command that has no answer; lost where the worker is lost."""
        ...


class PagePort(Protocol):
    """One page as a lesson sees it: an open WebSocket whose token is known."""

    @property
    def identity(self) -> Identity: ...

    @property
    def session(self) -> str: ...

    @property
    def fell_silent(self) -> bool:
        """Its line ended without a goodbye."""
        ...

    def welcome(self, welcome: Welcome) -> None:
        """The lesson (or the service) takes the page in: the first message it gets."""
        ...

    def send(self, message: FromServer) -> None:
        """Put into the page's bounded outbox; a page that is too slow is hung up."""
        ...

    def hang_up(self, refused: Refused | None, code: CloseCode) -> None: ...


class RecorderPort(Protocol):
    """The recorder as a lesson sees it. What is said while it is away is said when it is back."""

    def begin(self, *, lesson: str, title: str, started_at_ms: int, tap_socket: str) -> None: ...

    def finish(self, lesson: str, about: bytes = b"") -> None: ...

    def pause(self, lesson: str, *, paused: bool) -> None:
        """Nothing of it comes for now, by the teacher's wish; or it comes again."""
        ...


class BoxPort(Protocol):
    """The ingest process as a lesson sees it, with what is configured of cameras and encoders."""

    @property
    def fingerprints(self) -> list[Fingerprint]:
        """Of the certificate with which every source comes; empty before the process was first seen."""
        ...

    def boxes(self, room: str) -> list[BoxSource]: ...

    def state(self, source: str) -> SourceChanged | None:
        """The last word on a source that was published."""
        ...

    def publish(self, publish: Publish) -> None: ...

    def withdraw(self, source: str) -> None: ...

    def silence(self, source: str, silent: bool) -> None:
        """Silence in place of its sound, or its sound again. Said twice it changes nothing."""
        ...

    def want_layers(self, source: str, rids: list[str]) -> None:
        """Somebody has a use for these layers of a source that is pulled."""
        ...

    def lost(self, peer: str) -> bool:
        """Whether nothing comes by this peer any more."""
        ...


class SpanStore(Protocol):
    """Rows of what rooms received. Every write is an upsert: said twice it changes nothing."""

    async def write(self, lesson: str, receptions: list[Reception]) -> None: ...

    async def last(self, lesson: str) -> dict[str, tuple[Span, Reception]]:
        """The newest span of each room, with the room's sums."""
        ...


class ActingPort(Protocol):
    """The acting rooms of rehearsals (`live.acting.Troupe`)."""

    async def play(self, lesson: str, rooms: Sequence[str]) -> None:
        """They come into this lesson. UserFault where too many play already; OSError."""
        ...

    def cue(self, lesson: str, cue: Cue) -> None: ...

    async def end(self, lesson: str) -> None: ...


class RehearsalRows(Protocol):
    """Where it is kept who passed (`store.rehearsals.Rehearsals`)."""

    async def add(self, at: int, main_room: str, teacher: str, steps: dict[str, float | None]) -> None: ...


class LessonHost(Protocol):
    """What a lesson needs of the service that keeps all lessons."""

    def place(self, lesson: str) -> tuple[str, WorkerPort] | None:
        """A living worker for this lesson, or None where there is none now."""
        ...

    def reassign(self) -> None:
        """A lesson began, ended or let its rooms go: pages may belong elsewhere now."""
        ...

    def needed_at(self, lesson: str) -> int | None:
        """When the first of its rooms is booked by another lesson; None: not in sight."""
        ...

    async def callable_from(self, main_room: str) -> list[CallableRoom]:
        """The rooms that may be called from there, and whether they can be now."""
        ...

    def start_next(self, ended: Lesson) -> None:
        """The teacher pressed Start after the end: a new lesson in the same main room."""
        ...


@dataclass(frozen=True, slots=True)
class RoomPorts:
    host: LessonHost
    store: LessonStore
    recorder: RecorderPort
    clock: Clock
    resume_ms: int = 60_000
    workers: int = 1
    webrtc_viewers: int = 200
    box: BoxPort | None = None
    spans: SpanStore | None = None
    acting: ActingPort | None = None
    rehearsals: RehearsalRows | None = None
    readers: Readers = field(default_factory=lambda: Readers(0))
