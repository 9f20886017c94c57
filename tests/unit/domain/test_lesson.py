"""The lesson's table, the bell and the teacher's absence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain import lesson as lessons
from server.domain.lesson import TRANSITIONS, Lesson, LessonEvent, LessonNotice, WrongMoment
from server.errors import UserFault
from server.protocol.messages import LessonState, Words

T0 = 1_800_000_000_000
MINUTE = 60_000


def planned() -> Lesson:
    return Lesson("L1", Words("英语", "English"), "main", ("a", "b"), created_at=T0)


def live() -> Lesson:
    return lessons.start(lessons.open_lesson(planned()), T0)


def test_every_state_and_event_has_a_place_or_names_both_in_its_error() -> None:
    for state in LessonState:
        for event in LessonEvent:
            lesson = replace(planned(), state=state)
            if event in TRANSITIONS[state]:
                assert lessons._to(lesson, event).state is TRANSITIONS[state][event]
            else:
                with pytest.raises(WrongMoment) as caught:
                    lessons._to(lesson, event)
                assert caught.value.state is state
                assert caught.value.event is event


def test_start_is_one_touch_from_open_and_sets_the_bell() -> None:
    lesson = live()
    assert lesson.state is LessonState.LIVE
    assert lesson.on_air
    assert lesson.ends_at == T0 + 60 * MINUTE


def test_notice_bell_and_countdown_come_in_turn_and_only_once() -> None:
    lesson, bell = live(), T0 + 60 * MINUTE
    assert lessons.tick(lesson, bell - 2 * MINUTE - 1) == (lesson, [])
    lesson, told = lessons.tick(lesson, bell - 2 * MINUTE)
    assert told == [LessonNotice.BELL_SOON]
    assert lessons.tick(lesson, bell - 1)[1] == []
    lesson, told = lessons.tick(lesson, bell)
    assert told == [LessonNotice.BELL]
    assert lesson.state is LessonState.CLOSING
    assert lesson.closes_at == bell + MINUTE
    lesson, told = lessons.tick(lesson, bell + MINUTE)
    assert told == [LessonNotice.ENDED]
    assert lesson.state is LessonState.ENDED
    assert lesson.ended_at == bell + MINUTE
    assert lessons.deadline(lesson) is None


def test_five_more_minutes_stop_the_countdown_and_give_a_new_notice() -> None:
    lesson, _ = lessons.tick(live(), T0 + 60 * MINUTE)
    assert lesson.state is LessonState.CLOSING
    lesson = lessons.extend(lesson, 5, T0 + 60 * MINUTE + 10_000)
    assert lesson.state is LessonState.LIVE
    assert lesson.closes_at is None
    assert lesson.ends_at == T0 + 65 * MINUTE + 10_000
    assert lessons.tick(lesson, lesson.ends_at - MINUTE)[1] == [LessonNotice.BELL_SOON]


@pytest.mark.parametrize("minutes", [0, -5, 61])
def test_an_extension_is_one_to_sixty_minutes(minutes: int) -> None:
    with pytest.raises(UserFault, match="bad_minutes"):
        lessons.extend(live(), minutes, T0)


def test_extensions_end_at_the_longest_lesson() -> None:
    lesson = live()
    for _ in range(5):
        lesson = lessons.extend(lesson, 60, T0)
    with pytest.raises(UserFault, match="too_long"):
        lessons.extend(lesson, 60, T0)


def test_a_teacher_who_comes_back_is_live_without_a_second_start() -> None:
    lesson = lessons.main_away(live(), T0 + MINUTE)
    assert lesson.main_away_since == T0 + MINUTE
    assert lessons.main_away(lesson, T0 + 2 * MINUTE).main_away_since == T0 + MINUTE
    back = lessons.main_back(lesson)
    assert back.state is LessonState.LIVE
    assert back.main_away_since is None


def test_a_lesson_closes_after_some_minutes_without_its_teacher() -> None:
    lesson = lessons.main_away(live(), T0 + MINUTE)
    patience = lesson.rules.absence_ms
    assert lessons.tick(lesson, T0 + MINUTE + patience - 1)[0].on_air
    lesson, told = lessons.tick(lesson, T0 + MINUTE + patience)
    assert lesson.state is LessonState.ENDED
    assert told == [LessonNotice.ENDED]


def test_what_is_over_cannot_be_ended_again() -> None:
    over = lessons.end(live(), T0 + MINUTE)
    with pytest.raises(WrongMoment, match="wrong_moment"):
        lessons.end(over, T0 + MINUTE)


def test_a_lesson_found_long_after_its_bell_ended_when_it_was_last_alive() -> None:
    lesson = lessons.start(lessons.open_lesson(Lesson("L1", Words("课", "Lesson"), "main", ())), 1_000)
    bell = lesson.ends_at
    assert bell is not None
    late = bell + lesson.rules.overslept_ms
    alive = replace(lesson, alive_at=61_000)
    assert lessons.found_again(alive, late) == alive, "soon after its bell it rings as ever"
    over = lessons.found_again(alive, late + 1)
    assert (over.state, over.ended_at) == (LessonState.ENDED, 61_000)
    assert lessons.found_again(lesson, late + 1).ended_at == bell, "nothing is known of its life"
    assert lessons.found_again(over, late + 2) == over
