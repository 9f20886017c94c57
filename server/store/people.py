"""People and their posts: rows and queries. Passwords come and go as Argon2id strings only."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, func, or_, select, update

from server.clock import Clock
from server.domain.people import checked_login, plain_login
from server.domain.posts import Post, PostRole
from server.errors import Refused, UserFault
from server.ids import random_word
from server.protocol.messages import Words
from server.store.county_tables import PEOPLE, POSTS
from server.store.database import Database
from server.store.people_records import HeldPost, Person
from server.store.remembered import Kept

MOST_KNOWN = 5_000
MOST_PAGES = 200


class StalePerson(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚改过这一项。请刷新后看清新的内容再改。",
            en="Somebody else changed this meanwhile. Load it again and look before you change it.",
        )


class NoPerson(Refused):
    def __init__(self) -> None:
        super().__init__("not_found", zh="没有这个人。", en="There is no such person.")


class LoginTaken(UserFault):
    def __init__(self, login: str) -> None:
        super().__init__(
            "login_taken", zh=f"登录名“{login}”已有人使用。", en=f'The log-in name "{login}" is taken.'
        )


class PeopleStore:
    """Queries and changes, each a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.changes = 0
        """How often somebody's post or state changed; actors made before are stale."""
        self._can_log_in: Kept[bool] = Kept(database, (PEOPLE,), 1)
        self._known: Kept[Person | None] = Kept(database, (PEOPLE,), MOST_KNOWN)
        self._held: Kept[list[HeldPost]] = Kept(database, (POSTS,), MOST_KNOWN)
        self._found: Kept[tuple[list[Person], int]] = Kept(database, (PEOPLE, POSTS), MOST_PAGES)

    # -- people

    async def is_empty(self) -> bool:
        """Whether nobody can log in yet."""
        return not await self._can_log_in.get((), self._somebody)

    async def _somebody(self) -> bool:
        found = select(PEOPLE.c.person).where(PEOPLE.c.password_hash != "").limit(1)
        return await self._database.row(found) is not None

    async def person(self, person: str) -> Person:
        """NoPerson where there is none."""
        found = await self._known.get(person, lambda: self._read(person))
        if found is None:
            raise NoPerson
        return found

    async def _read(self, person: str) -> Person | None:
        row = await self._database.row(select(PEOPLE).where(PEOPLE.c.person == person))
        return None if row is None else _person(row)

    async def by_login(self, login: str) -> tuple[Person, str] | None:
        """Who logs in under this name, with the password's hash ("": none yet)."""
        row = await self._database.row(select(PEOPLE).where(PEOPLE.c.login == plain_login(login)))
        return None if row is None else (_person(row), str(row.password_hash))

    async def find(
        self, text: str = "", units: frozenset[str] | None = None, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[Person], int]:
        """One page and how many in all: by a part of name or login; with a post in `units` (None: all)."""
        return await self._found.get(
            (text, units, offset, limit), lambda: self._search(text, units, offset, limit)
        )

    async def _search(
        self, text: str, units: frozenset[str] | None, offset: int, limit: int
    ) -> tuple[list[Person], int]:
        conditions: list[Any] = []
        if text.strip():
            part = f"%{_literal(text.strip().lower())}%"
            names = (PEOPLE.c.login, func.lower(PEOPLE.c.name_zh), func.lower(PEOPLE.c.name_en))
            conditions.append(or_(*(name.like(part, escape="\\") for name in names)))
        if units is not None:
            conditions.append(PEOPLE.c.person.in_(select(POSTS.c.person).where(POSTS.c.unit.in_(units))))
        counted = await self._database.rows(select(func.count()).select_from(PEOPLE).where(*conditions))
        page = select(PEOPLE).where(*conditions).order_by(PEOPLE.c.login).offset(offset).limit(limit)
        return [_person(row) for row in await self._database.rows(page)], int(counted[0][0])

    async def add(
        self, login: str, name: Words, password_hash: str = "", *, must_change: bool = False, person: str = ""
    ) -> Person:
        """LoginTaken; UserFault "bad_login"."""
        login, now = checked_login(login), self._clock.wall_ms()
        person = person or "p" + random_word(12)
        async with self._database.writing() as connection:
            taken = await connection.execute(select(PEOPLE.c.person).where(PEOPLE.c.login == login))
            if taken.first() is not None:
                raise LoginTaken(login)
            await connection.execute(
                PEOPLE.insert().values(
                    person=person, login=login, name_zh=name.zh, name_en=name.en, password_hash=password_hash,
                    must_change=must_change, created_at=now, changed_at=now,
                )
            )  # fmt: skip
        return await self.person(person)

    async def rename(self, person: str, name: Words, version: int | None = None) -> Person:
        return await self._change(person, version, name_zh=name.zh, name_en=name.en)

    async def set_active(self, person: str, active: bool, version: int | None = None) -> Person:
        """Who is not active cannot log in; everything else stays."""
        return await self._change(person, version, active=active)

    async def set_language(self, person: str, language: str) -> Person:
        return await self._change(person, None, language=language)

    async def set_password(self, person: str, password_hash: str, *, must_change: bool) -> Person:
        """`must_change`: the person is asked for another one at the next log-in."""
        return await self._change(person, None, password_hash=password_hash, must_change=must_change)

    async def _change(self, person: str, version: int | None, **values: object) -> Person:
        changed = update(PEOPLE).where(PEOPLE.c.person == person)
        if version is not None:
            changed = changed.where(PEOPLE.c.version == version)
        values |= {"version": PEOPLE.c.version + 1, "changed_at": self._clock.wall_ms()}
        async with self._database.writing() as connection:
            done = (await connection.execute(changed.values(**values))).rowcount == 1
        found = await self.person(person)
        if not done:
            raise StalePerson
        return found

    # -- posts

    async def posts(self, person: str) -> list[HeldPost]:
        """All that the person holds, held or will hold."""
        return await self._held.get(person, lambda: self._posts(person))

    async def _posts(self, person: str) -> list[HeldPost]:
        return (await self.posts_of([person]))[person]

    async def posts_of(self, people: list[str]) -> dict[str, list[HeldPost]]:
        """The same of several people at once."""
        asked = select(POSTS).where(POSTS.c.person.in_(people)).order_by(POSTS.c.number)
        found: dict[str, list[HeldPost]] = {person: [] for person in people}
        for row in await self._database.rows(asked):
            found[row.person].append(_post(row))
        return found

    async def posts_in(self, units: frozenset[str]) -> list[HeldPost]:
        """Who holds or held what in these units."""
        rows = await self._database.rows(
            select(POSTS).where(POSTS.c.unit.in_(units)).order_by(POSTS.c.number)
        )
        return [_post(row) for row in rows]

    async def appoint(self, post: Post) -> int:
        """A new post; its number."""
        values = {"person": post.person, "role": post.role.value, "unit": post.unit}
        async with self._database.writing() as connection:
            made = await connection.execute(
                POSTS.insert().values(**values, since=post.since, until=post.until)
            )
            key = made.inserted_primary_key
            assert key is not None
            self.changes += 1
            return int(key[0])

    async def end_post(self, number: int, day: date) -> None:
        """It no longer holds from a day on."""
        await self._database.write(update(POSTS).where(POSTS.c.number == number).values(until=day))
        self.changes += 1


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _person(row: Row[Any]) -> Person:
    name = Words(zh=row.name_zh, en=row.name_en)
    return Person(
        row.person, row.login, name, language=row.language, has_password=bool(row.password_hash),
        must_change=bool(row.must_change), active=bool(row.active), version=row.version,
    )  # fmt: skip


def _post(row: Row[Any]) -> HeldPost:
    return HeldPost(row.number, Post(row.person, PostRole(row.role), row.unit, row.since, row.until))
