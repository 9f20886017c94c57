"""What each room must have received by what was done to it, beside what the store says that it did (pure).

At a fault's edges both may differ for as long as campus needs to notice; everywhere else not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from server.domain.reception import Kind, Side, Span
from server.drill.week.plan import Fault, Injected, Planned

STEP_MS = 1_000
NOTICED_MS = 8_000
"""A cut line is noticed by its silence, a room that comes back joins again."""

Came = tuple[Kind, Side]
WELL: Came = (Kind.PICTURE, Side.NONE)
BY_FAULT: dict[Fault, Came] = {
    Fault.OFF: (Kind.HOLE, Side.UNKNOWN),
    Fault.LATE: (Kind.HOLE, Side.UNKNOWN),
    Fault.CUT: (Kind.HOLE, Side.LINE),
    Fault.FROZEN: (Kind.SOUND, Side.DEVICE),
    Fault.SILENT: (Kind.SILENT, Side.DEVICE),
    Fault.THIN: (Kind.SOUND, Side.LINE),
    Fault.HLS: (Kind.BROADCAST, Side.LINE),
    Fault.MAIN_AWAY: (Kind.HOLE, Side.MAIN_ROOM),
}


class Difference(msgspec.Struct, frozen=True):
    """From `since_s` to `until_s` after the bell the store tells another story; `found` "": none at all."""

    lesson: str
    room: str
    since_s: int
    until_s: int
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class _Moment:
    at: int
    expected: Came
    found: Came | None


def differences(
    lesson: Planned, room: str, faults: Iterable[Injected], spans: Sequence[Span]
) -> list[Difference]:
    """Of one room in one lesson. `faults`: those of this room and of the lesson's main room."""
    faults = list(faults)
    edges = [lesson.starts_at]
    for fault in faults:
        began = lesson.starts_at + fault.at_s * 1000
        edges += [began, began + fault.for_s * 1000]
    wrong = [
        moment
        for at in range(lesson.starts_at, lesson.ends_at, STEP_MS)
        if all(not -STEP_MS <= at - edge < NOTICED_MS for edge in edges)
        for moment in (_Moment(at, _expected(lesson, faults, at), _found(spans, at)),)
        if moment.expected != moment.found
    ]
    return _merged(lesson, room, wrong)


def _expected(lesson: Planned, faults: Sequence[Injected], at: int) -> Came:
    second = (at - lesson.starts_at) / 1000
    for fault in faults:
        if fault.at_s <= second < fault.at_s + fault.for_s:
            return BY_FAULT[fault.fault]
    return WELL


def _found(spans: Sequence[Span], at: int) -> Came | None:
    return next(((span.kind, span.side) for span in spans if span.since <= at < span.until), None)


def _merged(lesson: Planned, room: str, wrong: Sequence[_Moment]) -> list[Difference]:
    """Neighbouring moments of the same kind as one."""
    found: list[Difference] = []
    for moment in wrong:
        since_s = (moment.at - lesson.starts_at) // 1000
        expected, seen = _told(moment.expected), _told(moment.found)
        last = found[-1] if found else None
        if last and last.until_s == since_s and (last.expected, last.found) == (expected, seen):
            found[-1] = msgspec.structs.replace(last, until_s=since_s + 1)
        else:
            found.append(Difference(lesson.key, room, since_s, since_s + 1, expected, seen))
    return found


def _told(came: Came | None) -> str:
    return "" if came is None else " ".join(word for word in came if word)
