"""People of a spreadsheet against those who are there: what is new, renamed, appointed, ended; written at
once or not at all. Files are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select, update

from server.clock import Clock
from server.domain.sheets.people import PersonLine
from server.ids import random_word
from server.store.county_tables import PEOPLE, POSTS
from server.store.database import Database
from server.store.people import LoginTaken, PeopleStore, StalePerson
from server.store.people_records import HeldPost, Person

AT_ONCE = 500  # log-in names in one question: SQLite takes a bounded number of values


@dataclass(slots=True)
class PeoplePlan:
    """`new`: the first line of each log-in name that is not there; `same`: posts that stand already."""

    new: list[PersonLine] = field(default_factory=list)
    renamed: list[tuple[Person, PersonLine]] = field(default_factory=list)
    appointed: list[PersonLine] = field(default_factory=list)
    ended: list[tuple[HeldPost, PersonLine]] = field(default_factory=list)
    same: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is there of the file's log-in names, and what they hold."""

    people: Mapping[str, Person]
    posts: Mapping[str, list[HeldPost]]


def plan(lines: Sequence[PersonLine], standing: Standing, today: date) -> PeoplePlan:
    """What the lines ask for beyond what stands (pure)."""
    made, seen = PeoplePlan(), set[str]()
    for line in lines:
        person = standing.people.get(line.login)
        if line.login not in seen:
            seen.add(line.login)
            if person is None:
                made.new.append(line)
            elif person.name != line.name:
                made.renamed.append((person, line))
        held = next((each for each in standing.posts.get(line.login, ()) if _is(each, line, today)), None)
        if held is None:
            made.appointed.append(line)
        elif line.until is not None and held.post.until != line.until:
            made.ended.append((held, line))
        else:
            made.same += 1
    return made


def _is(held: HeldPost, line: PersonLine, today: date) -> bool:
    """Whether this is the post that a line speaks of: the one that holds, or that ended as the line says."""
    post = held.post
    if (post.role, post.unit) != (line.role, line.unit):
        return False
    return post.until is None or post.until > today or post.until == line.until


class PeopleImport:
    def __init__(self, database: Database, people: PeopleStore, clock: Clock) -> None:
        self._database = database
        self._people = people
        self._clock = clock

    async def standing(self, lines: Sequence[PersonLine]) -> Standing:
        logins = list(dict.fromkeys(line.login for line in lines))
        people: dict[str, Person] = {}
        for start in range(0, len(logins), AT_ONCE):
            part = select(PEOPLE.c.login).where(PEOPLE.c.login.in_(logins[start : start + AT_ONCE]))
            for row in await self._database.rows(part):
                found = await self._people.by_login(row.login)
                if found is not None:
                    people[row.login] = found[0]
        return Standing(people, {login: await self._people.posts(each.id) for login, each in people.items()})

    async def carry_out(
        self, made: PeoplePlan, standing: Standing, hashes: Mapping[str, str], today: date
    ) -> dict[str, str]:
        """All of it or nothing; the ids of the new people by log-in name. `hashes`: of first passwords.
        LoginTaken or StalePerson where somebody was quicker."""
        now = self._clock.wall_ms()
        ids = {line.login: "p" + random_word(12) for line in made.new}
        ids_of = {**{login: person.id for login, person in standing.people.items()}, **ids}
        async with self._database.writing() as connection:
            for line in made.new:
                taken = await connection.execute(select(PEOPLE.c.person).where(PEOPLE.c.login == line.login))
                if taken.first() is not None:
                    raise LoginTaken(line.login)
            await _many(connection, PEOPLE.insert(), [
                {"person": ids[line.login], "login": line.login, "name_zh": line.name.zh,
                 "name_en": line.name.en, "password_hash": hashes[line.login], "must_change": True,
                 "created_at": now, "changed_at": now}
                for line in made.new
            ])  # fmt: skip
            for person, line in made.renamed:
                changed = update(PEOPLE).where(
                    PEOPLE.c.person == person.id, PEOPLE.c.version == person.version
                )
                values = {"name_zh": line.name.zh, "name_en": line.name.en}
                done = await connection.execute(
                    changed.values(**values, version=PEOPLE.c.version + 1, changed_at=now)
                )
                if done.rowcount != 1:
                    raise StalePerson
            await _many(connection, POSTS.insert(), [
                {"person": ids_of[line.login], "role": line.role.value, "unit": line.unit,
                 "since": line.since or today, "until": line.until}
                for line in made.appointed
            ])  # fmt: skip
            for held, line in made.ended:
                await connection.execute(
                    update(POSTS).where(POSTS.c.number == held.number).values(until=line.until)
                )
        self._people.changes += 1
        return ids


async def _many(connection: Any, statement: Any, rows: list[dict[str, object]]) -> None:
    if rows:
        await connection.execute(statement, rows)
