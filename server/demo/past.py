"""Lessons of past years of the sample county: titles, times, catalogue words, always the same (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from server.demo.county import County
from server.domain.lesson import Lesson
from server.domain.org import UnitKind
from server.protocol.messages import LessonState, Words

SUBJECTS = (
    ("语文", "Chinese"), ("数学", "Mathematics"), ("英语", "English"), ("音乐", "Music"), ("美术", "Art"),
    ("科学", "Science"), ("体育", "Sports"), ("道德与法治", "Ethics"),
)  # fmt: skip
TOPICS = (
    ("我的家乡", "My home town"), ("长方形的面积", "Area of a rectangle"), ("茉莉花", "Jasmine Flower"),
    ("分数的意义", "What a fraction is"), ("望庐山瀑布", "The waterfall of Mount Lu"), ("水的循环", "Water"),
    ("认识时间", "Telling the time"), ("草船借箭", "Borrowing arrows"), ("春天在哪里", "Where is spring"),
    ("校园里的植物", "Plants of our school"), ("问路", "Asking the way"), ("四季歌", "Song of the seasons"),
)  # fmt: skip
GRADES = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级")
PERIODS = (480, 530, 590, 640, 840, 890)  # minutes after midnight
LESSON_MIN = 40
DAY_MS = 86_400_000
UTC_OFFSET_MIN = 480


@dataclass(frozen=True, slots=True)
class PastLesson:
    """A lesson that was, and what the catalogue says of it; `seconds`: of its recording."""

    lesson: Lesson
    subject: str
    grade: str
    teacher: str
    school: str
    seconds: float


def past_lessons(county: County, number: int, until: date, seed: int = 1) -> Iterator[PastLesson]:
    """The newest first, on school days before `until`, six a day in each teaching room."""
    chance = Random(seed)
    names = {unit.id: unit.name(until) for unit in county.units}
    schools = {unit.id: names[unit.parent(until)].zh for unit in county.units if unit.kind is UnitKind.ROOM}
    teachers = [resident.name.zh for resident in county.people[-len(county.taught) * 4 :]]
    day, made = until, 0
    while made < number:
        day -= timedelta(days=1)
        if day.weekday() > 4:
            continue
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
        for place, (main, rooms) in enumerate(county.taught.items()):
            for period, minute in enumerate(PERIODS):
                if made == number:
                    return
                began = midnight + (minute - UTC_OFFSET_MIN) * 60_000
                teacher = teachers[(place * 4 + period) % len(teachers)]
                yield _lesson(made, main, rooms, began, schools[main], teacher, chance)
                made += 1


def _lesson(
    number: int, main: str, rooms: tuple[str, ...], began: int, school: str, teacher: str, chance: Random
) -> PastLesson:
    subject, topic, unit = chance.choice(SUBJECTS), chance.choice(TOPICS), chance.randrange(1, 13)
    title = Words(zh=f"{subject[0]} · {topic[0]} 第{unit}单元", en=f"{subject[1]} · {topic[1]}, unit {unit}")
    seconds = LESSON_MIN * 60 + chance.randrange(-90, 180)
    lesson = Lesson(
        id=f"D{number:08d}",
        title=title,
        main_room=main,
        rooms=rooms,
        state=LessonState.ENDED,
        created_at=began - 900_000,
        started_at=began,
        ended_at=began + seconds * 1000,
    )
    return PastLesson(lesson, subject[0], chance.choice(GRADES), teacher, school, float(seconds))
