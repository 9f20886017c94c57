"""What the live lessons need from the rest of campus, as narrow protocols; `app.py` brings the real ones.

Owned here so that `live` imports neither the API nor a database driver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from server.domain.lesson import Lesson
from server.media.contract import Command, Done
from server.protocol.messages import Words


@dataclass(frozen=True, slots=True)
class Classroom:
    """A room of the county: `main` rooms have a studio, all can receive."""

    room: str
    name: Words
    main: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the lesson worth finding again: `at_s` seconds after its start."""

    at_s: float
    kind: str  # "called" | "main_away" | "courseware"
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One lesson's recording as the store keeps it."""

    lesson: str
    state: str  # recorder.contract.RecordingState
    seconds: float = 0.0
    ready_after_s: float | None = None
    problem: str = ""


class LessonStore(Protocol):
    """Rows the live lessons read and write. Every write is an upsert: said twice it changes nothing."""

    async def classrooms(self) -> list[Classroom]:
        """Every room, in the order in which tiles are shown."""
        ...

    async def save_lesson(self, lesson: Lesson, worker: str | None) -> None: ...

    async def open_lessons(self) -> list[Lesson]:
        """Lessons that were LIVE or CLOSING when campus stopped."""
        ...

    async def save_marks(self, lesson: str, marks: list[Mark]) -> None: ...

    async def save_recording(self, row: RecordingRow) -> None: ...


class WorkerPort(Protocol):
    """One media worker as a lesson sees it (`server.media.client.WorkerLink`)."""

    @property
    def tap_socket(self) -> str: ...

    async def request(self, command: Command) -> Done:
        """Send a command with a request number and wait for its answer; ConnectionError where the worker is lost."""
        ...

    def send(self, command: Command) -> None:
        """Send a command that has no answer; lost where the worker is lost."""
        ...
