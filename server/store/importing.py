"""A timetable's spreadsheet into booked lessons: read against the county's names, planned, written at once
or not at all. Files and workbooks are not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from server.clock import Clock
from server.domain.calendar import Bells, Calendar
from server.domain.sheets import read_sheet
from server.domain.sheets.cells import Reading, Sheet
from server.ids import new_lesson_id
from server.protocol.timetable import TermView
from server.store.county import CountyStore
from server.store.naming import Naming
from server.store.planning import BookedClash, Plan, clashes_with, line_of, plan, wanted
from server.store.terms import Terms, bells_of, calendar_of
from server.store.timetable import Timetable
from server.store.timetable_records import Booked


@dataclass(frozen=True, slots=True)
class ReadTimetable:
    """A file that was read; `bells`: of each main room that it may name."""

    term: TermView
    calendar: Calendar
    reading: Reading
    bells: Mapping[str, Bells]

    @property
    def main_rooms(self) -> frozenset[str]:
        return frozenset(entry.main_room for entry in self.reading.entries)


@dataclass(frozen=True, slots=True)
class Result:
    """What was, or would be, done. With clashes nothing is."""

    plan: Plan
    clashes: list[BookedClash] = field(default_factory=list)
    done: bool = False


class Importing:
    """Parts of the store; `clock`: what is over is not booked any more."""

    def __init__(
        self, timetable: Timetable, terms: Terms, naming: Naming, county: CountyStore, clock: Clock
    ) -> None:
        self._timetable = timetable
        self._terms = terms
        self._naming = naming
        self._county = county
        self._clock = clock

    async def read(self, sheets: Sequence[Sheet], term: str) -> ReadTimetable:
        """NoTerm. What is wrong in the cells is in `reading.problems`."""
        view = await self._terms.one(term, self._county.today())
        bells = await self.bells_of_rooms()
        last = {room: max(bell.period for bell in each.bells) for room, each in bells.items()}
        reading = Reading(await self._naming.directory(view.weeks, last))
        await asyncio.to_thread(_read, sheets, reading)
        return ReadTimetable(view, calendar_of(view.first_monday, view.weeks, view.swaps), reading, bells)

    async def bells_of_rooms(self) -> dict[str, Bells]:
        """Each room rings by its school's bells."""
        by_school: dict[str, Bells] = {}
        found = {}
        for room in await self._naming.rooms():
            if room.school not in by_school:
                by_school[room.school] = bells_of((await self._terms.bells(room.school)).bells)
            found[room.room] = by_school[room.school]
        return found

    async def carry_out(self, read: ReadTimetable, *, dry: bool) -> Result:
        """Plan it and, unless it is `dry` or something clashes, do it: all of it or nothing."""
        now = self._clock.wall_ms()
        standing = await self._timetable.of_term(read.term.term, read.main_rooms)
        made = await asyncio.to_thread(self._plan, read, standing, now)
        ours = [*made.added, *made.changed]
        clashes: list[BookedClash] = []
        if ours:
            since, until = min(e.starts_at for e in ours), max(e.ends_at for e in ours)
            others = await self._timetable.between(since, until)
            removed = set(made.removed)
            left = [each for each in others if each.lesson not in removed]
            clashes = await asyncio.to_thread(clashes_with, ours, left)
        if dry or clashes:
            return Result(made, clashes)
        names = await self._naming.names(entry.teacher for entry in read.reading.entries)
        added = with_ids(made.added, (each.lesson for each in standing))
        await self._timetable.replace(added=added, changed=made.changed, removed=made.removed, names=names)
        lines = {
            line_of(read.term.term, entry): (entry.main_room, msgspec.json.encode(_plain(entry)).decode())
            for entry in read.reading.entries
        }
        await self._terms.put_lines(read.term.term, read.main_rooms, lines)
        return Result(made, done=True)

    def _plan(self, read: ReadTimetable, standing: Sequence[Booked], now: int) -> Plan:
        wishes = wanted(read.reading.entries, read.term.term, read.calendar, read.bells, self._timetable.zone)
        return plan(wishes, standing, now)


def with_ids(lessons: Iterable[Booked], taken: Iterable[str]) -> list[Booked]:
    """The lessons with names of their own: they rise with the time of the lesson."""
    used, named = set(taken), []
    for lesson in lessons:
        name = new_lesson_id(lesson.starts_at)
        while name in used:
            name = new_lesson_id(lesson.starts_at)
        used.add(name)
        named.append(replace(lesson, lesson=name))
    return named


def _read(sheets: Sequence[Sheet], reading: Reading) -> None:
    for sheet in sheets:
        if any(cell.strip() for row in sheet.rows for cell in row):
            read_sheet(sheet, reading)


def _plain(entry: object) -> dict[str, object]:
    values = msgspec.to_builtins(entry)
    return {**values, "weeks": sorted(values["weeks"])}
