"""Entries become lessons; two that need one teacher or room at one time are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from zoneinfo import ZoneInfo

from server.domain.calendar import Bell, Bells, Calendar, Term
from server.domain.timetable import Entry, Occurrence, Resource, clashes, occurrences

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(Term("autumn", date(2026, 8, 31), 4))
BELLS = Bells(tuple(Bell(n, time(8 + n), time(8 + n, 40)) for n in range(1, 6)))
ENGLISH = Entry("english", "li", "main", ("luoping", "shahe"), 2, 3, 3, frozenset({1, 3}))


def lessons(*entries: Entry) -> list[Occurrence]:
    return [lesson for entry in entries for lesson in occurrences(entry, CALENDAR, BELLS, ZONE)]


def test_an_entry_gives_a_lesson_on_each_of_its_days_at_its_bell() -> None:
    days = [(lesson.day, lesson.ends_at - lesson.starts_at) for lesson in lessons(ENGLISH)]
    assert days == [(date(2026, 9, 1), 40 * 60_000), (date(2026, 9, 15), 40 * 60_000)]


def test_a_period_that_the_school_does_not_have_gives_none() -> None:
    assert lessons(replace(ENGLISH, first=6, last=6)) == []


def test_a_receiving_room_is_not_in_two_lessons_at_once_nor_main_in_one_of_them() -> None:
    other = replace(ENGLISH, teacher="wang", main_room="second", rooms=("shahe", "main"))
    found = clashes(lessons(ENGLISH, other))
    assert {(clash.resource, clash.name) for clash in found} == {
        (Resource.ROOM, "shahe"),
        (Resource.ROOM, "main"),
    }
    assert len(found) == 4


def test_a_teacher_is_in_one_room_at_a_time() -> None:
    other = replace(ENGLISH, main_room="second", rooms=("yefan",))
    assert {clash.resource for clash in clashes(lessons(ENGLISH, other))} == {Resource.TEACHER}


def test_odd_and_even_weeks_and_lessons_back_to_back_do_not_clash() -> None:
    even = replace(ENGLISH, weeks=frozenset({2, 4}))
    after = replace(ENGLISH, first=4, last=4)
    assert clashes(lessons(ENGLISH, even, after)) == []


def test_a_long_lesson_clashes_with_each_that_it_covers() -> None:
    long = replace(ENGLISH, teacher="wang", main_room="second", rooms=("shahe",), first=2, last=5)
    within = [replace(ENGLISH, first=n, last=n, weeks=frozenset({1})) for n in (3, 5)]
    assert len(clashes(lessons(replace(long, weeks=frozenset({1})), *within))) == 2


def test_clashes_are_bounded() -> None:
    assert len(clashes(lessons(*[ENGLISH] * 100), most=7)) == 7
