"""The library's queries: find, catalogue, order into series, remember where viewers stopped.

A lesson's place in the search index is made anew when the next search comes after it changed (`indexed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Integer, Select, bindparam, delete, func, or_, select, update

from server.clock import Clock
from server.domain.visibility import Circle, Visibility
from server.errors import UserFault
from server.ids import random_word
from server.store.county_tables import UNIT_NAMES
from server.store.database import Database, upsert
from server.store.finding import Finding
from server.store.holdings import Holdings
from server.store.library_records import (
    Catalogue,
    ChapterTitle,
    LibraryQuery,
    LibraryRow,
    SeriesRow,
)
from server.store.remembered import Kept
from server.store.search_index import entry_of, learn
from server.store.searching import terms_of
from server.store.store import overview_columns, overview_of
from server.store.tables import (
    CATALOGUE,
    CATALOGUE_WORDS,
    CLOSED_ADDRESSES,
    LESSONS,
    PUBLISHING,
    RECORDINGS,
    SERIES,
    WATCHED,
)
from server.store.timetable_tables import BOOKINGS

INDEXED_AT_ONCE = 500
INDEX_WAIT_S = 8.0
MOST_KEPT = 128
"""Pages."""
FACETS = ("subject", "grade", "teacher", "school")
_BOOKED = select(BOOKINGS.c.teacher).where(BOOKINGS.c.lesson == CATALOGUE.c.lesson).scalar_subquery()
_TAUGHT_BY = func.coalesce(func.nullif(CATALOGUE.c.taught_by, ""), _BOOKED, "")
_NUMBER = bindparam("of", type_=Integer)
_KNOWN = ("number", *(name for name in Catalogue.__dataclass_fields__ if name != "taught_by"))
_ROWS = (
    select(*overview_columns(), *(CATALOGUE.c[name] for name in _KNOWN), _TAUGHT_BY.label("taught_by"))
    .join_from(CATALOGUE, LESSONS, CATALOGUE.c.lesson == LESSONS.c.lesson)
    .join(RECORDINGS, RECORDINGS.c.lesson == LESSONS.c.lesson, isouter=True)
)
"""Everything of a lesson in the library, with or without a recording: made once, for it is long."""
_OF_NUMBERS = _ROWS.where(CATALOGUE.c.number.in_(bindparam("numbers", expanding=True)))
_OF_LESSON = _ROWS.where(CATALOGUE.c.lesson == bindparam("asked"))
_SHOWN = (CATALOGUE, BOOKINGS, LESSONS, RECORDINGS, PUBLISHING)
_PLACES = select(WATCHED.c.lesson, WATCHED.c.at_s).where(
    WATCHED.c.viewer == bindparam("viewer"), WATCHED.c.lesson.in_(bindparam("lessons", expanding=True))
)
_INDEXED = update(CATALOGUE).where(CATALOGUE.c.number == _NUMBER).values(indexed=True)


class StaleCatalogue(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚改过所选的课。请刷新后看清新的内容再改。",
            en="Somebody else changed one of these lessons meanwhile. Load them again, then change them.",
        )


class Library:
    """Queries over the store's database, each a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._indexing: asyncio.Task[None] | None = None
        self._holdings = Holdings(database, clock)
        self._finding = Finding(database, clock, self._holdings)
        self._shown: Kept[list[LibraryRow]] = Kept(database, _SHOWN, MOST_KEPT)

    # -- finding

    async def find(self, query: LibraryQuery) -> tuple[list[LibraryRow], int]:
        """One page, and how many there are in all."""
        terms = terms_of(query.text)
        if query.text.strip() and not terms:
            return [], 0
        if terms:
            await self._known()
        found, total = await self._finding.find(query, terms)
        numbers = tuple(found)
        rows = await self._shown.get(numbers, lambda: self._rows(numbers)) if numbers else []
        return await self._with_places(rows, query.viewer), total

    async def _rows(self, numbers: tuple[int, ...]) -> list[LibraryRow]:
        rows = {row.number: row for row in await self._database.rows(_OF_NUMBERS, {"numbers": numbers})}
        return [_library_row(rows[number]) for number in numbers if number in rows]

    async def _with_places(self, rows: list[LibraryRow], viewer: str) -> list[LibraryRow]:
        """Each with where this viewer stopped."""
        lessons = [row.overview.lesson.id for row in rows]
        if not lessons or not viewer:
            return rows
        seen = await self._database.rows(_PLACES, {"viewer": viewer, "lessons": lessons})
        at_s: dict[str, float] = {place.lesson: place.at_s for place in seen}
        return [
            replace(row, watched_s=at_s[lesson]) if lesson in at_s else row
            for lesson, row in zip(lessons, rows, strict=True)
        ]

    async def row(self, lesson: str, viewer: str = "") -> LibraryRow | None:
        """One lesson, deleted ones included; without a recording it has none."""
        row = await self._database.row(_OF_LESSON, {"asked": lesson})
        return None if row is None else (await self._with_places([_library_row(row)], viewer))[0]

    async def facets(self, reach: Circle | None) -> dict[str, list[tuple[str, int]]]:
        """For each filter its values with how many lessons have them, the most frequent first."""
        return {name: await self._holdings.facet(name, reach) for name in FACETS}

    async def indexed(self) -> None:
        """Until the search knows every row, however long that takes."""
        await self._known(patience_s=None)

    async def _known(self, patience_s: float | None = INDEX_WAIT_S) -> None:
        """Bring the search up to what the rows say; where that takes long, it goes on beside the search."""
        if self._indexing is None or self._indexing.done():
            self._indexing = asyncio.create_task(self._index(), name="library index")
        await asyncio.wait([self._indexing], timeout=patience_s)
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
        await self._holdings.close()
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)

    # -- what a lesson is about

    async def catalogue(self, lesson: str, **changes: object) -> None:
        """Change some columns; `chapters` as a list of ChapterTitle."""
        await self.catalogue_all([lesson], {}, **changes)

    async def catalogue_all(
        self, lessons: Sequence[str], versions: Mapping[str, int], **changes: object
    ) -> None:
        """The same of many, all or none. `versions`: those that the author saw, of some or all of them:
        StaleCatalogue."""
        if "chapters" in changes:
            changes["chapters"] = msgspec.json.encode(changes["chapters"]).decode()
        self._finding.forget()
        here = CATALOGUE.c.lesson.in_(lessons)
        async with self._database.writing() as connection:
            for row in await connection.execute(select(CATALOGUE.c.lesson, CATALOGUE.c.version).where(here)):
                if versions.get(row.lesson, row.version) != row.version:
                    raise StaleCatalogue
            changed = update(CATALOGUE).where(here).values(**changes, indexed=False)
            await connection.execute(changed.values(version=CATALOGUE.c.version + 1))

    async def withdraw(self, lesson: str, allowed: Visibility, last_s: int) -> None:
        """Open it no further than this and to no download; signed addresses of its files that are good until
        `last_s` (seconds since 1970) or less are over, also for a campus that starts again."""
        self._finding.forget()
        now_s = self._clock.wall_ms() // 1000
        closed = update(CATALOGUE).where(CATALOGUE.c.lesson == lesson)
        said = {"visibility": allowed.value, "download": False, "indexed": False}
        await self._database.write(
            closed.values(**said, version=CATALOGUE.c.version + 1),
            delete(CLOSED_ADDRESSES).where(CLOSED_ADDRESSES.c.last_s < now_s),
            upsert(CLOSED_ADDRESSES, "lesson", lesson=lesson, last_s=last_s),
        )

    async def withdrawn(self) -> dict[str, int]:
        """Lessons with the `last_s` of `withdraw`, as far as such an address might still be good."""
        asked = select(CLOSED_ADDRESSES).where(CLOSED_ADDRESSES.c.last_s >= self._clock.wall_ms() // 1000)
        return {row.lesson: row.last_s for row in await self._database.rows(asked)}

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
    return LibraryRow(overview_of(row), Catalogue(**values))
