"""The library's queries: find, catalogue, order into series, remember where viewers stopped.

A lesson's place in the search index is made anew when the next search comes after it changed (`indexed`).
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import JSON, Integer, Select, and_, bindparam, cast, delete, func, or_, select, update

from server.clock import Clock
from server.domain.visibility import Circle, Visibility
from server.ids import random_word
from server.store.county_tables import UNIT_NAMES
from server.store.database import Database, upsert
from server.store.library_records import (
    Catalogue,
    ChapterTitle,
    LibraryQuery,
    LibraryRow,
    LibrarySort,
    RecordedState,
    SeriesRow,
)
from server.store.search_index import entry_of, found_by, learn
from server.store.searching import terms_of
from server.store.store import overview_columns, overview_of
from server.store.tables import (
    CATALOGUE,
    CATALOGUE_WORDS,
    LESSONS,
    RECORDINGS,
    RETENTION,
    SERIES,
    WATCHED,
)
from server.store.timetable_tables import BOOKINGS

INDEXED_AT_ONCE = 500
INDEX_WAIT_S = 8.0
STATES = {
    RecordedState.READY: ("ready",),
    RecordedState.WORKING: ("recording", "finishing"),
    RecordedState.FAILED: ("failed",),
}
FACETS = ("subject", "grade", "teacher", "school")
_BOOKED = select(BOOKINGS.c.teacher).where(BOOKINGS.c.lesson == CATALOGUE.c.lesson).scalar_subquery()
_TAUGHT_BY = func.coalesce(func.nullif(CATALOGUE.c.taught_by, ""), _BOOKED, "")
_NUMBER = bindparam("of", type_=Integer)
_INDEXED = update(CATALOGUE).where(CATALOGUE.c.number == _NUMBER).values(indexed=True)


class Library:
    """Queries over the store's database, each a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._indexing: asyncio.Task[None] | None = None

    # -- finding

    async def find(self, query: LibraryQuery) -> tuple[list[LibraryRow], int]:
        """One page, and how many there are in all."""
        terms = terms_of(query.text)
        if query.text.strip() and not terms:
            return [], 0
        conditions = _conditions(query)
        if terms:
            await self._known()
            found = found_by(terms, sqlite=self._database.is_sqlite)
            conditions.append(CATALOGUE.c.number.in_(found))
        page = _rows(query.viewer).where(*conditions).order_by(*self._order(query.sort))
        rows = await self._database.rows(page.offset(query.offset).limit(query.limit))
        counted = await self._database.rows(_counted(query.viewer).where(*conditions))
        return [_library_row(row) for row in rows], int(counted[0][0]) if counted else 0

    def _order(self, sort: LibrarySort) -> tuple[Any, ...]:
        newest = LESSONS.c.created_at.desc()
        match sort:
            case LibrarySort.NEWEST:
                return (newest,)
            case LibrarySort.OLDEST:
                return (LESSONS.c.created_at,)
            case LibrarySort.TITLE:
                return (self._title(), newest)
            case LibrarySort.LONGEST:
                return (RECORDINGS.c.seconds.desc(), newest)
            case LibrarySort.SERIES:
                return (CATALOGUE.c.position, LESSONS.c.created_at)
            case LibrarySort.WATCHED:
                return (WATCHED.c.seen_at.desc(),)

    def _title(self) -> Any:
        """The catalogue's, else the lesson's own."""
        if self._database.is_sqlite:
            own = func.json_extract(LESSONS.c.value, "$.title.zh")
        else:
            own = cast(LESSONS.c.value, JSON)["title"]["zh"].as_string()
        return func.coalesce(func.nullif(CATALOGUE.c.title, ""), own)

    async def row(self, lesson: str, viewer: str = "") -> LibraryRow | None:
        """One lesson, deleted ones included; without a recording it has none."""
        row = await self._database.row(_rows(viewer, recorded=False).where(CATALOGUE.c.lesson == lesson))
        return None if row is None else _library_row(row)

    async def facets(self, reach: Circle | None) -> dict[str, list[tuple[str, int]]]:
        """For each filter its values with how many lessons have them, the most frequent first."""
        found: dict[str, list[tuple[str, int]]] = {}
        allowed = _conditions(LibraryQuery("", reach))
        for name in FACETS:
            column = CATALOGUE.c[name]
            counted = (
                _joined(select(column.label("value"), func.count().label("lessons")))
                .where(column != "", *allowed)
                .group_by(column)
            )
            rows = await self._database.rows(counted.order_by(func.count().desc(), column).limit(200))
            found[name] = [(row.value, row.lessons) for row in rows]
        return found

    async def _known(self) -> None:
        """Bring the search up to what the rows say; where that takes long, it goes on beside the search."""
        if self._indexing is None or self._indexing.done():
            self._indexing = asyncio.create_task(self._index(), name="library index")
        await asyncio.wait([self._indexing], timeout=INDEX_WAIT_S)
        if self._indexing.done():
            self._indexing.result()

    async def _index(self) -> None:
        while rows := await self._database.rows(_unindexed()):
            # The texts of one block, in pinyin too, take some tens of milliseconds.
            learnt = await asyncio.to_thread(self._learnt, rows)
            async with self._database.writing() as connection:
                await learn(connection, learnt, sqlite=self._database.is_sqlite)
                await connection.execute(_INDEXED, [{"of": row.number} for row in rows])

    def _learnt(self, rows: list[Any]) -> list[dict[str, Any]]:
        return [entry_of(row.number, _texts(row), sqlite=self._database.is_sqlite) for row in rows]

    async def close(self) -> None:
        """Indexing ends; the next start goes on with it."""
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)

    # -- what a lesson is about

    async def catalogue(self, lesson: str, **changes: object) -> None:
        """Change some columns; `chapters` as a list of ChapterTitle."""
        if "chapters" in changes:
            changes["chapters"] = msgspec.json.encode(changes["chapters"]).decode()
        statement = update(CATALOGUE).where(CATALOGUE.c.lesson == lesson)
        await self._database.write(statement.values(**changes, indexed=False))

    async def opened_with(self, rooms: list[str]) -> list[str]:
        """Lessons open further than to their main room, in which one of these rooms was."""
        inside = [LESSONS.c.value.contains(f'"{room}"', autoescape=True) for room in rooms]
        asked = select(CATALOGUE.c.lesson).join(LESSONS, LESSONS.c.lesson == CATALOGUE.c.lesson)
        closed = Visibility.ROOM.value
        rows = await self._database.rows(asked.where(CATALOGUE.c.visibility != closed, or_(*inside)))
        return [row.lesson for row in rows] if rooms else []

    async def deleted(self, lesson: str) -> None:
        """The lesson stays known by its row; nobody finds it any more."""
        await self.catalogue(lesson, deleted_at=self._clock.wall_ms(), series=None)

    # -- series

    async def series(self) -> list[SeriesRow]:
        lessons = func.count(CATALOGUE.c.lesson)
        asked = (
            select(SERIES, lessons.label("lessons"))
            .join_from(SERIES, CATALOGUE, CATALOGUE.c.series == SERIES.c.series, isouter=True)
            .group_by(SERIES.c.series)
            .order_by(SERIES.c.created_at.desc())
        )
        rows = await self._database.rows(asked)
        return [SeriesRow(row.series, row.name, row.main_room, row.lessons) for row in rows]

    async def one_series(self, series: str) -> SeriesRow | None:
        row = await self._database.row(select(SERIES).where(SERIES.c.series == series))
        return None if row is None else SeriesRow(row.series, row.name, row.main_room)

    async def create_series(self, name: str, main_room: str | None) -> str:
        series = "s" + random_word(10)
        values = {"series": series, "name": name, "main_room": main_room, "created_at": self._clock.wall_ms()}
        await self._database.write(SERIES.insert().values(**values))
        return series

    async def rename_series(self, series: str, name: str) -> None:
        await self._database.write(update(SERIES).where(SERIES.c.series == series).values(name=name))

    async def order_series(self, series: str, lessons: list[str]) -> None:
        """These lessons, in this order, and no others."""
        leave = update(CATALOGUE).where(CATALOGUE.c.series == series).values(series=None, position=0)
        enter = [
            update(CATALOGUE).where(CATALOGUE.c.lesson == lesson).values(series=series, position=position)
            for position, lesson in enumerate(lessons, 1)
        ]
        await self._database.write(leave, *enter)

    async def delete_series(self, series: str) -> None:
        """Its lessons stay."""
        leave = update(CATALOGUE).where(CATALOGUE.c.series == series).values(series=None, position=0)
        await self._database.write(leave, delete(SERIES).where(SERIES.c.series == series))

    # -- where viewers stopped

    async def watched(self, viewer: str, lesson: str, at_s: float) -> None:
        now = self._clock.wall_ms()
        await self._database.write(
            upsert(WATCHED, "viewer", "lesson", viewer=viewer, lesson=lesson, at_s=at_s, seen_at=now)
        )


def _joined(chosen: Select[Any], *, recorded: bool = True) -> Select[Any]:
    return chosen.join_from(CATALOGUE, LESSONS, CATALOGUE.c.lesson == LESSONS.c.lesson).join(
        RECORDINGS, RECORDINGS.c.lesson == LESSONS.c.lesson, isouter=not recorded
    )


def _rows(viewer: str, *, recorded: bool = True) -> Select[Any]:
    columns: list[Any] = [CATALOGUE.c[name] for name in Catalogue.__dataclass_fields__ if name != "taught_by"]
    columns.append(_TAUGHT_BY.label("taught_by"))
    chosen = select(*overview_columns(), *columns, WATCHED.c.at_s)
    return _with_watched(_joined(chosen, recorded=recorded), viewer)


def _with_watched(chosen: Select[Any], viewer: str) -> Select[Any]:
    here = and_(WATCHED.c.lesson == CATALOGUE.c.lesson, WATCHED.c.viewer == viewer)
    return chosen.join(WATCHED, here, isouter=True)


def _counted(viewer: str) -> Select[Any]:
    return _with_watched(_joined(select(func.count())), viewer)


def _conditions(query: LibraryQuery) -> list[Any]:
    over = select(RETENTION.c.lesson).where(RETENTION.c.deleted_at.is_not(None))
    found: list[Any] = [CATALOGUE.c.deleted_at.is_(None), CATALOGUE.c.lesson.not_in(over)]
    if query.reach is not None:
        found.append(_within(query.reach, owned=query.owned))
    found += [CATALOGUE.c[name].in_(values) for name, values in query.words.items() if values]
    if query.rooms:
        found.append(LESSONS.c.main_room.in_(query.rooms))
    if query.series is not None:
        found.append(CATALOGUE.c.series == query.series)
    if query.states:
        found.append(RECORDINGS.c.state.in_([word for state in query.states for word in STATES[state]]))
    if query.from_ms is not None:
        found.append(LESSONS.c.created_at >= query.from_ms)
    if query.to_ms is not None:
        found.append(LESSONS.c.created_at < query.to_ms)
    if query.sort is LibrarySort.WATCHED:
        found.append(WATCHED.c.seen_at.is_not(None))
    return found


def _within(circle: Circle, *, owned: bool) -> Any:
    opened, room = CATALOGUE.c.visibility, LESSONS.c.main_room
    ways: list[Any] = [room.in_(circle.own)]
    if circle.person:
        booked = select(BOOKINGS.c.lesson).where(BOOKINGS.c.teacher == circle.person)
        ways += [CATALOGUE.c.taught_by == circle.person, CATALOGUE.c.lesson.in_(booked)]
    if not owned:
        ways += [
            opened.in_((Visibility.COUNTY.value, Visibility.PUBLIC.value)),
            and_(opened == Visibility.SCHOOL.value, room.in_(circle.school)),
            and_(opened == Visibility.GROUP.value, room.in_(circle.school | circle.group)),
        ]
    return or_(*ways)


def _unindexed() -> Select[Any]:
    room = [_room_name(UNIT_NAMES.c.zh).label("room_zh"), _room_name(UNIT_NAMES.c.en).label("room_en")]
    return (
        select(CATALOGUE, LESSONS.c.value, *room)
        .join_from(CATALOGUE, LESSONS, CATALOGUE.c.lesson == LESSONS.c.lesson)
        .where(CATALOGUE.c.indexed.is_(False))
        .limit(INDEXED_AT_ONCE)
    )


def _room_name(column: Any) -> Any:
    """The main room's newest name."""
    names = select(column).where(UNIT_NAMES.c.unit == LESSONS.c.main_room)
    return names.order_by(UNIT_NAMES.c.since.desc()).limit(1).scalar_subquery()


class _Titled(msgspec.Struct):
    title: dict[str, str]


def _texts(row: Any) -> list[str]:
    """Everything a lesson is found by."""
    said = [str(row._mapping[name]) for name in CATALOGUE_WORDS]
    titles = msgspec.json.decode(row.value, type=_Titled).title
    chapters = msgspec.json.decode(row.chapters, type=list[ChapterTitle])
    rooms = [row.room_zh or "", row.room_en or ""]
    return [*said, *titles.values(), *rooms, *(chapter.title for chapter in chapters)]


def _library_row(row: Any) -> LibraryRow:
    values = {name: row._mapping[name] for name in Catalogue.__dataclass_fields__}
    values["chapters"] = tuple(msgspec.json.decode(row.chapters, type=list[ChapterTitle]))
    values["visibility"] = Visibility(row.visibility)
    values["download"] = bool(row.download)
    return LibraryRow(overview_of(row), Catalogue(**values), row.at_s or 0.0)
