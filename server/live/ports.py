"""What the live lessons need from the rest of campus, as narrow protocols; `app.py` brings the real ones.

Owned here so that `live` imports neither the API nor a database driver.
"""

from __future__ import annotations

from typing import Protocol

from server.domain.lesson import Lesson
from server.media.contract import Command, Done
from server.store.records import Classroom, Mark, RecordingRow

__all__ = ["Classroom", "LessonStore", "Mark", "RecordingRow", "WorkerPort"]


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
