"""Rows as values: what the store gives and takes. No database in here."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.lesson import Lesson
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


@dataclass(frozen=True, slots=True)
class LessonOverview:
    """A lesson with what is known of its recording."""

    lesson: Lesson
    recording: RecordingRow | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, and when (milliseconds since 1970). Rows are never changed or deleted."""

    at: int
    actor: str  # server.api.roles.Actor.name
    action: str
    thing: str
    details: dict[str, str]
