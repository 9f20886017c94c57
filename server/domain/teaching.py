"""What the teacher's and the rooms' messages do to a lesson and its floor. Pure; `now` in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from server.domain import floor as floors
from server.domain import lesson as lessons
from server.domain.floor import Floor
from server.domain.lesson import Lesson, LessonNotice
from server.domain.template import rules_of
from server.errors import UserFault
from server.protocol import messages as m
from server.protocol.capture import PauseRecording, Recordable, RecordSubjects
from server.protocol.parameters import Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """The lesson and floor afterwards; `marks`: (kind, values) for the recording's time bar; `notices`: for
    every page."""

    lesson: Lesson
    floor: Floor
    marks: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    notices: list[tuple[LessonNotice, dict[str, str]]] = field(default_factory=list)


Teaching = (
    m.Start
    | m.End
    | m.Extend
    | m.CallOn
    | m.Mute
    | m.OpenVoice
    | m.Stage
    | m.Courseware
    | m.LowerHand
    | RecordSubjects
    | PauseRecording
)


def teach(lesson: Lesson, floor: Floor, message: Teaching, present: frozenset[str], now: int) -> Outcome:
    """Carry out the teacher's message. `present`: receiving rooms that are connected. UserFault, with words,
    where it cannot be."""
    match message:
        case m.Start():
            return Outcome(lessons.start(lesson, now), _first_floor(lesson, floor))
        case m.End():
            return Outcome(lessons.end(lesson, now), Floor(), notices=[(LessonNotice.ENDED, {})])
        case m.Extend(minutes=minutes):
            extended = lessons.extend(lesson, minutes, now)
            more_ms = (extended.ends_at or now) - max(lesson.ends_at or now, now)
            told = [(LessonNotice.EXTENDED, {"minutes": str(max(1, round(more_ms / 60_000)))})]
            return Outcome(extended, floor, notices=told)
        case m.CallOn(room=room):
            return _call_on(lesson, floor, room, present, now)
        case m.Mute(room=room, muted=muted):
            mouth = room if room == lesson.main_room else _seat(lesson, room)
            return Outcome(lesson, floors.mute(floor, mouth, muted))
        case m.OpenVoice(room=room, open=opened):
            most = floors.most_open(lesson)
            return Outcome(lesson, floors.open_voice(floor, _seat(lesson, room), opened, most))
        case m.Stage(source=source):
            return Outcome(_staged(lesson, source), floor, [("stage", {"source": source})])
        case m.Courseware(on=on):
            return _courseware(lesson, floor, on)
        case RecordSubjects(subjects=subjects):
            return _record(lesson, floor, frozenset(subjects))
        case PauseRecording(paused=paused):
            marks = [("recording_paused" if paused else "recording_resumed", dict[str, str]())]
            changed = lessons.pause_recording(lesson, paused)
            return Outcome(changed, floor, marks if changed != lesson else [])
        case m.LowerHand(room=room):
            return Outcome(lesson, floors.lower_hand(floor, room))


def _first_floor(lesson: Lesson, floor: Floor) -> Floor:
    """In a talk among equals every voice is open from the start, as far as there are places."""
    if not rules_of(lesson.template).open_voices:
        return floor
    return replace(floor, opened=lesson.rooms[: floors.most_open(lesson)])


def _record(lesson: Lesson, floor: Floor, subjects: frozenset[Recordable]) -> Outcome:
    if not subjects <= rules_of(lesson.template).recordable:
        raise UserFault(
            "not_to_be_recorded",
            zh="这种课不录制，什么都不会存下来。",
            en="This kind of lesson is not recorded: nothing of it is kept.",
        )
    changed = lessons.record(lesson, subjects)
    said = {"subjects": " ".join(sorted(subjects))}
    return Outcome(changed, floor, [("record", said)] if changed != lesson else [])


def _seat(lesson: Lesson, room: str) -> str:
    if room not in lesson.seats:
        raise UserFault("no_such_room", zh="这节课没有这个教室。", en="This lesson has no such room.")
    return room


def _on_air(lesson: Lesson) -> None:
    if not lesson.on_air:
        raise UserFault("not_on_air", zh="还没有上课。", en="The lesson is not on the air.")


def _call_on(lesson: Lesson, floor: Floor, room: str | None, present: frozenset[str], now: int) -> Outcome:
    _on_air(lesson)
    if room is None:
        marks = [("call_ended", {"room": floor.called})] if floor.called else []
        return Outcome(lesson, floors.call_on(floor, None, now), marks)
    if _seat(lesson, room) not in present:
        raise UserFault("room_away", zh="这个教室还没有连上。", en="This room is not connected.")
    return Outcome(lesson, floors.call_on(floor, room, now), [("called", {"room": room})])


def _staged(lesson: Lesson, source: Source) -> Lesson:
    if source not in (Source.CAMERA, Source.CAMERA2):
        raise UserFault("not_a_camera", zh="请选择一个摄像头。", en="Choose one of the cameras.")
    return replace(lesson, stage=source)


def _courseware(lesson: Lesson, floor: Floor, on: bool) -> Outcome:
    if lesson.state is m.LessonState.ENDED:
        raise UserFault("not_on_air", zh="课已经结束了。", en="The lesson is over.")
    return Outcome(replace(lesson, courseware=on), floor, [("courseware", {"on": str(on).lower()})])
