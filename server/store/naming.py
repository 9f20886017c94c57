"""What ids are called and whom names mean: rooms with their schools, teachers, subjects. For the
timetable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from server.domain.posts import PostRole
from server.domain.sheets.cells import Directory
from server.protocol.messages import Words
from server.protocol.timetable import CurriculumEntry
from server.store.county import CountyStore
from server.store.county_tables import PEOPLE, POSTS
from server.store.database import Database
from server.store.remembered import Kept
from server.store.terms import Terms
from server.store.timetable_records import Names

TEACHING = (PostRole.TEACHER.value, PostRole.SCHOOL_ADMIN.value, PostRole.COUNTY_ADMIN.value)


@dataclass(frozen=True, slots=True)
class RoomName:
    """A room with the school or point it belongs to today."""

    room: str
    name: Words
    main: bool
    school: str
    school_name: Words


@dataclass(frozen=True, slots=True)
class Teacher:
    person: str
    login: str
    name: Words


class Naming:
    """Queries, kept until what they tell of changes."""

    def __init__(self, database: Database, county: CountyStore, terms: Terms) -> None:
        self._database = database
        self._county = county
        self._terms = terms
        self._rooms: tuple[tuple[int, date], list[RoomName]] | None = None
        self._called: Kept[dict[str, Words]] = Kept(database, (PEOPLE,), 1)
        self._teaching: Kept[list[Teacher]] = Kept(database, (PEOPLE, POSTS), 4)

    async def rooms(self) -> list[RoomName]:
        """Every room that is there today, in the order of tiles."""
        organisation, day = await self._county.load(), self._county.today()
        mark = (self._county.changes, day)
        if self._rooms is not None and self._rooms[0] == mark:
            return self._rooms[1]
        found = []
        for room in await self._county.rooms():
            school = organisation.school(room.room, day)
            name = school.name(day) if school is not None else Words("", "")
            found.append(RoomName(room.room, room.name, room.main, school.id if school else "", name))
        self._rooms = (mark, found)
        return found

    async def teachers(self, units: frozenset[str] | None = None) -> list[Teacher]:
        """Who holds a teaching post today; in these units only, where they are given."""
        day = self._county.today()
        return await self._teaching.get((day, units), lambda: self._teachers(day, units))

    async def _teachers(self, day: date, units: frozenset[str] | None) -> list[Teacher]:
        asked = (
            select(PEOPLE.c.person, PEOPLE.c.login, PEOPLE.c.name_zh, PEOPLE.c.name_en)
            .join_from(PEOPLE, POSTS, POSTS.c.person == PEOPLE.c.person)
            .where(
                PEOPLE.c.active,
                POSTS.c.role.in_(TEACHING),
                POSTS.c.since <= day,
                or_(POSTS.c.until.is_(None), POSTS.c.until > day),
            )
            .distinct()
            .order_by(PEOPLE.c.name_zh, PEOPLE.c.person)
        )
        if units is not None:
            asked = asked.where(POSTS.c.unit.in_(units))
        rows = await self._database.rows(asked)
        return [Teacher(row.person, row.login, Words(zh=row.name_zh, en=row.name_en)) for row in rows]

    async def names(self, teachers: Iterable[str]) -> Names:
        """What these teachers, and all subjects, are called."""
        called = await self._called.get((), self._everybody)
        known = {person: called[person] for person in set(teachers) if person in called}
        return Names({each.entry: each.name for each in await self._terms.curriculum("subject")}, known)

    async def _everybody(self) -> dict[str, Words]:
        asked = select(PEOPLE.c.person, PEOPLE.c.name_zh, PEOPLE.c.name_en)
        rows = await self._database.rows(asked)
        return {row.person: Words(zh=row.name_zh, en=row.name_en) for row in rows}

    async def directory(self, term_weeks: int, last_period: Mapping[str, int]) -> Directory:
        """The names that a spreadsheet may use. A name of several means nobody until more is said."""
        rooms, shared = _unique(
            (word, each.room) for each in await self.rooms() for word in _room_words(each)
        )
        teachers, same = _unique(
            (word, each.person) for each in await self.teachers() for word in _teacher_words(each)
        )
        subjects, _ = _unique(
            (word, each.entry)
            for each in await self._terms.curriculum("subject")
            for word in _subject_words(each)
        )
        return Directory(rooms, teachers, subjects, term_weeks, shared | same, last_period)


def _unique(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], frozenset[str]]:
    distinct = {(word, meant) for word, meant in pairs if word}
    count = Counter(word for word, _ in distinct)
    shared = frozenset(word for word, times in count.items() if times > 1)
    return {word: meant for word, meant in distinct if word not in shared}, shared


def _room_words(room: RoomName) -> set[str]:
    words = {room.room, room.name.zh, room.name.en}
    for school, name in ((room.school_name.zh, room.name.zh), (room.school_name.en, room.name.en)):
        words |= {f"{school}{name}", f"{school} {name}"}
    return {word.strip() for word in words}


def _teacher_words(teacher: Teacher) -> set[str]:
    names = {teacher.name.zh, teacher.name.en}
    return (
        names
        | {f"{name}({teacher.login})" for name in names}
        | {f"{name}（{teacher.login}）" for name in names}
    )


def _subject_words(entry: CurriculumEntry) -> set[str]:
    return {entry.entry, entry.name.zh, entry.name.en, entry.name.en.lower()}
