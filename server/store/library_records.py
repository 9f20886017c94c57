"""Rows of the library as values: what the store gives and takes. No database in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from server.domain.visibility import Circle, Visibility
from server.store.records import LessonOverview


class LibrarySort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LONGEST = "longest"
    SERIES = "series"  # by their place in it
    WATCHED = "watched"  # what this viewer saw last


class RecordedState(StrEnum):
    """What the filter tells apart: recorder.contract.RecordingState in three."""

    READY = "ready"
    WORKING = "working"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChapterTitle:
    """A title that people gave to the chapter which begins at `start_s`."""

    start_s: float
    title: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a lesson is about; `title` empty: the lesson's own."""

    title: str = ""
    teacher: str = ""
    school: str = ""
    subject: str = ""
    grade: str = ""
    edition: str = ""
    volume: str = ""
    chapter: str = ""
    chapters: tuple[ChapterTitle, ...] = ()
    series: str | None = None
    position: int = 0
    visibility: Visibility = Visibility.ROOM
    download: bool = False
    taught_by: str = ""  # the person
    deletion_asked_at: int | None = None
    deleted_at: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """A lesson with its recording, what it is about, and where this viewer stopped (seconds; 0: never)."""

    overview: LessonOverview
    catalogue: Catalogue
    watched_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LibraryQuery:
    """What of the library is asked for. `reach`: whose recordings may be listed, None: all; `owned`: not
    what others opened to it. `words`: exact values by column, any of them. Times: milliseconds since 1970."""

    viewer: str
    reach: Circle | None = None
    owned: bool = False
    text: str = ""
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rooms: tuple[str, ...] = ()
    series: str | None = None
    states: tuple[RecordedState, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    sort: LibrarySort = LibrarySort.NEWEST
    offset: int = 0
    limit: int = 24


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """Lessons in an order. `main_room`: whose teacher made it; None: the admin."""

    series: str
    name: str
    main_room: str | None
    lessons: int = 0


class UploadState(StrEnum):
    RECEIVING = "receiving"
    READING = "reading"  # whole; it is being looked at and brought into the archive
    DONE = "done"
    REFUSED = "refused"  # `problem` says why


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A film on its way into the library. How much of it is here, its file tells."""

    upload: str
    actor: str
    main_room: str
    title: str
    bytes: int
    state: UploadState
    problem: str = ""
    lesson: str | None = None
    changed_at: int = 0
