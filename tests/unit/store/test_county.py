"""server.store.county and people: what was changed is read again, with its history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.org import BadOrganisation, Bond, BondKind, UnitKind
from server.domain.posts import Post, PostRole
from server.errors import Refused
from server.protocol.messages import Words
from server.store.county import NoUnit, StaleUnit
from server.store.people import LoginTaken, NoPerson, StalePerson
from server.store.store import Store

D0, D1, D2 = date(2024, 9, 1), date(2025, 9, 1), date(2026, 9, 1)


def words(name: str) -> Words:
    return Words(zh=name, en=name)


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    opened = await Store.open(place, SystemClock())
    county = opened.county
    await county.add(UnitKind.COUNTY, words("County"), since=D0, unit="c")
    for school in ("star", "river"):
        await county.add(UnitKind.SCHOOL, words(school), "c", since=D0, unit=school)
    await county.add(UnitKind.POINT, words("Point"), "river", since=D0, unit="point")
    await county.add(UnitKind.ROOM, words("Room"), "point", since=D0, unit="room")
    await county.add(UnitKind.ROOM, words("Studio"), "star", since=D0, unit="studio", main=True)
    yield opened
    await opened.close()


async def test_names_and_parents_of_last_year_stay_as_they_were(store: Store) -> None:
    county = store.county
    await county.rename("star", words("New Star"), D1)
    await county.move("point", "star", D1)
    await county.rename("star", words("Bright Star"), D1)
    organisation = await county.load()
    assert organisation.units["star"].name(D0).en == "star"
    assert organisation.units["star"].name(D2).en == "Bright Star"
    assert organisation.within("room", "river", D0)
    assert organisation.within("room", "star", D1)


async def test_a_merged_schools_rooms_go_on_in_the_other_one(store: Store) -> None:
    await store.county.merge("river", "star", D1)
    organisation = await store.county.load()
    assert organisation.now("river") == "star"
    assert organisation.units["river"].until == D1
    assert organisation.within("room", "star", D1)
    assert [(room.room, room.main) for room in await store.classrooms()] == [
        ("room", False),
        ("studio", True),
    ]


async def test_a_school_with_rooms_is_not_closed_and_nothing_is_half_done(store: Store) -> None:
    with pytest.raises(BadOrganisation, match="close them first"):
        await store.county.close("river", D1)
    assert (await store.county.unit("river")).until is None
    with pytest.raises(NoUnit):
        await store.county.rename("nowhere", words("x"), D1)


async def test_who_saw_an_older_version_is_told(store: Store) -> None:
    seen = await store.county.version("star")
    await store.county.rename("star", words("First"), D1, seen)
    with pytest.raises(StaleUnit):
        await store.county.rename("star", words("Second"), D1, seen)
    assert (await store.county.unit("star")).name(D1).en == "First"


async def test_bonds_begin_and_end(store: Store) -> None:
    bond = Bond(BondKind.GROUP, "star", "river", D0)
    await store.county.bind(bond)
    with pytest.raises(BadOrganisation):
        await store.county.bind(bond)
    assert (await store.county.load()).led_by("star", D1) == {"river"}
    await store.county.unbind(BondKind.GROUP, "star", "river", D1)
    organisation = await store.county.load()
    assert organisation.led_by("star", D0) == {"river"}
    assert organisation.led_by("star", D1) == frozenset()


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "two\nlines", "nul\0"])
async def test_a_name_that_cannot_be_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadOrganisation):
        await store.county.add(UnitKind.SCHOOL, words(name), "c")


async def test_sql_and_html_in_names_are_names(store: Store) -> None:
    name = words("Robert'); DROP TABLE units;-- <script>alert(1)</script> %_\\")
    made = await store.county.add(UnitKind.SCHOOL, name, "c", since=D0)
    person = await store.people.add("o'brien", name)
    store.county._known = None
    assert (await store.county.unit(made.id)).name(D1) == name
    assert (await store.people.person(person.id)).name == name
    assert [found.id for found in (await store.people.find("%_\\"))[0]] == [person.id]
    assert (await store.people.find("%x"))[1] == 0


async def test_people_hold_posts_and_log_in_by_one_name(store: Store) -> None:
    people = store.people
    person = await people.add("Li.Na", Words(zh="李娜", en="Li Na"), "hash", must_change=True)
    with pytest.raises(LoginTaken):
        await people.add("li.na ", words("Other"))
    found = await people.by_login(" LI.NA")
    assert found == (person, "hash")
    assert person.must_change
    number = await people.appoint(Post(person.id, PostRole.TEACHER, "star", D0))
    await people.end_post(number, D1)
    assert [held.post for held in await people.posts(person.id)] == [
        Post(person.id, PostRole.TEACHER, "star", D0, D1)
    ]
    assert (await people.find("娜", frozenset({"star"})))[1] == 1
    assert (await people.find("", frozenset({"river"})))[1] == 0
    with pytest.raises(NoPerson):
        await people.person("nobody")


async def test_two_admins_who_change_one_person_do_not_overwrite_each_other(store: Store) -> None:
    person = await store.people.add("li", words("Li"))
    await store.people.rename(person.id, words("First"), person.version)
    with pytest.raises(StalePerson):
        await store.people.rename(person.id, words("Second"), person.version)
    with pytest.raises(Refused):
        await store.people.set_active("nobody", False)
