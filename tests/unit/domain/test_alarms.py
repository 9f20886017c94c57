"""What is told before the bell, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain.alarms import Due, RoomFacts, Server, alarms
from server.domain.box_check import AGAIN_MS, BoxCheck, is_due, judged
from server.protocol.devices import AlarmKind, Heard, LastFault
from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint
from server.protocol.timetable import Template
from server.protocol.words import Words

NOW = 1_800_000_000_000
MINUTE = 60_000
WELL = RoomFacts("shahe", online_since=NOW - 9 * MINUTE, cameras=1, microphones=1, heard=Heard.HEARD)
NEXT = Due("L1", NOW + 5 * MINUTE, ("shahe",))


def kinds(room: RoomFacts, due: Due = NEXT) -> list[AlarmKind]:
    return [one.kind for one in alarms([room], [due], Server(), NOW)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"online_since": None, "seen_at": NOW - MINUTE}, [AlarmKind.ROOM_OFF]),
        ({"online_since": None, "paired": False}, [AlarmKind.NO_DEVICE]),
        ({"paired": False}, []),
        ({"cameras": 0}, [AlarmKind.CAMERA_GONE]),
        ({"cameras": None}, []),
        ({"microphones": 0, "heard": Heard.NOT_HEARD, "heard_at": NOW}, [AlarmKind.MICROPHONE_GONE]),
        ({"heard": Heard.NOT_HEARD, "heard_at": NOW - MINUTE}, [AlarmKind.NOT_HEARD]),
        ({"heard": Heard.NOT_HEARD, "heard_at": NOW - 2_000 * MINUTE}, []),
        ({"clock_off_ms": -3 * MINUTE}, [AlarmKind.CLOCK_WRONG]),
        ({"clock_off_ms": 30_000}, []),
        ({"fault": LastFault(NOW - MINUTE, "sound")}, [AlarmKind.ASKS_HELP]),
        ({"fault": LastFault(NOW - 90 * MINUTE, "sound")}, []),
        ({"moved_at": NOW - MINUTE}, [AlarmKind.KEY_MOVED]),
    ],
)
def test_each_alarm_holds_when_its_fact_does(changes: dict[str, object], expected: list[AlarmKind]) -> None:
    assert kinds(replace(WELL, **changes)) == expected  # type: ignore[arg-type]


def test_nobody_is_called_about_a_lesson_that_is_far_off_nor_twice_about_a_room() -> None:
    off = replace(WELL, online_since=None)
    assert kinds(off, replace(NEXT, begins_at=NOW + 60 * MINUTE)) == []
    assert kinds(off, replace(NEXT, begins_at=NOW + 12 * MINUTE)) == [], "it may be switched on in time"
    both = alarms([off], [NEXT, replace(NEXT, lesson="L0", begins_at=NOW + MINUTE)], Server(), NOW)
    assert [one.lesson for one in both] == ["L0"]


def test_a_full_disk_and_a_stranger_in_the_timetable_are_told() -> None:
    told = alarms([], [replace(NEXT, rooms=("gone",))], Server(10**9, 2 * 10**9), NOW)
    assert [one.kind for one in told] == [AlarmKind.NO_DEVICE, AlarmKind.DISK_LOW]
    assert told[1].values == {"gigabytes": "1.0"}


@pytest.mark.parametrize(("template", "needed"), [(Template.SHARED, True), (Template.MASTER, False)])
def test_a_kind_of_lesson_without_pupils_pictures_needs_no_camera(template: Template, needed: bool) -> None:
    due = Due.of("L1", NEXT.begins_at, NEXT.rooms, template)
    assert kinds(replace(WELL, cameras=0), due) == ([AlarmKind.CAMERA_GONE] if needed else [])


WELL_CHECK = BoxCheck("main", Source.CAMERA, "L1", NOW)
CLOSED = ProbePoint("port_closed", "unfit", Words("关", "Closed"))
QUIET = ProbePoint("silent", "note", Words("静", "Silent"))
B_FRAMES = ProbePoint("b_frames", "transcode", Words("B", "B"))
SLOW = ProbePoint("codec_h264", "good", Words("好", "Good"))


@pytest.mark.parametrize(
    ("check", "begins_in", "expected"),
    [
        (None, 5 * MINUTE, True),
        (None, 6 * MINUTE, False),
        (WELL_CHECK, 5 * MINUTE, False),
        (replace(WELL_CHECK, lesson="L0"), 5 * MINUTE, True),
        (replace(WELL_CHECK, wrong=CLOSED, at=NOW - AGAIN_MS), MINUTE, True),
        (replace(WELL_CHECK, wrong=CLOSED, at=NOW - AGAIN_MS + 1), MINUTE, False),
    ],
)
def test_a_camera_is_looked_at_once_before_its_lesson_and_again_while_it_is_ill(
    check: BoxCheck | None, begins_in: int, expected: bool
) -> None:
    assert is_due(check, "L1", NOW + begins_in, NOW, 5 * MINUTE) is expected


def test_a_look_tells_what_keeps_a_camera_from_teaching_and_since_when() -> None:
    def look(*points: ProbePoint, before: BoxCheck | None = None, sound: bool = False) -> BoxCheck:
        return judged("main", Source.CAMERA, "L1", points, before, NOW, sound=sound)

    assert look(SLOW) == WELL_CHECK
    assert (look(QUIET).wrong, look(QUIET, sound=True).wrong) == (None, QUIET)
    assert look(B_FRAMES, SLOW).points == (B_FRAMES,), "it works"
    ill = look(CLOSED, before=replace(WELL_CHECK, wrong=QUIET, since=NOW - MINUTE))
    assert (ill.wrong, ill.since, ill.points) == (CLOSED, NOW - MINUTE, ())
    assert look(CLOSED, before=WELL_CHECK).since == NOW
