"""The timetable over REST: one week of a room, teacher or school; lessons booked, moved, swapped,
cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from aiohttp import web

from server.api.booking import booked_from, changed_by, check_free, placed
from server.api.guarding import Packed, answer, body_of
from server.api.keys import LIVE, STORE
from server.api.rights import Action, NoRight, Thing, is_allowed, require, require_somewhere
from server.api.timetable_views import Views, day_span, opened_of, views_of
from server.api.undoing import forget, keep_undoable, remember, remembered
from server.domain.calendar import Term
from server.errors import UserFault
from server.ids import is_lesson_id, random_word
from server.protocol.timetable import (
    BookingChange,
    ChangeBooking,
    Choices,
    NamedPerson,
    NamedRoom,
    NewBooking,
    SwapBookings,
    TermView,
    UndoChange,
    WeekView,
)
from server.store.county_tables import PEOPLE, POSTS
from server.store.importing import with_ids
from server.store.planning import blocks, clashes_with
from server.store.remembered import Kept
from server.store.store import Store
from server.store.tables import LESSONS
from server.store.terms import day_of
from server.store.timetable import NotPlanned
from server.store.timetable_records import Booked
from server.store.timetable_tables import BELLS, BOOKED_ROOMS, BOOKINGS, CURRICULUM, TERM_SWAPS, TERMS

WEEK = 7
WEEKS = web.AppKey("weeks", Kept[Packed])
CHOICES = web.AppKey("choices", Kept[Packed])
MOST_WEEKS = 100
MOST_CHOICES = 2


def keep(app: web.Application, store: Store) -> None:
    """Weeks and choices as they were told last, until something in them changes."""
    named = (PEOPLE, CURRICULUM)
    of_week = (LESSONS, BOOKINGS, BOOKED_ROOMS, BELLS, TERMS, TERM_SWAPS, *named)
    app[WEEKS] = Kept(store.database, of_week, MOST_WEEKS)
    app[CHOICES] = Kept(store.database, (*named, POSTS), MOST_CHOICES)
    keep_undoable(app)


async def week(request: web.Request) -> web.Response:
    """`?day=` any day of the week asked for (today); of `room=`, `teacher=` or `school=`."""
    query = request.query
    room, teacher, school = (query.get(name, "")[:80] for name in ("room", "teacher", "school"))
    require(request, Action.READ_TIMETABLE, Thing(main_room=room or None))
    store = request.app[STORE]
    day = day_of(query["day"]) if query.get("day") else store.county.today()
    monday = day - timedelta(days=day.isoweekday() - 1)
    asked = (room, teacher, school, monday, _may_edit(request, room, school))
    marks = (store.county.changes, store.county.today(), opened_of(request))
    kept = request.app[WEEKS]
    return (await kept.get((asked, marks), lambda: _week(request, *asked))).answer(request)


async def _week(
    request: web.Request, room: str, teacher: str, school: str, monday: date, may_edit: bool
) -> Packed:
    store = request.app[STORE]
    rooms = await _rooms_of(request, room, school)
    since, until = day_span(request, monday, WEEK)
    lessons = await store.timetable.between(since, until, rooms=rooms, teacher=teacher)
    views = await views_of(request, lessons)
    term = _term_on(await store.terms.all(store.county.today()), monday)
    place = _term(term).place(monday) if term is not None else None
    bells = await store.terms.bells(await _school_of(request, room, school))
    clashes = clashes_with([each for each in lessons if blocks(each)], ())
    return Packed.of(
        WeekView(
            term=term,
            week=place[0] if place is not None else 0,
            days=[(monday + timedelta(days=number)).isoformat() for number in range(WEEK)],
            bells=bells.bells,
            lessons=[views.lesson(each) for each in lessons],
            clashes=[views.clash(each) for each in clashes],
            zone=store.county.zone.key,
            may_edit=may_edit,
        )
    )


def _may_edit(request: web.Request, room: str, school: str) -> bool:
    thing = Thing(main_room=room) if room else Thing(unit=school or None)
    return is_allowed(request, Action.EDIT_TIMETABLE, thing)


async def _rooms_of(request: web.Request, room: str, school: str) -> frozenset[str] | None:
    if room:
        return frozenset({room})
    if not school:
        return None
    store = request.app[STORE]
    organisation, today = await store.county.load(), store.county.today()
    return frozenset(unit.id for unit in organisation.below(school, today))


async def _school_of(request: web.Request, room: str, school: str) -> str:
    if school or not room:
        return school
    store = request.app[STORE]
    found = (await store.county.load()).school(room, store.county.today())
    return found.id if found is not None else ""


def _term(view: TermView) -> Term:
    return Term(view.term, date.fromisoformat(view.first_monday), view.weeks)


def _term_on(terms: list[TermView], day: date) -> TermView | None:
    return next((term for term in terms if _term(term).place(day) is not None), None)


async def choices(request: web.Request) -> web.Response:
    """What the form of a lesson offers."""
    require(request, Action.READ_TIMETABLE)
    store = request.app[STORE]
    may_edit = any(
        room.main and is_allowed(request, Action.EDIT_TIMETABLE, Thing(main_room=room.room))
        for room in await store.classrooms()
    )
    asked = (may_edit, store.county.changes, store.county.today())
    told = await request.app[CHOICES].get(asked, lambda: _choices(request, may_edit))
    return told.answer(request)


async def _choices(request: web.Request, may_edit: bool) -> Packed:
    store = request.app[STORE]
    rooms = await store.naming.rooms()
    schools = {room.school: room.school_name for room in rooms if room.school}
    return Packed.of(
        Choices(
            main_rooms=[NamedRoom(each.room, each.name) for each in rooms if each.main],
            rooms=[NamedRoom(each.room, each.name) for each in rooms],
            teachers=[NamedPerson(each.person, each.name) for each in await store.naming.teachers()],
            subjects=await store.terms.curriculum("subject"),
            schools=[NamedRoom(school, name) for school, name in schools.items()],
            may_edit=may_edit,
        )
    )


async def book(request: web.Request) -> web.Response:
    """A one-off lesson, or a series of them week by week."""
    require_somewhere(request, Action.EDIT_TIMETABLE)
    body = await body_of(request, NewBooking)
    actor = require(request, Action.EDIT_TIMETABLE, Thing(main_room=body.main_room))
    lessons = with_ids(await booked_from(request, body), ())
    if len(lessons) > 1:
        series = "b" + random_word(10)
        lessons = [replace(each, series=series) for each in lessons]
    await check_free(request, lessons)
    views = await views_of(request, lessons)
    store = request.app[STORE]
    await store.timetable.add(lessons, await store.naming.names([body.teacher]))
    request.app[LIVE].scheduler.changed()
    await store.audit(
        actor.name, Action.EDIT_TIMETABLE, lessons[0].lesson, what="book", lessons=str(len(lessons))
    )
    remember(request, [(None, each) for each in lessons])
    return answer([Views.lesson(views, each) for each in lessons], status=201)


async def _one(request: web.Request, lesson: str) -> Booked:
    """The booked lesson and the right to change it."""
    found = await request.app[STORE].timetable.one(lesson) if is_lesson_id(lesson) else None
    require(request, Action.EDIT_TIMETABLE, Thing(main_room=found.main_room) if found else Thing())
    if found is None:
        raise NoRight
    return found


async def change(request: web.Request) -> web.Response:
    """Move it, let another teach it, cancel it, or bring it back."""
    booked = await _one(request, request.match_info["lesson"])
    body = await body_of(request, ChangeBooking)
    actor = require(request, Action.EDIT_TIMETABLE, Thing(main_room=body.main_room or booked.main_room))
    if not booked.planned and booked.change is not BookingChange.CANCELLED:
        raise NotPlanned
    store = request.app[STORE]
    wish = await changed_by(request, booked, body)
    wishes = [(booked, wish)]
    if body.whole_series and booked.series:
        days = (wish.day - booked.day).days
        for other in await store.timetable.of_series(booked.series, booked.starts_at + 1):
            back = body.cancelled is False and other.change is BookingChange.CANCELLED
            if other.planned or back:
                moved = ChangeBooking(
                    **{name: getattr(body, name) for name in body.__struct_fields__}
                    | {"version": other.version, "day": (other.day + timedelta(days=days)).isoformat()}
                )
                wishes.append((other, await changed_by(request, other, moved)))
    return await _changed(request, actor.name, wishes)


async def swap(request: web.Request) -> web.Response:
    """Two lessons change places: each takes the other's day and periods."""
    require_somewhere(request, Action.EDIT_TIMETABLE)
    body = await body_of(request, SwapBookings)
    first, second = await _one(request, body.first), await _one(request, body.second)
    if not first.first or not second.first or first.lesson == second.lesson:
        raise UserFault(
            "bad_swap",
            zh="只能对调两节按节次排的课。",
            en="Only two lessons that stand in periods can change places.",
        )
    actor = require(request, Action.EDIT_TIMETABLE, Thing(main_room=first.main_room))
    wishes = [
        (
            one,
            replace(
                await placed(request, one, other.day, other.first, other.last),
                version=version,
                change=BookingChange.ONE_OFF if one.slot is None else BookingChange.MOVED,
            ),
        )
        for one, other, version in (
            (first, second, body.first_version),
            (second, first, body.second_version),
        )
    ]
    return await _changed(request, actor.name, wishes)


async def _changed(request: web.Request, actor: str, pairs: list[tuple[Booked, Booked]]) -> web.Response:
    """Each lesson as it is, and as it is to be: all of them or none."""
    store, wishes = request.app[STORE], [wish for _, wish in pairs]
    await check_free(request, wishes)
    await store.timetable.change(wishes, await store.naming.names(each.teacher for each in wishes))
    after = await _told(request, actor, wishes)
    remember(request, [(before, replace(wish, version=wish.version + 1)) for before, wish in pairs])
    return after


async def undo(request: web.Request) -> web.Response:
    """What one booking, change or swap did, taken back whole; the lessons that are still there."""
    require_somewhere(request, Action.EDIT_TIMETABLE)
    body = await body_of(request, UndoChange)
    done = remembered(request, body.lesson, body.version)
    actors = [require(request, Action.EDIT_TIMETABLE, Thing(main_room=room)) for room in done.main_rooms]
    back, store = done.back, request.app[STORE]
    await check_free(request, back)
    await store.timetable.take_back(back, done.added, await store.naming.names(each.teacher for each in back))
    forget(request, body.lesson, body.version)
    if done.added:
        said = {"what": "undo", "lessons": str(len(done.added))}
        await store.audit(actors[0].name, Action.EDIT_TIMETABLE, body.lesson, **said)
    return await _told(request, actors[0].name, back)


async def _told(request: web.Request, actor: str, changed: list[Booked]) -> web.Response:
    """The scheduler and the audit log know; the lessons as they are now."""
    store = request.app[STORE]
    request.app[LIVE].scheduler.changed()
    for each in changed:
        said = {"what": each.change.value, "day": str(each.day)}
        await store.audit(actor, Action.EDIT_TIMETABLE, each.lesson, **said)
    after = [found for each in changed if (found := await store.timetable.one(each.lesson)) is not None]
    views = await views_of(request, after)
    return answer([views.lesson(each) for each in after])


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/timetable", week),
        web.get("/api/v1/timetable/choices", choices),
        web.post("/api/v1/timetable/lessons", book),
        web.patch("/api/v1/timetable/lessons/{lesson}", change),
        web.post("/api/v1/timetable/swap", swap),
        web.post("/api/v1/timetable/undo", undo),
    ]
