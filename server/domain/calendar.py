"""Terms, weeks, bells and swapped days: which lesson of the week falls on which date (pure).

A week is counted from the term's first Monday, beginning with 1; weekdays are 1 (Monday) to 7. A *swap*
(调课) makes a date run another day's timetable, or none at all; so a make-up Saturday is the swap of that
Saturday to the Thursday it replaces, and a holiday is a swap to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from server.errors import UserFault

MOST_WEEKS = 30
MOST_PERIODS = 20


class BadCalendar(UserFault):
    """A term, a bell or a text that names no weeks or periods."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of `weeks` weeks from `first_monday` on."""

    id: str
    first_monday: date
    weeks: int

    def __post_init__(self) -> None:
        if self.first_monday.isoweekday() != 1:
            raise BadCalendar("term_monday", zh="学期从星期一开始。", en="A term begins on a Monday.")
        if not 1 <= self.weeks <= MOST_WEEKS:
            raise BadCalendar(
                "term_weeks",
                zh=f"学期为 1 至 {MOST_WEEKS} 周。",
                en=f"A term has 1 to {MOST_WEEKS} weeks.",
            )

    def day(self, week: int, weekday: int) -> date:
        """The date of a weekday of a week, both from 1 on."""
        return self.first_monday + timedelta(days=(week - 1) * 7 + weekday - 1)

    def place(self, day: date) -> tuple[int, int] | None:
        """(week, weekday) of a date; None outside the term."""
        days = (day - self.first_monday).days
        return (days // 7 + 1, days % 7 + 1) if 0 <= days < self.weeks * 7 else None


@dataclass(frozen=True, slots=True)
class Bell:
    """One period (节次) of a school's day."""

    period: int
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Bells:
    """A school's day: its periods in order, none overlapping another."""

    bells: tuple[Bell, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.bells) <= MOST_PERIODS:
            raise BadCalendar(
                "bells_count",
                zh=f"每天 1 至 {MOST_PERIODS} 节。",
                en=f"A day has 1 to {MOST_PERIODS} periods.",
            )
        before: Bell | None = None
        for bell in self.bells:
            if bell.ends <= bell.begins or (before and bell.begins < before.ends):
                raise BadCalendar(
                    "bells_overlap",
                    zh=f"第 {bell.period} 节的时间与前一节重叠，或结束早于开始。",
                    en=f"Period {bell.period} overlaps the one before it, or ends before it begins.",
                )
            if before and bell.period <= before.period:
                raise BadCalendar("bells_order", zh="节次须从小到大。", en="Periods must be in order.")
            before = bell

    def span(self, first: int, last: int) -> tuple[time, time] | None:
        """From the first period's bell to the last one's end; None where the school has no such period."""
        known = {bell.period: bell for bell in self.bells}
        if first not in known or last not in known:
            return None
        return known[first].begins, known[last].ends


@dataclass(frozen=True, slots=True)
class Calendar:
    """A term with its swaps: `swaps` maps a date to the date whose timetable it runs, or to None."""

    term: Term
    swaps: Mapping[date, date | None] = field(default_factory=dict)

    def teaching_days(self, weekday: int, weeks: frozenset[int]) -> Iterator[date]:
        """The dates on which what stands in the timetable for this weekday of these weeks is taught."""
        held = range(1, self.term.weeks + 1)
        days = {self.term.day(week, weekday) for week in weeks if week in held} - self.swaps.keys()
        for day, runs in self.swaps.items():
            place = self.term.place(runs) if runs is not None else None
            if place is not None and place[1] == weekday and place[0] in weeks and self.term.place(day):
                days.add(day)
        yield from sorted(days)


def moment(day: date, at: time, zone: ZoneInfo) -> int:
    """Milliseconds since 1970 of a county's wall clock."""
    return int(datetime.combine(day, at, zone).timestamp() * 1000)


_WIDE = str.maketrans("０１２３４５６７８９（），、；～—－", "0123456789(),,;~--")
_RANGE = re.compile(r"(\d{1,2})(?:[-~至到](\d{1,2}))?")
_WEEKS = re.compile(
    r"第?(?P<ranges>[\d,\-~至到]*)周?(?:\((?P<bracket>[单双])周?\)|(?P<bare>[单双])周?)?", re.ASCII
)
_PERIODS = re.compile(r"第?(\d{1,2})(?:[-~至到,](\d{1,2}))?节?")


def weeks_of(text: str, term_weeks: int) -> frozenset[int]:
    """The weeks that a text of a timetable names: "1-16周(单)", "1-8,10-16周", "双周", "第3周"; all weeks
    of the term where it is empty. BadCalendar for every other text and for weeks outside the term."""
    plain = re.sub(r"\s+", "", text.translate(_WIDE))
    match = _WEEKS.fullmatch(plain)
    if match is None:
        raise _bad_weeks(text)
    weeks = set(_numbers(match["ranges"], text)) or set(range(1, term_weeks + 1))
    if max(weeks) > term_weeks or min(weeks) < 1:
        raise BadCalendar(
            "weeks_outside",
            zh=f"“{text[:40]}”超出本学期的 {term_weeks} 周。",
            en=f'"{text[:40]}" is outside the {term_weeks} weeks of the term.',
        )
    odd_even = match["bracket"] or match["bare"]
    if odd_even:
        weeks = {week for week in weeks if (week % 2 == 1) == (odd_even == "单")}
    if not weeks:
        raise _bad_weeks(text)
    return frozenset(weeks)


def periods_of(text: str) -> tuple[int, int]:
    """First and last period of "3-4节", "第3节", "3". BadCalendar for every other text."""
    match = _PERIODS.fullmatch(re.sub(r"\s+", "", text.translate(_WIDE)))
    first = int(match[1]) if match else 0
    last = int(match[2] or match[1]) if match else 0
    if not 1 <= first <= last <= MOST_PERIODS:
        raise BadCalendar(
            "bad_periods",
            zh=f"看不懂节次“{text[:40]}”，请写成“3-4节”。",
            en=f'"{text[:40]}" names no periods; write it like "3-4节".',
        )
    return first, last


def weeks_text(weeks: Iterable[int], term_weeks: int) -> str:
    """The shortest of the texts that `weeks_of` reads back as these weeks; "" for all of them."""
    wanted = frozenset(weeks)
    if wanted == frozenset(range(1, term_weeks + 1)):
        return ""
    low, high = min(wanted), max(wanted)
    for mark, step_from in (("", 0), ("(单)", 1), ("(双)", 2)):
        whole = {week for week in range(low, high + 1) if not step_from or week % 2 == step_from % 2}
        if whole == wanted:
            return f"{low}-{high}周{mark}" if high > low else f"{low}周"
    return ",".join(_runs(sorted(wanted))) + "周"


def _runs(numbers: list[int]) -> Iterator[str]:
    start = before = numbers[0]
    for number in [*numbers[1:], -1]:
        if number != before + 1:
            yield str(start) if start == before else f"{start}-{before}"
            start = number
        before = number


def _numbers(ranges: str, text: str) -> Iterator[int]:
    for part in ranges.split(",") if ranges else ():
        match = _RANGE.fullmatch(part)
        if match is None:
            raise _bad_weeks(text)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise _bad_weeks(text)
        yield from range(first, last + 1)


def _bad_weeks(text: str) -> BadCalendar:
    return BadCalendar(
        "bad_weeks",
        zh=f"看不懂周次“{text[:40]}”，请写成“1-16周(单)”。",
        en=f'"{text[:40]}" names no weeks; write it like "1-16周(单)".',
    )
