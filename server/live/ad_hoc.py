"""The lesson that a main room has when nothing is booked, and the configuration's rules of a lesson's time.

An ad hoc lesson has no rooms until they are called and somebody there says yes (`live.calling`). The sample
county's lesson, and one that is started by REST, is booked on the spot with every receiving room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from server import ids
from server.config import Config
from server.domain import lesson as lessons
from server.domain.lesson import Lesson, LessonRules
from server.domain.rehearsal import acting_rooms
from server.domain.schedule import ScheduleRules
from server.domain.template import rules_of
from server.live.ports import Classroom
from server.protocol.capture import OF_ROOMS
from server.protocol.messages import LessonState, Words
from server.protocol.timetable import Template

REHEARSAL_TITLE = Words(zh="排练", en="Rehearsal")
SAMPLE_TITLE = Words(zh="三年级英语 · 第四单元", en="Grade 3 English · Unit 4")


def lesson_rules(config: Config) -> LessonRules:
    settings = config.lessons
    return LessonRules(
        minutes=settings.ad_hoc_minutes,
        notice_before_bell_ms=settings.notice_before_bell_s * 1000,
        countdown_ms=settings.closing_s * 1000,
        absence_ms=settings.main_away_closes_s * 1000,
    )


def schedule_rules(config: Config) -> ScheduleRules:
    settings = config.lessons
    return ScheduleRules(
        open_before_ms=settings.open_before_s * 1000,
        join_before_ms=settings.join_before_s * 1000,
        starts_itself=settings.start_at_bell,
    )


def prepared(lesson: Lesson, config: Config) -> Lesson:
    """A lesson that opens: by today's rules, and recording what its template says. A rehearsal without rooms
    has acting ones."""
    subjects, rehearses = rules_of(lesson.template).recorded, lesson.template is Template.REHEARSAL
    if config.lessons.record_pupils and subjects:
        subjects |= OF_ROOMS
    return lessons.open_lesson(
        replace(
            lesson,
            state=LessonState.PLANNED,
            rooms=lesson.rooms or (acting_rooms(lesson.main_room) if rehearses else ()),
            subjects=subjects,
            recorded=bool(subjects),
            recorded_rooms=frozenset(lesson.rooms) if subjects & OF_ROOMS else frozenset(),
            rules=lesson_rules(config),
        )
    )


def ad_hoc_lesson(config: Config, classrooms: Mapping[str, Classroom], main_room: str, now: int) -> Lesson:
    """A new lesson of this main room by the configuration's rules, open. `now`: milliseconds since 1970. In
    the sample county it is booked from now on."""
    name = classrooms[main_room].name
    lesson = Lesson(
        id=ids.new_lesson_id(now),
        title=Words(zh=f"{name.zh}的课", en=f"Lesson of {name.en}"),
        main_room=main_room,
        rooms=(),
        created_at=now,
    )
    if config.demo.enabled:
        lesson = booked_now(
            replace(lesson, title=SAMPLE_TITLE), receiving(classrooms), config.lessons.ad_hoc_minutes, now
        )
    return prepared(lesson, config)


def rehearsal_lesson(config: Config, main_room: str, now: int) -> Lesson:
    """A lesson with acting rooms alone, open: nobody booked it, and nothing of it is kept."""
    return prepared(
        Lesson(
            id=ids.new_lesson_id(now),
            title=REHEARSAL_TITLE,
            main_room=main_room,
            rooms=acting_rooms(main_room),
            created_at=now,
            template=Template.REHEARSAL,
        ),
        config,
    )


def receiving(classrooms: Mapping[str, Classroom]) -> tuple[str, ...]:
    """Every room without a studio, in the order of tiles."""
    return tuple(room.room for room in classrooms.values() if not room.main)


def booked_now(lesson: Lesson, rooms: tuple[str, ...], minutes: int, now: int) -> Lesson:
    """The lesson booked from now on with these rooms."""
    return replace(lesson, rooms=rooms, booked_from=now, booked_until=now + minutes * 60_000)
