"""Statements by which the library lists, counts and filters. Each reads the catalogue alone, by an index that
covers it: no list joins what it does not show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from server.domain.visibility import Circle, Visibility
from server.store.holdings import STATES
from server.store.library_records import LibraryQuery, LibrarySort
from server.store.tables import CATALOGUE, LISTED, WATCHED
from server.store.timetable_tables import BOOKINGS


def page(query: LibraryQuery, matching: Any | None) -> Select[Any]:
    """The numbers of one page in their order. `matching`: a subquery of numbers, None: all."""
    chosen = _chosen(select(CATALOGUE.c.number), query, matching)
    return chosen.order_by(*_order(query.sort)).offset(query.offset).limit(query.limit)


def whole(query: LibraryQuery, matching: Any | None, rooms: frozenset[str]) -> Select[Any]:
    """All numbers in their order, of all pages. `rooms`: the only ones with lessons that fit, where they are
    few: read by their index, then put in order."""
    chosen = _chosen(select(CATALOGUE.c.number), query, matching).where(CATALOGUE.c.room.in_(rooms))
    return chosen.order_by(*_order(query.sort, func.abs(CATALOGUE.c.created_at)))  # no index has it so


def count(query: LibraryQuery, matching: Any | None) -> Select[Any]:
    """How many there are in all."""
    return _chosen(select(func.count()).select_from(CATALOGUE), query, matching)


def _chosen(chosen: Select[Any], query: LibraryQuery, matching: Any | None) -> Select[Any]:
    if query.sort is LibrarySort.WATCHED:
        seen = and_(WATCHED.c.lesson == CATALOGUE.c.lesson, WATCHED.c.viewer == query.viewer)
        chosen = chosen.join(WATCHED, seen)
    chosen = chosen.where(LISTED, *_conditions(query))
    return chosen if matching is None else chosen.where(CATALOGUE.c.number.in_(matching))


def _conditions(query: LibraryQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        CATALOGUE.c[name].in_(values) for name, values in query.words.items() if values
    ]
    if query.reach is not None:
        found.append(_within(query.reach, owned=query.owned))
    if query.rooms:
        found.append(CATALOGUE.c.room.in_(query.rooms))
    if query.series is not None:
        found.append(CATALOGUE.c.series == query.series)
    if query.states:
        found.append(CATALOGUE.c.recording.in_([word for state in query.states for word in STATES[state]]))
    if query.from_ms is not None:
        found.append(CATALOGUE.c.created_at >= query.from_ms)
    if query.to_ms is not None:
        found.append(CATALOGUE.c.created_at < query.to_ms)
    return found


def _within(circle: Circle, *, owned: bool) -> ColumnElement[bool]:
    opened, room = CATALOGUE.c.visibility, CATALOGUE.c.room
    ways: list[ColumnElement[bool]] = [room.in_(circle.own)]
    if circle.person:
        booked = select(BOOKINGS.c.lesson).where(BOOKINGS.c.teacher == circle.person)
        ways += [CATALOGUE.c.taught_by == circle.person, CATALOGUE.c.lesson.in_(booked)]
    if not owned:
        ways += [
            opened.in_((Visibility.COUNTY.value, Visibility.PUBLIC.value)),
            and_(opened == Visibility.SCHOOL.value, room.in_(circle.school)),
            and_(opened == Visibility.GROUP.value, room.in_(circle.school | circle.group)),
        ]
    return or_(*ways)


def _order(sort: LibrarySort, age: Any = CATALOGUE.c.created_at) -> tuple[Any, ...]:
    """The number comes last: no lesson is on two pages."""
    newest = (age.desc(), CATALOGUE.c.number.desc())
    oldest = (age, CATALOGUE.c.number)
    match sort:
        case LibrarySort.NEWEST:
            return newest
        case LibrarySort.OLDEST:
            return oldest
        case LibrarySort.TITLE:
            return (func.coalesce(func.nullif(CATALOGUE.c.title, ""), CATALOGUE.c.own_title), *newest)
        case LibrarySort.LONGEST:
            return (CATALOGUE.c.seconds.desc(), *newest)
        case LibrarySort.SERIES:
            return (CATALOGUE.c.position, *oldest)
        case LibrarySort.WATCHED:
            return (WATCHED.c.seen_at.desc(), CATALOGUE.c.number.desc())
