"""Rows as values: what the store gives and takes. No database in here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from server.domain.lesson import Lesson
from server.protocol.messages import Words
from server.protocol.parameters import Source


@dataclass(frozen=True, slots=True)
class Classroom:
    """A room of the county: `main` rooms have a studio, all can receive."""

    room: str
    name: Words
    main: bool


ROOM_HERE, ROOM_AWAY = "room_here", "room_away"
PRESENCE = (ROOM_HERE, ROOM_AWAY)
"""Marks of rooms that came and went: for the receipt, not for the replay's bar."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the lesson worth finding again: `at_s` seconds after its start."""

    at_s: float
    kind: str  # "called" | "main_away" | "courseware"
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What campus knows of a lesson, as it is kept beside its recording (JSON), to make rows again from."""

    lesson: Lesson
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One lesson's recording as the store keeps it."""

    lesson: str
    state: str  # recorder.contract.RecordingState
    seconds: float = 0.0
    ready_after_s: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PublishingRow:
    """How far what is made of a recording has come: what people see, and what the publisher is asked for
    again where it does not know the lesson. `attempt` rises with each retry."""

    lesson: str
    state: str = "waiting"  # recorder.archive.published.PublishingState
    progress: float = 0.0
    step: str = ""  # the one that runs, or the one that failed
    problem: str = ""
    attempt: int = 1
    export: bool = False


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """How long a recording is kept. `hold`: why it may not be deleted, "" where it may."""

    lesson: str
    kept_as: str  # server.domain.retention.KeptAs
    hold: str = ""
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class LessonOverview:
    """A lesson with what is known of its recording and of what is made of it."""

    lesson: Lesson
    recording: RecordingRow | None
    publishing: PublishingRow | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, and when (milliseconds since 1970). Rows are never changed or deleted."""

    at: int
    actor: str  # server.api.roles.Actor.name
    action: str
    thing: str
    details: dict[str, str]
    number: int = 0


PUSH_KEY = "key:"
RTMP, WHIP = "rtmp", "whip"  # what is shown of an encoder that comes by itself


def digest_of(key: str) -> str:
    """By what an encoder's key is known where it is not to be told."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BoxSource:
    """A camera or encoder of a room. `address` has its password in it and is never shown or logged, `shown`
    is it without; `low`: its sub stream's address, "" for none; `sound`: its sound is the room's voice;
    `with_lesson`: it starts with each lesson. Of an encoder that comes by itself `address` is PUSH_KEY and
    its key, `shown` RTMP or WHIP."""

    room: str
    source: Source
    address: str = field(repr=False)
    shown: str = ""
    udp: bool = False
    sound: bool = False
    with_lesson: bool = True
    low: str = field(default="", repr=False)
    low_shown: str = ""

    @property
    def key(self) -> str:
        """The key of an encoder that comes by itself; "" where the source is pulled."""
        return self.address.removeprefix(PUSH_KEY) if self.address.startswith(PUSH_KEY) else ""

    @property
    def pushes(self) -> bool:
        """Whether its encoder pushes to the ingest process."""
        return bool(self.key) and not self.by_whip

    @property
    def by_whip(self) -> bool:
        """Whether its encoder comes to the room's WHIP door, to the worker itself."""
        return bool(self.key) and self.shown == WHIP

    @property
    def name(self) -> str:
        return f"{self.room}/{self.source}"
