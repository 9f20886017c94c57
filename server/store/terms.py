"""Terms with their swapped days, each school's bells, and the curriculum: rows and queries.

Every change names the version that its author saw; who saw an older one is told (`StaleTerm`).
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

import msgspec
from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.calendar import BadCalendar, Bell, Bells, Calendar, Term
from server.errors import Refused, UserFault
from server.ids import random_word
from server.protocol.messages import Words
from server.protocol.timetable import BellsValue, BellTime, CurriculumEntry, SwappedDay, TermValue, TermView
from server.store.database import Database, upsert
from server.store.remembered import Kept
from server.store.timetable_tables import (
    BELLS,
    CALL_LIST_VERSIONS,
    CALL_LISTS,
    CURRICULUM,
    FEEDS,
    LINES,
    TERM_SWAPS,
    TERMS,
)

MOST_KEPT = 500
COUNTY = "county"
"""Whose bells a school rings by that has none of its own."""
USUAL_BELLS = tuple(
    BellTime(number, begins, ends)
    for number, (begins, ends) in enumerate(
        (
            ("08:30", "09:10"), ("09:20", "10:00"), ("10:20", "11:00"), ("11:10", "11:50"),
            ("14:00", "14:40"), ("14:50", "15:30"), ("15:45", "16:25"), ("16:35", "17:15"),
        ),
        1,
    )
)  # fmt: skip


USUAL_SUBJECTS = tuple(
    CurriculumEntry(entry, "subject", Words(zh=zh, en=en), "", position)
    for position, (entry, zh, en) in enumerate(
        (
            ("chinese", "语文", "Chinese"), ("maths", "数学", "Maths"), ("english", "英语", "English"),
            ("science", "科学", "Science"), ("ethics", "道德与法治", "Ethics and law"),
            ("music", "音乐", "Music"), ("art", "美术", "Art"), ("sport", "体育", "Sport"),
            ("it", "信息科技", "Computing"), ("labour", "劳动", "Practical work"),
            ("health", "心理健康", "Mental health"), ("meeting", "班会", "Class meeting"),
            ("research", "教研", "Teaching research"),
        )
    )
)  # fmt: skip
"""What there is until the county writes its own."""


class StaleTerm(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚改过。请刷新后看清新的内容再改。",
            en="Somebody else changed this meanwhile. Load it again and look before you change it.",
        )


class NoTerm(Refused):
    def __init__(self) -> None:
        super().__init__("not_found", zh="没有这个学期。", en="There is no such term.")


class Terms:
    """Queries and changes, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._terms: Kept[list[TermView]] = Kept(database, (TERMS, TERM_SWAPS), 4)
        self._bells: Kept[BellsValue] = Kept(database, (BELLS,), MOST_KEPT)
        self._entries: Kept[list[CurriculumEntry]] = Kept(database, (CURRICULUM,), MOST_KEPT)

    # -- terms

    async def all(self, today: date) -> list[TermView]:
        """The newest first."""
        return await self._terms.get(today, lambda: self._all(today))

    async def _all(self, today: date) -> list[TermView]:
        rows = await self._database.rows(select(TERMS).order_by(TERMS.c.first_monday.desc()))
        swaps: dict[str, list[SwappedDay]] = {}
        for row in await self._database.rows(select(TERM_SWAPS).order_by(TERM_SWAPS.c.day)):
            runs = row.runs.isoformat() if row.runs is not None else None
            swaps.setdefault(row.term, []).append(SwappedDay(row.day.isoformat(), runs))
        return [_term_view(row, swaps.get(row.term, []), today) for row in rows]

    async def one(self, term: str, today: date) -> TermView:
        """NoTerm where there is none."""
        for view in await self.all(today):
            if view.term == term:
                return view
        raise NoTerm

    async def put(self, term: str, value: TermValue) -> str:
        """A term new or changed; its id. BadCalendar, StaleTerm."""
        calendar_of(value.first_monday, value.weeks, value.swaps)
        name = term or "t" + random_word(8)
        async with self._database.writing() as connection:
            found = (await connection.execute(select(TERMS.c.version).where(TERMS.c.term == name))).first()
            if (found.version if found is not None else 0) != value.version:
                raise StaleTerm
            await connection.execute(
                upsert(
                    TERMS, "term", term=name, name_zh=value.name.zh, name_en=value.name.en,
                    first_monday=date.fromisoformat(value.first_monday), weeks=value.weeks,
                    version=value.version + 1,
                )
            )  # fmt: skip
            await connection.execute(delete(TERM_SWAPS).where(TERM_SWAPS.c.term == name))
            rows = [
                {"term": name, "day": date.fromisoformat(each.day),
                 "runs": date.fromisoformat(each.runs) if each.runs else None}
                for each in value.swaps
            ]  # fmt: skip
            if rows:
                await connection.execute(TERM_SWAPS.insert(), rows)
        return name

    # -- bells

    async def bells(self, school: str) -> BellsValue:
        """A school's own bells, else the county's, else usual ones."""
        return await self._bells.get(school, lambda: self._bells_of(school))

    async def _bells_of(self, school: str) -> BellsValue:
        for name in (school, COUNTY):
            row = await self._database.row(select(BELLS).where(BELLS.c.school == name))
            if row is not None:
                times = msgspec.json.decode(row.value, type=list[BellTime])
                return BellsValue(times, row.version if name == school else 0, own=name == school)
        return BellsValue(list(USUAL_BELLS), 0, own=False)

    async def put_bells(self, school: str, value: BellsValue) -> None:
        """BadCalendar where they overlap; StaleTerm."""
        bells_of(value.bells)
        async with self._database.writing() as connection:
            found = (
                await connection.execute(select(BELLS.c.version).where(BELLS.c.school == school))
            ).first()
            if (found.version if found is not None else 0) != value.version:
                raise StaleTerm
            text = msgspec.json.encode(value.bells).decode()
            await connection.execute(
                upsert(BELLS, "school", school=school, value=text, version=value.version + 1)
            )

    # -- the curriculum

    async def curriculum(self, kind: str = "") -> list[CurriculumEntry]:
        """The county's catalogue, or one kind of it; usual subjects until it has its own."""
        return await self._entries.get(kind, lambda: self._curriculum(kind))

    async def _curriculum(self, kind: str) -> list[CurriculumEntry]:
        asked = select(CURRICULUM).order_by(CURRICULUM.c.kind, CURRICULUM.c.position, CURRICULUM.c.entry)
        if kind:
            asked = asked.where(CURRICULUM.c.kind == kind)
        found = [
            CurriculumEntry(
                row.entry,
                row.kind,
                Words(zh=row.name_zh, en=row.name_en),
                row.parent,
                row.position,
                row.version,
            )
            for row in await self._database.rows(asked)
        ]
        if kind in ("", "subject") and not any(each.kind == "subject" for each in found):
            found += USUAL_SUBJECTS
        return found

    async def put_entry(self, entry: CurriculumEntry) -> CurriculumEntry:
        """New or changed; as it is now. StaleTerm."""
        written = msgspec.structs.replace(entry, version=entry.version + 1)
        async with self._database.writing() as connection:
            await _check_entry(connection, entry.entry, entry.version)
            await connection.execute(_put(written))
        return written

    async def adopt_usual(self) -> None:
        """From now on the usual subjects are the county's own, where it had none: one that is changed or
        removed must not take the others with it."""
        own = await self._database.row(select(CURRICULUM.c.entry).where(CURRICULUM.c.kind == "subject"))
        if own is None:
            await self._database.write(*map(_put, USUAL_SUBJECTS))

    async def remove_entry(self, entry: str, version: int | None) -> None:
        """`version`: the one that was seen, None: whichever. StaleTerm."""
        async with self._database.writing() as connection:
            if version is not None:
                await _check_entry(connection, entry, version)
            await connection.execute(delete(CURRICULUM).where(CURRICULUM.c.entry == entry))

    # -- lines, call lists, feeds

    async def put_lines(
        self, term: str, main_rooms: frozenset[str], lines: dict[str, tuple[str, str]]
    ) -> None:
        """The lines of these main rooms, by id: (main room, value)."""
        gone = delete(LINES).where(LINES.c.term == term, LINES.c.main_room.in_(main_rooms))
        async with self._database.writing() as connection:
            await connection.execute(gone)
            rows = [
                {"line": line, "term": term, "main_room": room, "value": value}
                for line, (room, value) in lines.items()
            ]
            if rows:
                await connection.execute(LINES.insert(), rows)

    async def call_list(self, main_room: str) -> frozenset[str]:
        """Rooms that may be called from there although no bond says so."""
        rows = await self._database.rows(select(CALL_LISTS.c.room).where(CALL_LISTS.c.main_room == main_room))
        return frozenset(row.room for row in rows)

    async def call_list_version(self, main_room: str) -> int:
        """How often it was changed."""
        known = CALL_LIST_VERSIONS.c.main_room == main_room
        row = await self._database.row(select(CALL_LIST_VERSIONS.c.version).where(known))
        return 0 if row is None else int(row.version)

    async def put_call_list(self, main_room: str, rooms: frozenset[str], version: int) -> None:
        """`version`: the one that its author saw. StaleTerm."""
        values = [{"main_room": main_room, "room": room} for room in sorted(rooms)]
        known = CALL_LIST_VERSIONS.c.main_room == main_room
        async with self._database.writing() as connection:
            found = await connection.execute(select(CALL_LIST_VERSIONS.c.version).where(known))
            if (found.scalar() or 0) != version:
                raise StaleTerm
            fresh = upsert(CALL_LIST_VERSIONS, "main_room", main_room=main_room, version=version + 1)
            await connection.execute(fresh)
            await connection.execute(delete(CALL_LISTS).where(CALL_LISTS.c.main_room == main_room))
            if values:
                await connection.execute(CALL_LISTS.insert(), values)

    async def feed_number(self, owner: str) -> int:
        """Which secret address of a feed is good; 1 until another one is asked for."""
        row = await self._database.row(select(FEEDS.c.number).where(FEEDS.c.owner == owner))
        return 1 if row is None else int(row.number)

    async def new_feed(self, owner: str) -> int:
        """The next number: addresses made for an older one are over."""
        number = await self.feed_number(owner) + 1
        await self._database.write(upsert(FEEDS, "owner", owner=owner, number=number))
        return number


def _put(entry: CurriculumEntry) -> Any:
    return upsert(
        CURRICULUM, "entry", entry=entry.entry, kind=entry.kind, name_zh=entry.name.zh,
        name_en=entry.name.en, parent=entry.parent, position=entry.position, version=entry.version,
    )  # fmt: skip


async def _check_entry(connection: AsyncConnection, entry: str, version: int) -> None:
    found = await connection.execute(select(CURRICULUM.c.version).where(CURRICULUM.c.entry == entry))
    if (found.scalar() or 0) != version:
        raise StaleTerm


def calendar_of(first_monday: str, weeks: int, swaps: list[SwappedDay], term: str = "") -> Calendar:
    """BadCalendar where it is none."""
    days = {day_of(each.day): day_of(each.runs) if each.runs else None for each in swaps}
    return Calendar(Term(term, day_of(first_monday), weeks), days)


def day_of(text: str) -> date:
    """BadCalendar for a day that no calendar has."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadCalendar(
            "bad_day", zh=f"没有“{text[:20]}”这一天。", en=f'There is no day "{text[:20]}".'
        ) from error


def bells_of(times: list[BellTime]) -> Bells:
    """BadCalendar where they overlap."""
    return Bells(
        tuple(
            Bell(each.period, time.fromisoformat(each.begins), time.fromisoformat(each.ends))
            for each in times
        )
    )


def _term_view(row: Row[Any], swaps: list[SwappedDay], today: date) -> TermView:
    place = Term(row.term, row.first_monday, row.weeks).place(today)
    return TermView(
        row.term, Words(zh=row.name_zh, en=row.name_en), row.first_monday.isoformat(), row.weeks, swaps,
        row.version, place[0] if place is not None else None,
    )  # fmt: skip
