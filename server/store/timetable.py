"""Booked lessons: rows of `lessons` in the state `planned` with their place in the timetable beside them.

A change names the version that its author saw; who saw an older one is told (`StaleBooking`). A lesson that
began or is over is not changed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.domain.lesson import Lesson
from server.errors import UserFault
from server.protocol.messages import LessonState
from server.protocol.timetable import BookingChange, Template
from server.store.database import Database
from server.store.remembered import Kept
from server.store.tables import LESSONS
from server.store.timetable_records import BOOKING_COLUMNS, Booked, Names, booking_row, planned_row, room_rows
from server.store.timetable_tables import BOOKED_ROOMS, BOOKINGS

AT_ONCE = 2_000
MOST_KEPT = 200
LONGEST_MS = 86_400_000
"""No lesson is longer than a day: what began before that is over."""
PLANNED = LessonState.PLANNED.value


class StaleBooking(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚改过这节课。已显示新的内容，请看清后再改。",
            en="Somebody else changed this lesson meanwhile. Look at it as it is now before you change it.",
        )


class NotPlanned(UserFault):
    """It began, is over, or there is none."""

    def __init__(self) -> None:
        super().__init__(
            "not_planned",
            zh="这节课已经开始或结束，不能再改课表。",
            en="This lesson has begun or is over: its place in the timetable can no longer be changed.",
        )


class Timetable:
    """Queries and changes, each a transaction of its own. `zone`: whose days are meant."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self.zone = zone
        self._weeks: Kept[list[Booked]] = Kept(database, (LESSONS, BOOKINGS, BOOKED_ROOMS), MOST_KEPT)

    # -- for the scheduler

    async def planned(self, until: int, since: int | None = None) -> list[Lesson]:
        """Lessons that nobody began, whose time begins before `until`, in the order of time."""
        # Found by their time: a whole term is planned, and no index of the state may be taken for better.
        is_planned = func.lower(LESSONS.c.state) == PLANNED
        asked = (
            select(LESSONS.c.value)
            .join_from(BOOKINGS, LESSONS, BOOKINGS.c.lesson == LESSONS.c.lesson)
            .where(is_planned, BOOKINGS.c.starts_at < until)
            .order_by(BOOKINGS.c.starts_at)
        )
        if since is not None:
            asked = asked.where(BOOKINGS.c.ends_at > since, BOOKINGS.c.starts_at > since - LONGEST_MS)
        rows = await self._database.rows(asked)
        return [msgspec.json.decode(row.value, type=Lesson) for row in rows]

    async def save_missed(self, lesson: Lesson) -> None:
        """It is over and never began. One that did begin meanwhile stays as it is."""
        value = msgspec.json.encode(lesson).decode()
        over = update(LESSONS).where(LESSONS.c.lesson == lesson.id, LESSONS.c.state == PLANNED)
        await self._database.write(
            over.values(state=lesson.state.value, ended_at=lesson.ended_at, value=value)
        )

    async def book(self, lesson: Lesson) -> None:
        """A lesson that was booked on the spot gets its place; its row of `lessons` is there."""
        known = await self._database.row(select(BOOKINGS.c.lesson).where(BOOKINGS.c.lesson == lesson.id))
        if known is not None or lesson.booked_from is None or lesson.booked_until is None:
            return
        day = datetime.fromtimestamp(lesson.booked_from / 1000, UTC).astimezone(self.zone).date()
        booked = Booked(
            lesson.id, day, 0, 0, lesson.booked_from, lesson.booked_until, lesson.main_room, lesson.rooms,
            title=lesson.title.zh, template=lesson.template, change=BookingChange.ONE_OFF,
        )  # fmt: skip
        async with self._database.writing() as connection:
            await _insert_places(connection, [booked])

    # -- reading

    async def one(self, lesson: str) -> Booked | None:
        found = await self._booked(BOOKINGS.c.lesson == lesson)
        return found[0] if found else None

    async def between(
        self, since: int, until: int, *, rooms: frozenset[str] | None = None, teacher: str = ""
    ) -> list[Booked]:
        """Lessons of that time: with one of these rooms in whichever role, or of this teacher; of both where
        both are given (either one), of everybody where neither is."""
        asked = (since, until, rooms, teacher)
        return list(await self._weeks.get(asked, lambda: self._between(*asked)))

    async def _between(
        self, since: int, until: int, rooms: frozenset[str] | None, teacher: str
    ) -> list[Booked]:
        conditions: list[Any] = []
        earliest = since - LONGEST_MS
        if rooms is not None:
            seats = BOOKED_ROOMS.alias()
            of_rooms = and_(seats.c.room.in_(rooms), seats.c.starts_at < until, seats.c.starts_at > earliest)
            named = select(seats.c.lesson).where(of_rooms)
            conditions.append(or_(BOOKINGS.c.main_room.in_(rooms), BOOKINGS.c.lesson.in_(named)))
        if teacher:
            conditions.append(BOOKINGS.c.teacher == teacher)
        begins, ends = BOOKINGS.c.starts_at, BOOKINGS.c.ends_at
        of_time = and_(begins < until, begins > earliest, ends > since)
        return await self._booked(of_time, or_(*conditions)) if conditions else await self._booked(of_time)

    async def of_term(self, term: str, main_rooms: frozenset[str] | None = None) -> list[Booked]:
        """Everything that was booked by lines of a term."""
        conditions = [BOOKINGS.c.term == term]
        if main_rooms is not None:
            conditions.append(BOOKINGS.c.main_room.in_(main_rooms))
        return await self._booked(*conditions)

    async def of_series(self, series: str, since: int) -> list[Booked]:
        return await self._booked(BOOKINGS.c.series == series, BOOKINGS.c.starts_at >= since)

    async def _booked(self, *conditions: Any) -> list[Booked]:
        columns = [BOOKINGS.c[name] for name in BOOKING_COLUMNS]
        asked = (
            select(*columns, LESSONS.c.state, LESSONS.c.started_at)
            .join_from(BOOKINGS, LESSONS, BOOKINGS.c.lesson == LESSONS.c.lesson)
            .where(*conditions)
            .order_by(BOOKINGS.c.starts_at, BOOKINGS.c.lesson)
        )
        rows = await self._database.rows(asked)
        seats = (
            select(BOOKED_ROOMS.c.lesson, BOOKED_ROOMS.c.room)
            .join_from(BOOKED_ROOMS, BOOKINGS, BOOKED_ROOMS.c.lesson == BOOKINGS.c.lesson)
            .where(*conditions)
            .order_by(BOOKED_ROOMS.c.position)
        )
        rooms: dict[str, list[str]] = {}
        for seat in await self._database.rows(seats) if rows else ():
            rooms.setdefault(seat.lesson, []).append(seat.room)
        return [_booked_of(row, tuple(rooms.get(row.lesson, ()))) for row in rows]

    # -- changing

    async def change(self, changed: Sequence[Booked], names: Names) -> None:
        """These lessons as they are to be; `version` is the one their author saw. All of them or none:
        StaleBooking, NotPlanned."""
        now = self._clock.wall_ms()
        async with self._database.writing() as connection:
            for booked in changed:
                await _check(connection, booked.lesson, booked.version)
            await _update(connection, changed, names, now)

    async def take_back(self, changed: Sequence[Booked], added: Mapping[str, int], names: Names) -> None:
        """What one action did, whole or not at all: these lessons as they were before it, those that it added
        gone. Versions are the ones that it left: StaleBooking, NotPlanned where somebody was there since."""
        now = self._clock.wall_ms()
        async with self._database.writing() as connection:
            for lesson, version in (*((each.lesson, each.version) for each in changed), *added.items()):
                await _check(connection, lesson, version)
            await _remove(connection, list(added))
            await _update(connection, changed, names, now)

    async def add(self, added: Sequence[Booked], names: Names) -> None:
        """New lessons."""
        async with self._database.writing() as connection:
            await _insert(connection, added, names, self._clock.wall_ms())

    async def replace(
        self, *, added: Sequence[Booked], changed: Sequence[Booked], removed: Iterable[str], names: Names
    ) -> None:
        """What an import makes of the timetable: all of it or nothing. Lessons that began stay."""
        now = self._clock.wall_ms()
        async with self._database.writing() as connection:
            await _remove(connection, list(removed))
            await _update(connection, changed, names, now)
            await _insert(connection, added, names, now)


async def _check(connection: AsyncConnection, lesson: str, version: int) -> None:
    row = (
        await connection.execute(
            select(BOOKINGS.c.version, BOOKINGS.c.change, LESSONS.c.state)
            .join_from(BOOKINGS, LESSONS, BOOKINGS.c.lesson == LESSONS.c.lesson)
            .where(BOOKINGS.c.lesson == lesson)
        )
    ).first()
    if row is None or (row.state != PLANNED and row.change != BookingChange.CANCELLED):
        raise NotPlanned
    if row.version != version:
        raise StaleBooking


async def _insert(connection: AsyncConnection, added: Sequence[Booked], names: Names, now: int) -> None:
    for start in range(0, len(added), AT_ONCE):
        some = added[start : start + AT_ONCE]
        await connection.execute(insert(LESSONS), [planned_row(each, names, now) for each in some])
        await _insert_places(connection, some)


async def _insert_places(connection: AsyncConnection, added: Sequence[Booked]) -> None:
    await connection.execute(insert(BOOKINGS), [booking_row(each) for each in added])
    rooms = [row for each in added for row in room_rows(each)]
    if rooms:
        await connection.execute(insert(BOOKED_ROOMS), rooms)


async def _update(connection: AsyncConnection, changed: Sequence[Booked], names: Names, now: int) -> None:
    """Rows of lessons that are still planned."""
    if not changed:
        return
    kept = ("created_at", "started_at", "ended_at", "worker", "lesson")
    lessons, places = [], []
    for booked in changed:
        row = planned_row(booked, names, now)
        state = LessonState.ENDED.value if booked.change is BookingChange.CANCELLED else PLANNED
        lessons.append(
            {"key": booked.lesson, "new_state": state, "new_value": row["value"], "room": row["main_room"]}
        )
        place = {name: value for name, value in booking_row(booked).items() if name not in kept}
        places.append({"key": booked.lesson, **{f"new_{name}": value for name, value in place.items()}})
    await connection.execute(
        update(LESSONS)
        .where(LESSONS.c.lesson == bindparam("key"))
        .values(state=bindparam("new_state"), value=bindparam("new_value"), main_room=bindparam("room")),
        lessons,
    )
    columns = [name for name in BOOKING_COLUMNS if name not in (*kept, "version")]
    await connection.execute(
        update(BOOKINGS)
        .where(BOOKINGS.c.lesson == bindparam("key"))
        .values(version=BOOKINGS.c.version + 1, **{name: bindparam(f"new_{name}") for name in columns}),
        places,
    )
    await connection.execute(
        delete(BOOKED_ROOMS).where(BOOKED_ROOMS.c.lesson == bindparam("key")),
        [{"key": booked.lesson} for booked in changed],
    )
    rooms = [row for each in changed for row in room_rows(each)]
    if rooms:
        await connection.execute(insert(BOOKED_ROOMS), rooms)


async def _remove(connection: AsyncConnection, lessons: Sequence[str]) -> None:
    """Planned lessons leave no trace: nobody saw them."""
    if not lessons:
        return
    keys = [{"key": lesson} for lesson in lessons]
    for table in (BOOKED_ROOMS, BOOKINGS, LESSONS):
        await connection.execute(delete(table).where(table.c.lesson == bindparam("key")), keys)


def _booked_of(row: Row[Any], rooms: tuple[str, ...]) -> Booked:
    values = dict(zip(BOOKING_COLUMNS, row, strict=False))  # then come state and start
    values["template"], values["change"] = Template(values["template"]), BookingChange(values["change"])
    return Booked(**values, rooms=rooms, state=LessonState(row.state), started_at=row.started_at)
