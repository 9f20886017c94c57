"""A person's names in the free words of rows: found by whose lessons they are, replaced by a neutral word.

Statements of one transaction that its caller begins. The audit log is not among them: it cannot be changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.erasure import lesson_without, without
from server.store.county_tables import PEOPLE
from server.store.search_index import forget
from server.store.tables import CATALOGUE, CATALOGUE_WORDS, LESSONS, UPLOADS
from server.store.timetable_tables import BOOKINGS, LINES

AT_ONCE = 500
"""Rows of a statement."""
FREE_WORDS = (*CATALOGUE_WORDS, "own_title")

Names = Mapping[str, str]


async def lessons_of(connection: AsyncConnection, person: str, names: Names) -> list[str]:
    """Whose words are gone through: the lessons that this person taught or is to teach; and those nobody is
    known to have taught, under a name that nobody else has."""
    theirs = union(
        select(CATALOGUE.c.lesson).where(CATALOGUE.c.taught_by == person),
        select(BOOKINGS.c.lesson).where(BOOKINGS.c.teacher == person),
    )
    found = {row.lesson for row in await connection.execute(theirs)}
    own = await _nobody_elses(connection, person, names)
    if own:
        booked = select(BOOKINGS.c.lesson).where(BOOKINGS.c.teacher != "")
        nobodys = select(CATALOGUE.c.lesson).where(
            CATALOGUE.c.teacher.in_(own), CATALOGUE.c.taught_by == "", CATALOGUE.c.lesson.not_in(booked)
        )
        found |= {row.lesson for row in await connection.execute(nobodys)}
    return sorted(found)


async def _nobody_elses(connection: AsyncConnection, person: str, names: Names) -> list[str]:
    called = or_(PEOPLE.c.name_zh.in_(list(names)), PEOPLE.c.name_en.in_(list(names)))
    others = await connection.execute(
        select(PEOPLE.c.name_zh, PEOPLE.c.name_en).where(PEOPLE.c.person != person, called)
    )
    shared = {name for row in others for name in row}
    return [name for name in names if name not in shared]


async def erase_words(
    connection: AsyncConnection, person: str, lessons: Sequence[str], names: Names, *, sqlite: bool
) -> None:
    """In lessons, their catalogue and what the search knows of it, bookings, lines and uploads."""
    for first in range(0, len(lessons), AT_ONCE):
        some = lessons[first : first + AT_ONCE]
        await _of_lessons(connection, some, names)
        await _of_catalogue(connection, some, names, sqlite=sqlite)
        await _of_column(connection, BOOKINGS, "lesson", "title", BOOKINGS.c.lesson.in_(some), names)
    mine = LINES.c.value.contains(f'"{person}"', autoescape=True)
    await _of_json(connection, LINES, "line", mine, lambda value: _line_without(value, names))
    theirs = UPLOADS.c.actor.contains(f":{person}", autoescape=True)
    await _of_column(connection, UPLOADS, "upload", "title", theirs, names)


async def _of_lessons(connection: AsyncConnection, lessons: Sequence[str], names: Names) -> None:
    here = LESSONS.c.lesson.in_(lessons)
    await _of_json(connection, LESSONS, "lesson", here, lambda value: lesson_without(value, names))


async def _of_catalogue(
    connection: AsyncConnection, lessons: Sequence[str], names: Names, *, sqlite: bool
) -> None:
    asked = select(*(CATALOGUE.c[name] for name in ("number", "chapters", *FREE_WORDS)))
    for row in (await connection.execute(asked.where(CATALOGUE.c.lesson.in_(lessons)))).all():
        before = {name: str(row._mapping[name]) for name in FREE_WORDS}
        after = {name: without(text, names) for name, text in before.items()}
        chapters = msgspec.json.decode(row.chapters, type=list[dict[str, Any]])
        titled = [{**each, "title": without(str(each.get("title", "")), names)} for each in chapters]
        if after == before and titled == chapters:
            continue
        said = {**after, "chapters": msgspec.json.encode(titled).decode(), "indexed": False}
        changed = update(CATALOGUE).where(CATALOGUE.c.number == row.number)
        await connection.execute(changed.values(**said, version=CATALOGUE.c.version + 1))
        await forget(connection, [row.number], sqlite=sqlite)


def _line_without(value: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return {**value, "title": without(str(value.get("title", "")), names)}


async def _of_column(
    connection: AsyncConnection, table: Table, key: str, column: str, here: Any, names: Names
) -> None:
    """The words of one column."""
    asked = select(table.c[key].label("named"), table.c[column].label("said")).where(here)
    rows = (await connection.execute(asked)).all()
    changes = [(row.named, row.said, without(row.said, names)) for row in rows]
    await _put(connection, table, key, column, changes)


async def _of_json(connection: AsyncConnection, table: Table, key: str, here: Any, change: Any) -> None:
    """The words inside a JSON object in `value`."""
    asked = select(table.c[key].label("named"), table.c.value.label("said")).where(here)
    rows, changes = (await connection.execute(asked)).all(), []
    for row in rows:
        value = msgspec.json.decode(row.said)
        changed = change(value)
        if changed != value:
            changes.append((row.named, row.said, msgspec.json.encode(changed).decode()))
    await _put(connection, table, key, "value", changes)


async def _put(
    connection: AsyncConnection, table: Table, key: str, column: str, changes: Sequence[tuple[str, str, str]]
) -> None:
    rows = [{"of": named, "now": after} for named, before, after in changes if after != before]
    if rows:
        changed = update(table).where(table.c[key] == bindparam("of")).values({column: bindparam("now")})
        await connection.execute(changed, rows)
