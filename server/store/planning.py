"""What an import makes of a timetable: lessons to add, change, remove, and the clashes there would be (pure).

A lesson is found again by its *slot*: main room, date and first period of its line. So the same file imported
twice changes nothing, a corrected one changes what it corrects, and what was moved, substituted or cancelled
by hand stays so. What has begun or is over is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from zoneinfo import ZoneInfo

from server.domain.calendar import Bells, Calendar
from server.domain.timetable import Entry, Occurrence, Resource, clashes, occurrences
from server.protocol.timetable import BookingChange
from server.store.timetable_records import Booked

NO_WEEKS = frozenset[int]()


@dataclass(slots=True)
class Plan:
    """`same`: how many stay as they are; `past`: how many the file has whose time is over."""

    added: list[Booked] = field(default_factory=list)
    changed: list[Booked] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0
    past: int = 0


@dataclass(frozen=True, slots=True)
class BookedClash:
    """Two lessons that need one teacher or one room at one time, the earlier one first."""

    resource: Resource
    name: str
    first: Booked
    second: Booked


def line_of(term: str, entry: Entry) -> str:
    """The name of a line: the same for the same place in the term."""
    words = (term, entry.main_room, str(entry.weekday), str(entry.first), *map(str, sorted(entry.weeks)))
    return "n" + hashlib.sha256("|".join(words).encode()).hexdigest()[:20]


def wanted(
    entries: Iterable[Entry], term: str, calendar: Calendar, bells: Mapping[str, Bells], zone: ZoneInfo
) -> Iterator[Booked]:
    """Every lesson of these entries, without an id. `bells`: by main room."""
    for entry in entries:
        line = line_of(term, entry)
        for each in occurrences(entry, calendar, bells[entry.main_room], zone):
            yield Booked(
                lesson="",
                day=each.day,
                first=entry.first,
                last=entry.last,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                main_room=entry.main_room,
                rooms=entry.rooms,
                teacher=entry.teacher,
                subject=entry.subject,
                grade=entry.grade,
                title=entry.title,
                template=entry.template,
                slot=f"{entry.main_room}|{each.day.isoformat()}|{entry.first}",
                line=line,
                term=term,
            )


def plan(wishes: Iterable[Booked], standing: Sequence[Booked], now: int) -> Plan:
    """`standing`: what the term has of the main rooms that the file names."""
    known = {each.slot: each for each in standing if each.slot is not None}
    made = Plan()
    for wish in wishes:
        there = known.pop(wish.slot or "", None)
        if there is None and wish.ends_at <= now:
            made.past += 1
        elif there is None:
            made.added.append(wish)
        elif not _open(there, now) or there.change is not BookingChange.NONE or _alike(there, wish):
            made.same += 1
        else:
            made.changed.append(
                replace(wish, lesson=there.lesson, version=there.version, series=there.series)
            )
    made.removed = [
        each.lesson for each in known.values() if _open(each, now) and each.change is BookingChange.NONE
    ]
    return made


def clashes_with(ours: Sequence[Booked], others: Iterable[Booked], most: int = 50) -> list[BookedClash]:
    """Clashes of `ours` among each other and with `others`: not those that the others have already."""
    changed = {each.lesson for each in ours}
    standing = [each for each in others if each.lesson not in changed and blocks(each)]
    lessons = [*ours, *standing]
    kept = [occurrence_of(each) for each in lessons]
    known = {id(occurrence): each for occurrence, each in zip(kept, lessons, strict=True)}
    mine = {id(each) for each in kept[: len(ours)]}
    told = [each for each in clashes(kept, most * 10) if id(each.first) in mine or id(each.second) in mine]
    return [
        BookedClash(each.resource, each.name, known[id(each.first)], known[id(each.second)])
        for each in told[:most]
    ]


def occurrence_of(booked: Booked) -> Occurrence:
    entry = Entry(
        booked.subject, booked.teacher, booked.main_room, booked.rooms, 1, booked.first, booked.last, NO_WEEKS
    )
    return Occurrence(entry, booked.day, booked.starts_at, booked.ends_at)


def blocks(booked: Booked) -> bool:
    """Whether it needs its rooms and teacher: a cancelled or missed one does not."""
    return booked.change is not BookingChange.CANCELLED and (booked.planned or booked.started_at is not None)


def _open(booked: Booked, now: int) -> bool:
    return booked.planned and booked.ends_at > now


_OWN = ("lesson", "series", "version", "state", "started_at")
"""What no file says."""
_said = attrgetter(*(name for name in Booked.__dataclass_fields__ if name not in _OWN))


def _alike(there: Booked, wish: Booked) -> bool:
    return bool(_said(wish) == _said(there))
