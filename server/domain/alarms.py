"""What is wrong before the bell: one pure rule from how rooms stand to alarms, the most pressing first.

`now` is milliseconds since 1970. A room is looked at when a lesson of it begins within SOON_MS or is on; what
concerns no lesson (a new key, the disk) is always told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.domain.template import rules_of
from server.protocol.devices import Alarm, AlarmKind, Heard, LastFault
from server.protocol.parameters import Source
from server.protocol.timetable import Template
from server.protocol.words import Words

SOON_MS = 15 * 60_000
OFF_BEFORE_MS = 10 * 60_000
"""So long before the bell a room may still be off: somebody comes and switches it on."""
CLOCK_OFF_MS = 60_000
HELP_MS = 15 * 60_000
HEAR_CHECK_MS = 12 * 3_600_000
ORDER = tuple(AlarmKind)


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """One room. Counts None: its page did not tell."""

    room: str
    paired: bool = True
    online_since: int | None = None
    seen_at: int | None = None
    cameras: int | None = None
    microphones: int | None = None
    clock_off_ms: int = 0
    heard: Heard = Heard.UNKNOWN
    heard_at: int = 0
    fault: LastFault | None = None
    moved_at: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A lesson with its receiving rooms; `sees`: they are to be seen (a camera is needed)."""

    lesson: str
    begins_at: int
    rooms: tuple[str, ...]
    sees: bool = True

    @classmethod
    def of(cls, lesson: str, begins_at: int, rooms: tuple[str, ...], template: Template) -> Due:
        """A lesson of this kind: one whose rooms send no pictures needs none of their cameras."""
        return cls(lesson, begins_at, rooms, Source.CAMERA in rules_of(template).rooms_send)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A camera or encoder of a main room that was looked at for this lesson and is not well."""

    room: str
    source: Source
    lesson: str
    since: int
    words: Words


@dataclass(frozen=True, slots=True)
class Server:
    free_bytes: int = 1 << 62
    least_free_bytes: int = 0
    values: dict[str, str] = field(default_factory=dict)


def alarms(
    rooms: Iterable[RoomFacts],
    due: Iterable[Due],
    server: Server,
    now: int,
    sources: Iterable[SourceFacts] = (),
) -> list[Alarm]:
    """Every alarm that holds at `now`. A room in two lessons is told under the earlier."""
    facts = {room.room: room for room in rooms}
    found = [_moved(one) for one in facts.values() if one.moved_at is not None]
    told: set[str] = set()
    found += [_of_source(one) for one in sources]
    for lesson in sorted(due, key=lambda one: one.begins_at):
        if lesson.begins_at - now > SOON_MS:
            continue
        for room in lesson.rooms:
            if room in told:
                continue
            told.add(room)
            found += _of_room(facts.get(room, RoomFacts(room, paired=False)), lesson, now)
    if server.free_bytes < server.least_free_bytes:
        left = {"gigabytes": f"{server.free_bytes / 1e9:.1f}"}
        found.append(Alarm(AlarmKind.DISK_LOW, "", now, values=left))
    return sorted(found, key=lambda one: (ORDER.index(one.kind), one.since, one.room))


def _moved(room: RoomFacts) -> Alarm:
    return Alarm(AlarmKind.KEY_MOVED, room.room, room.moved_at or 0)


def _of_source(facts: SourceFacts) -> Alarm:
    values = {"source": facts.source.value, "zh": facts.words.zh, "en": facts.words.en}
    return Alarm(AlarmKind.SOURCE_WRONG, facts.room, facts.since, facts.lesson, values)


def _of_room(room: RoomFacts, due: Due, now: int) -> list[Alarm]:
    def alarm(kind: AlarmKind, since: int, **values: str) -> Alarm:
        return Alarm(kind, room.room, since, due.lesson, values)

    if not room.paired and room.online_since is None:
        return [alarm(AlarmKind.NO_DEVICE, now)]
    if room.online_since is None:
        late = due.begins_at - now <= OFF_BEFORE_MS
        return [alarm(AlarmKind.ROOM_OFF, room.seen_at or now)] if late else []
    found = []
    since = room.online_since
    if room.cameras == 0 and due.sees:
        found.append(alarm(AlarmKind.CAMERA_GONE, since))
    if room.microphones == 0:
        found.append(alarm(AlarmKind.MICROPHONE_GONE, since))
    elif room.heard in (Heard.NOT_HEARD, Heard.NOT_PLAYED) and now - room.heard_at < HEAR_CHECK_MS:
        found.append(alarm(AlarmKind.NOT_HEARD, room.heard_at))
    if abs(room.clock_off_ms) > CLOCK_OFF_MS:
        minutes = str(max(1, round(abs(room.clock_off_ms) / 60_000)))
        side = "fast" if room.clock_off_ms > 0 else "slow"
        found.append(alarm(AlarmKind.CLOCK_WRONG, since, minutes=minutes, side=side))
    if room.fault is not None and room.fault.kind in ("sound", "picture") and now - room.fault.at < HELP_MS:
        found.append(alarm(AlarmKind.ASKS_HELP, room.fault.at, what=room.fault.kind))
    return found
