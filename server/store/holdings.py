"""What the library holds, counted by kind: for totals and filters without a walk over every lesson.

Lessons of one room, teacher, subject and so on are one group. A county's 200,000 lessons make some thousand
groups, counted by the database at once; a library of LARGE and more is counted in the background, and what is
told of it is at most KEPT_S old.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from server.clock import Clock
from server.domain.visibility import Circle, Visibility
from server.store.database import Database
from server.store.library_records import LibraryQuery, LibrarySort, RecordedState
from server.store.tables import CATALOGUE, LISTED
from server.store.timetable_tables import BOOKINGS

KEPT_S = 10.0
LARGE = 20_000
"""Lessons that take the database about 50 ms to count."""
MOST_VALUES = 200
MOST_KEPT = 500
STATES = {
    RecordedState.READY: ("ready",),
    RecordedState.WORKING: ("recording", "finishing"),
    RecordedState.FAILED: ("failed",),
}
_KINDS = ("room", "visibility", "taught_by", "recording", "subject", "grade", "teacher", "school")
_OPEN = (Visibility.COUNTY, Visibility.PUBLIC)


@dataclass(frozen=True, slots=True)
class Group:
    """Lessons that are alike. `booked`: who was to teach them."""

    room: str
    visibility: Visibility
    taught_by: str
    booked: str
    recording: str
    words: dict[str, str]
    lessons: int

    def within(self, circle: Circle, *, owned: bool) -> bool:
        """As `listing` asks it of the database."""
        if self.room in circle.own:
            return True
        if circle.person and circle.person in (self.taught_by, self.booked):
            return True
        if owned:
            return False
        if self.visibility is Visibility.SCHOOL:
            return self.room in circle.school
        if self.visibility is Visibility.GROUP:
            return self.room in circle.school or self.room in circle.group
        return self.visibility in _OPEN


@dataclass(frozen=True, slots=True)
class Held:
    """How many fit, and the rooms they are of."""

    lessons: int
    rooms: frozenset[str]


class Holdings:
    """Counted once for everybody."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._groups: list[Group] = []
        self._mark: tuple[int, ...] | None = None
        self._counted_at = 0.0
        self._counting: asyncio.Task[None] | None = None
        self._answers: dict[object, object] = {}

    async def held(self, query: LibraryQuery) -> Held | None:
        """Whatever its text. None where the query asks for more than kinds: a time, a series, what somebody
        watched."""
        others = (query.series, query.from_ms, query.to_ms)
        if any(each is not None for each in others) or query.sort is LibrarySort.WATCHED:
            return None
        await self._fresh()
        words = tuple((name, frozenset(values)) for name, values in sorted(query.words.items()) if values)
        asked = ("held", query.reach, query.owned, words, query.rooms, query.states)
        found = self._answers.get(asked)
        if not isinstance(found, Held):
            fitting = [group for group in self._reached(query.reach, query.owned) if _fits(group, query)]
            found = Held(sum(each.lessons for each in fitting), frozenset(each.room for each in fitting))
            self._keep(asked, found)
        return found

    async def facet(self, name: str, reach: Circle | None) -> list[tuple[str, int]]:
        """A filter's values with how many lessons have each, the most frequent first."""
        await self._fresh()
        found = self._answers.get((name, reach))
        if not isinstance(found, list):
            count = Counter[str]()
            for group in self._reached(reach, owned=False):
                count[group.words[name]] += group.lessons
            del count[""]
            found = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]
            self._keep((name, reach), found)
        return found

    @property
    def lessons(self) -> int:
        """How many there are in all."""
        return sum(group.lessons for group in self._groups)

    async def close(self) -> None:
        """Counting ends."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)

    def _reached(self, reach: Circle | None, owned: bool) -> list[Group]:
        if reach is None:
            return self._groups
        found = self._answers.get(("reached", reach, owned))
        if not isinstance(found, list):
            found = [group for group in self._groups if group.within(reach, owned=owned)]
            self._keep(("reached", reach, owned), found)
        return found

    def _keep(self, asked: object, answer: object) -> None:
        if len(self._answers) >= MOST_KEPT:
            del self._answers[next(iter(self._answers))]
        self._answers[asked] = answer

    async def _fresh(self) -> None:
        mark = self._database.mark(CATALOGUE, BOOKINGS)
        if mark == self._mark:
            return
        slow, age_s = self.lessons > LARGE, self._clock.monotonic() - self._counted_at
        if self._counting is None or self._counting.done():
            if slow and age_s < KEPT_S:
                return
            self._counting = asyncio.create_task(self._count(), name="library count")
        if self._mark is None or not slow:
            await asyncio.shield(self._counting)

    async def _count(self) -> None:
        mark = self._database.mark(CATALOGUE, BOOKINGS)
        rows = await self._database.rows(_grouped())
        self._groups = [
            Group(
                row.room, Visibility(row.visibility), row.taught_by, row.booked or "", row.recording,
                {name: row._mapping[name] for name in _KINDS[4:]}, row.lessons,
            )
            for row in rows
        ]  # fmt: skip
        self._answers.clear()
        self._mark, self._counted_at = mark, self._clock.monotonic()


def _fits(group: Group, query: LibraryQuery) -> bool:
    if query.rooms and group.room not in query.rooms:
        return False
    if query.states and not any(group.recording in STATES[state] for state in query.states):
        return False
    return all(group.words[name] in values for name, values in query.words.items() if values)


def _grouped() -> Select[tuple[object, ...]]:
    kinds = [CATALOGUE.c[name] for name in _KINDS]
    return (
        select(*kinds, BOOKINGS.c.teacher.label("booked"), func.count().label("lessons"))
        .join_from(CATALOGUE, BOOKINGS, BOOKINGS.c.lesson == CATALOGUE.c.lesson, isouter=True)
        .where(LISTED)
        .group_by(*kinds, BOOKINGS.c.teacher)
    )
