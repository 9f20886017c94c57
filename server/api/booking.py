"""One cell of the timetable changed by hand: its new time by the school's bells, its clashes, what kind of
change it is. The rules behind `api.timetable`'s routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta

from aiohttp import web

from server.api.keys import CLOCK, STORE
from server.api.timetable_views import views_of
from server.domain.calendar import Bells, moment
from server.errors import UserFault
from server.protocol.timetable import BookingChange, ChangeBooking, NewBooking
from server.store.planning import clashes_with
from server.store.terms import bells_of, day_of
from server.store.timetable_records import Booked

LONGEST_MS = 6 * 3_600_000


def bad_time() -> UserFault:
    return UserFault(
        "bad_time",
        zh="请写清节次，或开始和结束的时间（最长 6 小时）。",
        en="Say which periods, or from when to when (at most 6 hours).",
    )


async def bells_for(request: web.Request, room: str) -> Bells:
    """The bells by which a room's school rings."""
    store = request.app[STORE]
    school = (await store.county.load()).school(room, store.county.today())
    return bells_of((await store.terms.bells(school.id if school is not None else "")).bells)


async def placed(request: web.Request, booked: Booked, day: date, first: int, last: int) -> Booked:
    """The lesson at another place; one without periods keeps its times of day. UserFault "no_such_period"."""
    zone = request.app[STORE].county.zone
    if not first:
        shift = timedelta(days=(day - booked.day).days)
        moved = int(shift.total_seconds() * 1000)
        return replace(booked, day=day, starts_at=booked.starts_at + moved, ends_at=booked.ends_at + moved)
    span = (await bells_for(request, booked.main_room)).span(first, max(first, last))
    if span is None:
        raise UserFault(
            "no_such_period",
            zh=f"这所学校的作息里没有第 {first} 至 {last} 节。",
            en=f"This school's day has no periods {first} to {last}.",
        )
    return replace(
        booked,
        day=day,
        first=first,
        last=max(first, last),
        starts_at=moment(day, span[0], zone),
        ends_at=moment(day, span[1], zone),
    )


async def booked_from(request: web.Request, body: NewBooking) -> list[Booked]:
    """The lessons of a form, without ids. UserFault where a room, a time or the day is none."""
    await _check_rooms(request, body.main_room, body.rooms)
    zone = request.app[STORE].county.zone
    blank = Booked(
        "", day_of(body.day), 0, 0, 0, 0, body.main_room, tuple(body.rooms), teacher=body.teacher,
        subject=body.subject, grade=body.grade, title=body.title, template=body.template,
        change=BookingChange.ONE_OFF,
    )  # fmt: skip
    if body.first is not None:
        one = await placed(request, blank, blank.day, body.first, body.last or body.first)
    elif body.begins and body.ends:
        begins, ends = (
            moment(blank.day, time.fromisoformat(text), zone) for text in (body.begins, body.ends)
        )
        if not 0 < ends - begins <= LONGEST_MS:
            raise bad_time()
        one = replace(blank, starts_at=begins, ends_at=ends)
    else:
        raise bad_time()
    return [await _weeks_later(request, one, week) for week in range(body.repeats)]


async def _weeks_later(request: web.Request, booked: Booked, weeks: int) -> Booked:
    return await placed(request, booked, booked.day + timedelta(days=7 * weeks), booked.first, booked.last)


async def changed_by(request: web.Request, booked: Booked, body: ChangeBooking) -> Booked:
    """The lesson as the form wants it; its version is the one that the form's author saw."""
    main, rooms = body.main_room or booked.main_room, body.rooms
    if body.main_room is not None or rooms is not None:
        await _check_rooms(request, main, list(booked.rooms) if rooms is None else rooms)
    texts = {
        name: value
        for name in ("teacher", "subject", "grade", "title", "template")
        if (value := getattr(body, name)) is not None
    }
    wish = replace(
        booked, version=body.version, main_room=main,
        rooms=booked.rooms if rooms is None else tuple(rooms), **texts,
    )  # fmt: skip
    if body.day is not None or body.first is not None or body.main_room is not None:
        day = day_of(body.day) if body.day is not None else booked.day
        first = body.first if body.first is not None else booked.first
        last = body.last if body.last is not None else first + (booked.last - booked.first)
        wish = await placed(request, wish, day, first, last)
    return replace(wish, change=_kind(booked, wish, body))


def _kind(before: Booked, after: Booked, body: ChangeBooking) -> BookingChange:
    if body.cancelled:
        return BookingChange.CANCELLED
    if before.slot is None:
        return BookingChange.ONE_OFF
    where = ("day", "first", "last", "main_room", "rooms", "starts_at")
    if any(getattr(before, name) != getattr(after, name) for name in where):
        return BookingChange.MOVED
    if replace(before, version=0) != replace(after, version=0):
        return BookingChange.SUBSTITUTED
    if before.change is BookingChange.CANCELLED:
        return BookingChange.MOVED  # by hand it came back: an import leaves it alone
    return before.change


async def check_free(request: web.Request, lessons: Sequence[Booked]) -> None:
    """UserFault "clash", in words, where a teacher or a room is needed elsewhere at that time;
    "in_the_past"."""
    asked = [each for each in lessons if each.change is not BookingChange.CANCELLED]
    if not asked:
        return
    if min(each.ends_at for each in asked) <= request.app[CLOCK].wall_ms():
        raise UserFault("in_the_past", zh="这个时间已经过去了。", en="That time is over already.")
    timetable = request.app[STORE].timetable
    others = await timetable.between(min(e.starts_at for e in asked), max(e.ends_at for e in asked))
    found = clashes_with(asked, others, most=3)
    if found:
        views = await views_of(request, [each for clash in found for each in (clash.first, clash.second)])
        told = [views.clash(clash).words for clash in found]
        raise UserFault("clash", zh="".join(w.zh for w in told), en=" ".join(w.en for w in told))


async def _check_rooms(request: web.Request, main_room: str, rooms: list[str]) -> None:
    known = {room.room: room for room in await request.app[STORE].county.rooms()}
    if main_room not in known or not known[main_room].main:
        raise UserFault("no_main_room", zh="请选择一间主讲教室。", en="Choose a main room.")
    if any(room not in known for room in rooms):
        raise UserFault("no_such_room", zh="没有这间听讲教室。", en="There is no such receiving room.")
    if main_room in rooms or len(set(rooms)) != len(rooms):
        raise UserFault("room_twice", zh="同一教室写了两次。", en="One room stands there twice.")
