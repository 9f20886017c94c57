"""The timetable: what is taught every week, the lessons that follow from it, and their clashes (pure).

An `Entry` is one line of a timetable; its *key* says which entry of a term it is, so that the same file
imported twice changes nothing. An `Occurrence` is one lesson of one day. A clash is two occurrences that
need one teacher or one room at one time; a room may be main in one lesson and receiving in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from server.domain.calendar import Bells, Calendar, moment
from server.protocol.timetable import Template

MOST_RECEIVING_ROOMS = 12
TEMPLATE_NAMES: dict[str, Template] = {
    **dict.fromkeys(("专递课堂", "shared lesson", "shared"), Template.SHARED),
    **dict.fromkeys(("名师课堂", "master-teacher class", "master"), Template.MASTER),
    **dict.fromkeys(("师徒结对", "mentoring"), Template.MENTORING),
    **dict.fromkeys(("主题班会", "班会", "class meeting"), Template.CLASS_MEETING),
    **dict.fromkeys(("教研活动", "教研", "research meeting"), Template.RESEARCH),
    **dict.fromkeys(("排练", "试课", "rehearsal"), Template.REHEARSAL),
}
"""What a spreadsheet calls the kinds of lesson."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: these weeks, this weekday, these periods. `rooms`: receiving rooms in tile order."""

    subject: str
    teacher: str
    main_room: str
    rooms: tuple[str, ...]
    weekday: int
    first: int
    last: int
    weeks: frozenset[int]
    grade: str = ""
    title: str = ""
    template: Template = Template.SHARED

    @property
    def key(self) -> tuple[str, int, int, tuple[int, ...]]:
        """Which entry of a term it is: main room, weekday, first period, weeks."""
        return self.main_room, self.weekday, self.first, tuple(sorted(self.weeks))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One lesson of one day; `starts_at` and `ends_at` in milliseconds since 1970."""

    entry: Entry
    day: date
    starts_at: int
    ends_at: int


class Resource(StrEnum):
    """What two lessons cannot have at one time."""

    TEACHER = "teacher"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Clash:
    """Two lessons that overlap over one teacher or room, the earlier one first."""

    resource: Resource
    name: str
    first: Occurrence
    second: Occurrence


def occurrences(entry: Entry, calendar: Calendar, bells: Bells, zone: ZoneInfo) -> Iterator[Occurrence]:
    """The lessons of an entry, in the order of days; none where the school's day has no such periods."""
    span = bells.span(entry.first, entry.last)
    if span is None:
        return
    for day in calendar.teaching_days(entry.weekday, entry.weeks):
        yield Occurrence(entry, day, moment(day, span[0], zone), moment(day, span[1], zone))


def clashes(lessons: Iterable[Occurrence], most: int = 200) -> list[Clash]:
    """The first `most` clashes, in the order of time."""
    busy: dict[tuple[Resource, str], Occurrence] = {}
    found: list[Clash] = []
    for lesson in sorted(lessons, key=lambda each: (each.starts_at, each.ends_at)):
        for need in _needs(lesson.entry):
            before = busy.get(need)
            if before is not None and before.ends_at > lesson.starts_at:
                found.append(Clash(*need, before, lesson))
                if len(found) == most:
                    return found
            if before is None or before.ends_at < lesson.ends_at:
                busy[need] = lesson
    return found


def _needs(entry: Entry) -> Iterator[tuple[Resource, str]]:
    if entry.teacher:
        yield Resource.TEACHER, entry.teacher
    for room in dict.fromkeys((entry.main_room, *entry.rooms)):
        yield Resource.ROOM, room
