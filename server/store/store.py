"""The store: nobody but campus opens it. An SQLite file in WAL mode, or PostgreSQL; one writer at a time.

Rows are the truth for lessons that go on after campus starts again; recordings' truth is the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from server.clock import Clock
from server.domain.erasure import lesson_without
from server.domain.lesson import Lesson
from server.domain.template import rules_of
from server.protocol.messages import LessonState
from server.store.audit import Audit
from server.store.county import CountyStore
from server.store.database import Database, engine_of, insert, upsert
from server.store.importing import Importing
from server.store.migrate import migrate
from server.store.naming import Naming
from server.store.people import PeopleStore
from server.store.records import Classroom, LessonOverview, Mark, PublishingRow, RecordingRow
from server.store.tables import CATALOGUE, LESSONS, PUBLISHING, RECORDINGS, SETTINGS
from server.store.terms import Terms
from server.store.timetable import Timetable

KEY_BYTES = 32
MOST_CATALOGUED = 2_000
COUNTY_ZONE = "Asia/Shanghai"
ON_AIR = (LessonState.LIVE, LessonState.CLOSING)
PUBLISHING_COLUMNS = ("state", "progress", "step", "problem", "attempt", "export")


class Store:
    """Queries, each a transaction of its own. Open with `Store.open`, end with `close`."""

    def __init__(self, engine: AsyncEngine, clock: Clock, zone: ZoneInfo) -> None:
        self.database = Database(engine)
        self._clock = clock
        self._catalogued: dict[str, tuple[str, int, str]] = {}
        """What the catalogue was told of a lesson last: it is left alone while that stays."""
        self._erased: dict[str, Mapping[str, str]] = {}
        """Names of who was erased since campus began, which the memory of a lesson may still hold."""
        self.county = CountyStore(self.database, clock, zone)
        self.people = PeopleStore(self.database, clock)
        self.audit_log = Audit(self.database, clock)
        self.timetable = Timetable(self.database, clock, zone)
        self.terms = Terms(self.database)
        self.naming = Naming(self.database, self.county, self.terms)
        self.importing = Importing(self.timetable, self.terms, self.naming, self.county, clock)

    @classmethod
    async def open(cls, place: Path | str, clock: Clock, zone: str = COUNTY_ZONE) -> Store:
        """An SQLite file, made with its folder where it is missing, or PostgreSQL's URL; its tables are
        brought up to date."""
        if isinstance(place, Path):
            _prepare(place)
        await migrate(place)
        return cls(engine_of(place), clock, ZoneInfo(zone))

    async def close(self) -> None:
        await self.database.close()

    async def _write(self, *statements: Any) -> None:
        await self.database.write(*statements)

    async def _rows(self, statement: Any) -> list[Row[Any]]:
        return await self.database.rows(statement)

    async def _row(self, statement: Any) -> Row[Any] | None:
        return await self.database.row(statement)

    # -- settings

    async def key(self, name: str) -> bytes:
        """A secret of KEY_BYTES random bytes, made at the first asking, the same ever after."""
        fresh = insert(SETTINGS).values(name=f"key:{name}", value=secrets.token_bytes(KEY_BYTES))
        await self._write(fresh.on_conflict_do_nothing())
        row = await self._row(select(SETTINGS.c.value).where(SETTINGS.c.name == f"key:{name}"))
        assert row is not None
        return bytes(row.value)

    # -- rooms

    async def classrooms(self) -> list[Classroom]:
        """Every room that is there today, in the order of tiles."""
        return await self.county.rooms()

    async def classroom(self, room: str) -> Classroom | None:
        return await self.county.room(room)

    # -- lessons

    async def save_lesson(self, lesson: Lesson, worker: str | None) -> None:
        """Upsert. Who was erased meanwhile is not named again."""
        if names := self._erased.get(lesson.taught_by):
            lesson = msgspec.convert(lesson_without(msgspec.to_builtins(lesson), names), Lesson)
        value = msgspec.json.encode(lesson).decode()
        row = upsert(LESSONS, "lesson", lesson=lesson.id, state=lesson.state.value,
                     main_room=lesson.main_room, created_at=lesson.created_at,
                     started_at=lesson.started_at, ended_at=lesson.ended_at,
                     worker=worker, value=value)  # fmt: skip
        told = (lesson.main_room, lesson.created_at, lesson.title.zh)
        if self._catalogued.get(lesson.id) == told:
            await self._write(row)
            return
        await self._write(row, _catalogued(lesson))
        if len(self._catalogued) >= MOST_CATALOGUED:
            self._catalogued.clear()
        self._catalogued[lesson.id] = told

    def erased(self, person: str, names: Mapping[str, str]) -> None:
        """Lessons of theirs that campus still holds are saved without these names."""
        self._erased[person] = names

    async def planned(self, until: int, since: int | None = None) -> list[Lesson]:
        """Booked lessons that nobody began, whose time begins before `until` and ends after `since`."""
        return await self.timetable.planned(until, since)

    async def save_missed(self, lesson: Lesson) -> None:
        """A booked lesson is over that never began."""
        await self.timetable.save_missed(lesson)

    async def book(self, lesson: Lesson) -> None:
        """A lesson that was booked on the spot gets its place in the timetable."""
        await self.timetable.book(lesson)

    async def open_lessons(self) -> list[Lesson]:
        """Lessons that were LIVE or CLOSING when campus stopped."""
        states = [state.value for state in ON_AIR]
        rows = await self._rows(select(LESSONS).where(LESSONS.c.state.in_(states)))
        return [_lesson(row) for row in rows]

    async def lesson(self, lesson: str) -> LessonOverview | None:
        row = await self._row(_overviews().where(LESSONS.c.lesson == lesson))
        return None if row is None else overview_of(row)

    async def lessons(self, limit: int = 200) -> list[LessonOverview]:
        """Those that began, the newest first."""
        begun = _overviews().where(LESSONS.c.started_at.is_not(None))
        rows = await self._rows(begun.order_by(LESSONS.c.created_at.desc()).limit(limit))
        return [overview_of(row) for row in rows]

    # -- recordings

    async def save_recording(self, row: RecordingRow) -> None:
        """Upsert; the marks stay. A recording without its lesson's row is left to the disk."""
        known = await self._row(select(LESSONS.c.lesson).where(LESSONS.c.lesson == row.lesson))
        if known is None:
            return
        fixed = {"path": row.lesson, "marks": "[]"}
        said = {"state": row.state, "seconds": row.seconds, "ready_after_s": row.ready_after_s,
                "problem": row.problem}  # fmt: skip
        statement = insert(RECORDINGS).values(lesson=row.lesson, **said, **fixed)
        listed = {"recording": row.state, "seconds": row.seconds}
        await self._write(
            statement.on_conflict_do_update(index_elements=["lesson"], set_=said),
            update(CATALOGUE).where(CATALOGUE.c.lesson == row.lesson).values(**listed),
        )

    async def restore_lesson(self, lesson: Lesson) -> bool:
        """Put back the row of a lesson that only the disk knows; False where there is one."""
        async with self.database.writing() as connection:
            made = await connection.execute(
                insert(LESSONS)
                .values(lesson=lesson.id, state=lesson.state.value, main_room=lesson.main_room,
                        created_at=lesson.created_at, started_at=lesson.started_at,
                        ended_at=lesson.ended_at, worker=None, value=msgspec.json.encode(lesson).decode())
                .on_conflict_do_nothing()
            )  # fmt: skip
            await connection.execute(_catalogued(lesson))
            return made.rowcount == 1

    async def save_marks(self, lesson: str, marks: list[Mark]) -> None:
        """All marks of a lesson, replacing what was there."""
        text = msgspec.json.encode(marks).decode()
        statement = insert(RECORDINGS).values(
            lesson=lesson, state="recording", seconds=0.0, problem="", path=lesson, marks=text
        )
        unlisted = update(CATALOGUE).where(CATALOGUE.c.lesson == lesson, CATALOGUE.c.recording == "")
        await self._write(
            statement.on_conflict_do_update(index_elements=["lesson"], set_={"marks": text}),
            unlisted.values(recording="recording"),
        )

    async def marks(self, lesson: str) -> list[Mark]:
        row = await self._row(select(RECORDINGS.c.marks).where(RECORDINGS.c.lesson == lesson))
        return [] if row is None else msgspec.json.decode(row.marks, type=list[Mark])

    # -- audit

    async def audit(self, actor: str, action: str, thing: str, **details: str) -> None:
        """Add a row; there is no way to change or remove one."""
        await self.audit_log.write(actor, action, thing, **details)

    async def is_well(self) -> bool:
        """Whether the database answers within a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._row(select(func.count()).select_from(SETTINGS))
                return True
        return False


def _prepare(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def _catalogued(lesson: Lesson) -> Any:
    """Found in the library as the timetable calls it, and by whom its template lets."""
    said = {"subject": lesson.subject, "grade": lesson.grade}
    said["teacher"] = lesson.teacher.zh if lesson.teacher is not None else ""
    said["taught_by"] = lesson.taught_by
    said["visibility"] = rules_of(lesson.template).visible.value
    kept = {"room": lesson.main_room, "created_at": lesson.created_at, "own_title": lesson.title.zh}
    row = insert(CATALOGUE).values(lesson=lesson.id, **said, **kept)
    return row.on_conflict_do_update(index_elements=["lesson"], set_=kept)


def overview_columns() -> list[Any]:
    """Of a lesson and its recording, under names that do not clash."""
    names = ("state", "seconds", "ready_after_s", "problem")
    recorded = [RECORDINGS.c[n].label(f"recording_{n}") for n in names]
    return [LESSONS.c.lesson, LESSONS.c.value, *recorded, *map(_of_publishing, PUBLISHING_COLUMNS)]


def _of_publishing(name: str) -> Any:
    found = select(PUBLISHING.c[name]).where(PUBLISHING.c.lesson == LESSONS.c.lesson)
    return found.scalar_subquery().label(f"publishing_{name}")


def _overviews() -> Any:
    return select(*overview_columns()).join_from(
        LESSONS, RECORDINGS, LESSONS.c.lesson == RECORDINGS.c.lesson, isouter=True
    )


def _lesson(row: Row[Any]) -> Lesson:
    return msgspec.json.decode(row.value, type=Lesson)


def overview_of(row: Row[Any]) -> LessonOverview:
    """Of a row with `overview_columns`."""
    recording = None
    if row.recording_state is not None:
        recording = RecordingRow(row.lesson, row.recording_state, row.recording_seconds,
                                 row.recording_ready_after_s, row.recording_problem)  # fmt: skip
    publishing = None
    if row.publishing_state is not None:
        values = {name: getattr(row, f"publishing_{name}") for name in PUBLISHING_COLUMNS}
        publishing = PublishingRow(row.lesson, **values)
    return LessonOverview(_lesson(row), recording, publishing)
