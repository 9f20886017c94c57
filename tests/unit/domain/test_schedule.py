"""The bell: lessons open, start and are missed by the clock, once each, whatever is restarted when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.invitation import InvitationState, answer, invite, tick
from server.domain.schedule import (
    Booking,
    Due,
    ScheduleRules,
    Step,
    belongs_to,
    deadline,
    due,
    free_until,
    next_for,
    started_by_touch,
)
from server.errors import UserFault
from server.protocol.messages import LessonState

RULES = ScheduleRules()
MINUTE = 60_000
BELL = 1_788_220_800_000
ENGLISH = Booking("L1", "main", ("luoping", "shahe"), BELL, BELL + 40 * MINUTE)
MUSIC = Booking("L2", "second", ("shahe", "yefan"), BELL + 45 * MINUTE, BELL + 85 * MINUTE)
DONE = {Step.OPEN: LessonState.OPEN, Step.START: LessonState.LIVE, Step.MISS: LessonState.ENDED}


def test_a_lesson_opens_a_quarter_of_an_hour_before_its_bell() -> None:
    assert due([ENGLISH], BELL - 15 * MINUTE - 1, RULES) == []
    assert deadline([ENGLISH], BELL - 15 * MINUTE - 1, RULES) == BELL - 15 * MINUTE
    assert due([ENGLISH], BELL - 15 * MINUTE, RULES) == [Due(Step.OPEN, "L1")]


def test_at_the_bell_it_starts_where_the_studio_is_open_and_waits_where_it_is_not() -> None:
    opened = replace(ENGLISH, state=LessonState.OPEN)
    assert due([opened], BELL, RULES) == []
    there = replace(opened, studio_here=True)
    assert due([there], BELL - 1, RULES) == []
    assert due([there], BELL, RULES) == [Due(Step.START, "L1")]
    assert due([there], BELL, ScheduleRules(starts_itself=False)) == []


def test_a_lesson_that_never_began_is_missed_at_its_end() -> None:
    assert due([ENGLISH], ENGLISH.ends_at, RULES) == [Due(Step.MISS, "L1")]
    assert due([replace(ENGLISH, state=LessonState.LIVE)], ENGLISH.ends_at, RULES) == []


def test_start_takes_the_booked_lesson_near_it_and_else_none() -> None:
    for now in (BELL - 15 * MINUTE, BELL + 39 * MINUTE):
        assert started_by_touch([MUSIC, ENGLISH], "main", now, RULES) == ENGLISH
    assert started_by_touch([ENGLISH], "main", BELL - 16 * MINUTE, RULES) is None
    assert started_by_touch([ENGLISH], "second", BELL, RULES) is None


def test_a_room_joins_three_minutes_early_and_stays_while_the_lesson_goes_on() -> None:
    assert belongs_to([ENGLISH], "shahe", BELL - 3 * MINUTE - 1, RULES) is None
    assert belongs_to([ENGLISH], "shahe", BELL - 3 * MINUTE, RULES) == ENGLISH
    extended = replace(ENGLISH, state=LessonState.LIVE)
    assert belongs_to([extended, MUSIC], "shahe", MUSIC.starts_at, RULES) == extended
    assert belongs_to([replace(ENGLISH, state=LessonState.ENDED)], "shahe", BELL, RULES) is None
    assert belongs_to([ENGLISH], "main", BELL, RULES) is None


def test_a_rooms_next_lesson_counts_in_whichever_role() -> None:
    assert next_for([MUSIC, ENGLISH], "shahe", BELL) == MUSIC
    assert next_for([MUSIC, ENGLISH], "main", BELL - 1) == ENGLISH
    assert next_for([ENGLISH], "main", BELL) is None


def test_a_lesson_is_extended_only_until_one_of_its_rooms_is_booked() -> None:
    assert free_until([ENGLISH, MUSIC], ENGLISH, BELL) == MUSIC.starts_at
    assert free_until([ENGLISH, replace(MUSIC, rooms=("yefan",))], ENGLISH, BELL) is None
    assert free_until([ENGLISH, replace(MUSIC, state=LessonState.ENDED)], ENGLISH, BELL) is None


bookings = st.lists(
    st.builds(
        lambda number, start, length, here: Booking(
            f"L{number}",
            f"m{number % 3}",
            ("a",),
            start * MINUTE,
            (start + length) * MINUTE,
            studio_here=here,
        ),
        st.integers(0, 10_000),
        st.integers(20, 300),
        st.integers(1, 60),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda booking: booking.lesson,
)


@given(bookings, st.lists(st.integers(0, 90 * MINUTE), max_size=6))
def test_by_its_own_deadlines_and_any_restarts_each_lesson_ends_up_begun_or_missed_once(
    planned: list[Booking], outages: list[int]
) -> None:
    """The clock jumps from deadline to deadline; an outage makes it jump over some of them."""
    lessons, now, told = {booking.lesson: booking for booking in planned}, 0, []
    while (moment := deadline(lessons.values(), now, RULES)) is not None:
        now = moment + (outages.pop() if outages else 0)
        while found := due(lessons.values(), now, RULES):
            for each in found:
                told.append(each)
                lessons[each.lesson] = replace(lessons[each.lesson], state=DONE[each.step])
    assert len(told) == len(set(told))
    for lesson in lessons.values():
        assert lesson.state in (LessonState.LIVE, LessonState.ENDED)
        if not lesson.studio_here:
            assert lesson.state is LessonState.ENDED


def test_an_invitation_is_answered_in_the_room_or_expires() -> None:
    asked = invite("L1", "shahe", frozenset({"shahe"}), BELL)
    assert answer(asked, True, BELL + 59_999).state is InvitationState.ACCEPTED
    assert answer(asked, False, BELL).state is InvitationState.DECLINED
    assert answer(asked, True, BELL + 60_000).state is InvitationState.EXPIRED
    assert answer(answer(asked, False, BELL), True, BELL).state is InvitationState.DECLINED
    assert tick(asked, BELL + 60_000).state is InvitationState.EXPIRED


def test_a_room_that_did_not_allow_it_cannot_be_invited() -> None:
    with pytest.raises(UserFault):
        invite("L1", "shahe", frozenset({"luoping"}), BELL)
