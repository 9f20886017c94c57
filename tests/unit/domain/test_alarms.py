"""What is told before the bell, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain.alarms import Due, RoomFacts, Server, alarms
from server.protocol.devices import AlarmKind, Heard, LastFault

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


def test_a_lesson_without_pupils_pictures_needs_no_camera() -> None:
    assert kinds(replace(WELL, cameras=0), replace(NEXT, sees=False)) == []
