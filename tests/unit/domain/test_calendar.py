"""Weeks, periods, bells, swaps: what a county's calendar says."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from server.domain.calendar import (
    BadCalendar,
    Bell,
    Bells,
    Calendar,
    Term,
    moment,
    periods_of,
    weeks_of,
    weeks_text,
)

TERM = Term("autumn", date(2026, 8, 31), 20)
EVERY = frozenset(range(1, 21))


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("1-16周(单)", set(range(1, 17, 2))),
        ("1-16周（双周）", set(range(2, 17, 2))),
        ("1-8,10-16周", {*range(1, 9), *range(10, 17)}),
        ("1－４、6周", {1, 2, 3, 4, 6}),
        ("第3周", {3}),
        ("双周", set(range(2, 21, 2))),
        ("单", set(range(1, 21, 2))),
        ("", set(range(1, 21))),
    ],
)
def test_weeks_are_read_as_schools_write_them(text: str, weeks: set[int]) -> None:
    assert weeks_of(text, 20) == weeks


@pytest.mark.parametrize(
    "text", ["每周", "0周", "5-3周", "21周", "1-99周", "二", "2周(单)", "1--3周", "+1周", "²周"]
)
def test_what_names_no_weeks_of_the_term_is_told_in_words(text: str) -> None:
    with pytest.raises(BadCalendar) as caught:
        weeks_of(text, 20)
    assert text in caught.value.words.zh
    assert text in caught.value.words.en


@pytest.mark.parametrize(
    ("text", "periods"), [("3-4节", (3, 4)), ("第3节", (3, 3)), ("3", (3, 3)), (" 第 3 至 4 节", (3, 4))]
)
def test_periods_are_read_as_schools_write_them(text: str, periods: tuple[int, int]) -> None:
    assert periods_of(text) == periods


@pytest.mark.parametrize("text", ["", "节", "4-3节", "0", "21", "三"])
def test_what_names_no_periods_is_told_in_words(text: str) -> None:
    with pytest.raises(BadCalendar):
        periods_of(text)


@pytest.mark.parametrize(
    ("weeks", "text"),
    [(EVERY, ""), ({1, 3, 5}, "1-5周(单)"), ({2, 4}, "2-4周(双)"), ({1, 2, 5}, "1-2,5周"), ({7}, "7周")],
)
def test_weeks_are_written_as_short_as_can_be(weeks: set[int], text: str) -> None:
    assert weeks_text(weeks, 20) == text


def test_a_swapped_day_runs_the_other_days_timetable_and_a_holiday_none() -> None:
    thursday, saturday = date(2026, 10, 1), date(2026, 10, 10)
    calendar = Calendar(TERM, {thursday: None, saturday: thursday})
    taught = list(calendar.teaching_days(4, EVERY))
    assert thursday not in taught
    assert saturday in taught
    assert len(taught) == 20
    assert list(calendar.teaching_days(6, frozenset({6}))) == []


def test_a_swap_keeps_the_week_of_the_day_it_runs() -> None:
    moved = Calendar(TERM, {date(2026, 9, 19): date(2026, 9, 7)})  # a Saturday of week 3 runs week 2
    assert date(2026, 9, 19) in list(moved.teaching_days(1, frozenset({2})))
    assert date(2026, 9, 19) not in list(moved.teaching_days(1, frozenset({3})))


def test_a_date_outside_the_term_has_no_place_in_it() -> None:
    assert TERM.place(date(2026, 8, 30)) is None
    assert TERM.place(date(2026, 8, 31)) == (1, 1)
    assert TERM.place(TERM.day(20, 7)) == (20, 7)
    assert TERM.place(date(2027, 1, 18)) is None


def test_a_term_begins_on_a_monday_and_has_weeks() -> None:
    with pytest.raises(BadCalendar):
        Term("t", date(2026, 9, 1), 20)
    with pytest.raises(BadCalendar):
        Term("t", date(2026, 8, 31), 0)


def test_bells_that_overlap_are_refused() -> None:
    with pytest.raises(BadCalendar, match="overlaps"):
        Bells((Bell(1, time(8), time(8, 40)), Bell(2, time(8, 30), time(9, 10))))
    with pytest.raises(BadCalendar, match="in order"):
        Bells((Bell(2, time(8), time(8, 40)), Bell(1, time(9), time(9, 40))))


def test_a_span_of_periods_runs_from_the_first_bell_to_the_last() -> None:
    bells = Bells((Bell(1, time(8), time(8, 40)), Bell(2, time(8, 50), time(9, 30))))
    assert bells.span(1, 2) == (time(8), time(9, 30))
    assert bells.span(2, 3) is None


def test_a_moment_is_the_countys_wall_clock() -> None:
    assert moment(date(2026, 9, 1), time(8), ZoneInfo("Asia/Shanghai")) == 1_788_220_800_000
