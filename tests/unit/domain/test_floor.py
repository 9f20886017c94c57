"""Who is heard and what every slot carries."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from server.domain import floor as floors
from server.domain import lesson as lessons
from server.domain.floor import Floor, assignments, slots_of, watcher_assignment
from server.domain.lesson import Lesson
from server.domain.teaching import teach
from server.errors import UserFault
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role, Words
from server.protocol.parameters import Source

CAMERA, CAMERA2, SCREEN, VOICE = Source.CAMERA, Source.CAMERA2, Source.SCREEN, Source.VOICE
ROOMS = ("luoping", "shahe", "yefan")
SENDS = {"main": {CAMERA, CAMERA2, SCREEN, VOICE}, **{room: {CAMERA, VOICE} for room in ROOMS}}


def live() -> Lesson:
    opened = lessons.open_lesson(Lesson("L1", Words("英语", "English"), "main", ROOMS))
    return lessons.start(opened, 0)


def of_room(lesson: Lesson, floor: Floor, room: str) -> floors.Assignment:
    return assignments(lesson, floor, SENDS, Role.ROOM, room)


def of_studio(lesson: Lesson, floor: Floor) -> floors.Assignment:
    return assignments(lesson, floor, SENDS, Role.TEACHER, "")


def test_nothing_flows_before_start_and_after_end() -> None:
    planned = Lesson("L1", Words("英语", "English"), "main", ROOMS)
    assert of_room(planned, Floor(), "shahe") == {}
    assert of_studio(lessons.end(live(), 1), Floor()) == {}


def test_rooms_see_and_hear_the_main_room_alone() -> None:
    assert of_room(live(), Floor(), "shahe") == {"stage": ("main", CAMERA), "main": ("main", VOICE)}


def test_the_studio_has_a_tile_for_each_room_and_hears_nobody() -> None:
    tiles = {f"tile{k}": (room, CAMERA) for k, room in enumerate(ROOMS, 1)}
    assert of_studio(live(), Floor()) == tiles


def test_the_called_room_is_heard_and_shown_to_all_but_itself() -> None:
    floor = floors.call_on(Floor(), "shahe", 5)
    assert of_studio(live(), floor)["stage"] == ("shahe", CAMERA)
    assert of_studio(live(), floor)["called"] == ("shahe", VOICE)
    assert of_room(live(), floor, "yefan")["stage"] == ("shahe", CAMERA)
    assert of_room(live(), floor, "yefan")["called"] == ("shahe", VOICE)
    assert of_room(live(), floor, "shahe") == {"stage": ("main", CAMERA), "main": ("main", VOICE)}


def test_a_second_call_closes_the_first() -> None:
    floor = floors.call_on(floors.call_on(Floor(), "shahe", 5), "yefan", 9)
    assert floor.called == "yefan"
    assert ("shahe", VOICE) not in of_studio(live(), floor).values()
    assert floor.last_called == {"shahe": 5, "yefan": 9}


def test_calling_on_a_room_lowers_its_hand_and_lifts_its_mute() -> None:
    floor = floors.mute(floors.raise_hand(Floor(), "shahe", 1), "shahe", True)
    floor = floors.call_on(floor, "shahe", 2)
    assert floor.hands == {}
    assert floor.heard() == ("shahe",)


def test_hands_keep_their_order_whoever_presses_twice() -> None:
    floor = floors.raise_hand(floors.raise_hand(Floor(), "yefan", 1), "shahe", 2)
    assert list(floors.raise_hand(floor, "yefan", 3).hands) == ["yefan", "shahe"]


def test_a_muted_room_is_not_heard_even_when_called() -> None:
    floor = floors.mute(floors.call_on(Floor(), "shahe", 1), "shahe", True)
    assert "called" not in of_studio(live(), floor)
    assert of_studio(live(), floor)["stage"] == ("shahe", CAMERA)


def test_a_called_room_without_a_camera_leaves_the_teacher_on_the_stage() -> None:
    sends = {**SENDS, "shahe": {VOICE}}
    floor = floors.call_on(Floor(), "shahe", 1)
    seen = assignments(live(), floor, sends, Role.ROOM, "yefan")
    assert seen["stage"] == ("main", CAMERA)
    assert seen["called"] == ("shahe", VOICE)


def test_courseware_and_second_camera_go_where_the_teacher_says() -> None:
    lesson = teach(live(), Floor(), m.Courseware(on=True), frozenset(), 1).lesson
    lesson = teach(lesson, Floor(), m.Stage(source=CAMERA2), frozenset(), 1).lesson
    seen = of_room(lesson, Floor(), "shahe")
    assert seen["screen"] == ("main", SCREEN)
    assert seen["stage"] == ("main", CAMERA2)


def test_a_camera_that_is_not_sent_is_replaced_by_the_other() -> None:
    lesson = teach(live(), Floor(), m.Stage(source=CAMERA2), frozenset(), 1).lesson
    seen = assignments(lesson, Floor(), {"main": {CAMERA, VOICE}}, Role.ROOM, "shahe")
    assert seen["stage"] == ("main", CAMERA)


def test_opened_rooms_are_heard_until_there_are_no_slots() -> None:
    floor = Floor()
    for room in ROOMS:
        floor = floors.open_voice(floor, room, True, floors.most_open(live()))
    assert of_studio(live(), floor)["open3"] == ("yefan", VOICE)
    with pytest.raises(UserFault, match="too_many_open"):
        floors.open_voice(floor, "more", True, floors.most_open(live()))


def test_the_screen_itself_cannot_be_staged_nor_a_stranger_called() -> None:
    with pytest.raises(UserFault, match="not_a_camera"):
        teach(live(), Floor(), m.Stage(source=SCREEN), frozenset(), 1)
    with pytest.raises(UserFault, match="no_such_room"):
        teach(live(), Floor(), m.CallOn(room="nowhere"), frozenset(ROOMS), 1)
    with pytest.raises(UserFault, match="room_away"):
        teach(live(), Floor(), m.CallOn(room="shahe"), frozenset(), 1)


def test_a_standard_viewer_gets_one_picture_and_the_voice_that_speaks() -> None:
    assert watcher_assignment(live(), Floor(), SENDS, None) == {
        "video": ("main", CAMERA),
        "main": ("main", VOICE),
    }
    called = floors.call_on(Floor(), "shahe", 1)
    assert watcher_assignment(live(), called, SENDS, CAMERA)["video"] == ("main", CAMERA)
    assert watcher_assignment(live(), called, SENDS, None)["video"] == ("shahe", CAMERA)
    assert watcher_assignment(live(), called, SENDS, None)["main"] == ("shahe", VOICE)
    assert "video" not in watcher_assignment(live(), called, SENDS, SCREEN)


def test_the_floor_comes_back_from_the_lessons_row_as_it_was() -> None:
    lesson = Lesson("L1", Words("课", "Lesson"), "main", ("a", "b", "c"))
    floor = floors.raise_hand(floors.raise_hand(Floor(), "b", 5), "a", 7)
    floor = floors.open_voice(floors.mute(floors.call_on(floor, "c", 9), "b", True), "a", True)
    row = msgspec.json.encode(floors.remembered(lesson, floor))
    back = floors.recalled(msgspec.json.decode(row, type=Lesson))
    assert back == floor
    assert list(back.hands) == ["b", "a"]


def test_a_studio_sees_its_own_rooms_cameras_before_start_and_hears_them_to_measure() -> None:
    """What comes of the main room without its page; nobody else is shown anything before Start."""
    lesson = replace(live(), state=LessonState.OPEN)
    boxes = {CAMERA, SCREEN, VOICE}
    own = assignments(lesson, Floor(), SENDS, Role.TEACHER, "main", boxes)
    assert own == {
        "tile_camera": ("main", CAMERA),
        "tile_screen": ("main", SCREEN),
        "own_voice": ("main", VOICE),
    }
    assert assignments(lesson, Floor(), SENDS, Role.ROOM, "shahe", boxes) == {}
    assert (
        assignments(replace(lesson, state=LessonState.ENDED), Floor(), SENDS, Role.TEACHER, "", boxes) == {}
    )
    names = dict(slots_of(Role.TEACHER, boxes=True))
    assert set(own) <= set(names)
    assert set(own).isdisjoint(dict(slots_of(Role.TEACHER)))
