"""A week of lessons for a county, and what will go wrong in it: always the same for the same seed (pure).

Times are milliseconds since 1970; places within a lesson are seconds after its bell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

DAY_MS = 86_400_000
FIRST_BELL_MS = 8 * 3_600_000  # after midnight
BREAK_MIN = 8  # so long before a lesson nothing of the one before is left
QUIET_S = 20  # at a lesson's start and end nothing goes wrong, so that each fault has its own hole
LONGEST_FAULT_S = 60


class Fault(StrEnum):
    """What is done to a lesson or to one of its rooms."""

    OFF = "off"  # the room is switched off for the whole lesson
    LATE = "late"  # it is switched on that much after the bell
    CUT = "cut"  # its cable is pulled
    FROZEN = "frozen"  # its picture stands still, sound goes on
    SILENT = "silent"  # its sound is gone, the picture goes on
    THIN = "thin"  # its line carries sound only
    HLS = "hls"  # it watches the live recording instead
    MAIN_AWAY = "main_away"  # the studio's line is cut


ROOM_FAULTS = tuple(fault for fault in Fault if fault is not Fault.MAIN_AWAY)


@dataclass(frozen=True, slots=True)
class Planned:
    """One lesson of the week. `key` is its id: main room, day, period."""

    key: str
    main_room: str
    rooms: tuple[str, ...]
    starts_at: int
    ends_at: int

    @property
    def seconds(self) -> int:
        return (self.ends_at - self.starts_at) // 1000


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault. `room`: the main room for `MAIN_AWAY`; `at_s`: seconds after the bell; `for_s`: how long."""

    lesson: str
    room: str
    fault: Fault
    at_s: int
    for_s: int


def week(
    taught: Mapping[str, Sequence[str]], monday_ms: int, *, days: int, periods: int, minutes: int
) -> list[Planned]:
    """Every main room gives every period of every day to its rooms, in the order of time. `monday_ms`: the
    county's midnight."""
    step = (minutes + BREAK_MIN) * 60_000
    return [
        Planned(f"{main}-{day + 1}-{period + 1}", main, tuple(rooms), bell, bell + minutes * 60_000)
        for day in range(days)
        for period in range(periods)
        for bell in (monday_ms + day * DAY_MS + FIRST_BELL_MS + period * step,)
        for main, rooms in taught.items()
    ]


def faults(lessons: Sequence[Planned], seed: int, share: float) -> list[Injected]:
    """At most one for a room in a lesson, and none for the rooms of a lesson whose studio is cut."""
    chance, found = Random(seed), []
    for lesson in lessons:
        if chance.random() < share / 2:
            found.append(_drawn(lesson, lesson.main_room, Fault.MAIN_AWAY, chance))
            continue
        found += [
            _drawn(lesson, room, chance.choice(ROOM_FAULTS), chance)
            for room in lesson.rooms
            if chance.random() < share
        ]
    return found


def _drawn(lesson: Planned, room: str, fault: Fault, chance: Random) -> Injected:
    if fault is Fault.OFF:
        return Injected(lesson.key, room, fault, 0, lesson.seconds)
    if fault is Fault.LATE:
        return Injected(lesson.key, room, fault, 0, chance.randint(QUIET_S, LONGEST_FAULT_S))
    for_s = chance.randint(QUIET_S, LONGEST_FAULT_S)
    at_s = chance.randint(QUIET_S, lesson.seconds - QUIET_S - for_s)
    return Injected(lesson.key, room, fault, at_s, for_s)
