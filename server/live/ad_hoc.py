"""The lesson that a main room has when nothing is booked: every receiving room, open to be joined."""

from __future__ import annotations

from collections.abc import Mapping

from server import ids
from server.config import Config
from server.domain import lesson as lessons
from server.domain.lesson import Lesson, LessonRules
from server.live.ports import Classroom
from server.protocol.capture import OF_ROOMS, USUAL
from server.protocol.messages import Words

SAMPLE_TITLE = Words(zh="三年级英语 · 第四单元", en="Grade 3 English · Unit 4")


def ad_hoc_lesson(config: Config, classrooms: Mapping[str, Classroom], main_room: str, now: int) -> Lesson:
    """A new lesson of this main room by the configuration's rules, open. `now`: milliseconds since 1970."""
    settings = config.lessons
    receiving = tuple(room.room for room in classrooms.values() if not room.main)
    name = classrooms[main_room].name
    title = Words(zh=f"{name.zh}的课", en=f"Lesson of {name.en}")
    return lessons.open_lesson(
        Lesson(
            id=ids.new_lesson_id(now),
            title=SAMPLE_TITLE if config.demo.enabled else title,
            main_room=main_room,
            rooms=receiving,
            created_at=now,
            recorded_rooms=frozenset(receiving) if settings.record_pupils else frozenset(),
            subjects=USUAL | OF_ROOMS if settings.record_pupils else USUAL,
            rules=LessonRules(
                minutes=settings.ad_hoc_minutes,
                notice_before_bell_ms=settings.notice_before_bell_s * 1000,
                countdown_ms=settings.closing_s * 1000,
                absence_ms=settings.main_away_closes_s * 1000,
            ),
        )
    )
