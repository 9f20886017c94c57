"""The organisation of the sample county: 156 schools, 127 teaching points, 907 rooms, 5,000 people (pure).

The numbers are those of a county in the mountains. Each of the main rooms is bound to the points it teaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from server.demo import names
from server.domain.org import Bond, BondKind, Dated, Unit, UnitKind
from server.domain.posts import Post, PostRole
from server.protocol.messages import Words

COUNTY = "county"
FOUNDED = date(2020, 9, 1)


@dataclass(frozen=True, slots=True)
class Size:
    """How large it is; `rooms`: of schools, beside the one of each point."""

    schools: int = 156
    points: int = 127
    rooms: int = 780
    recording_rooms: int = 64
    main_rooms: int = 55
    people: int = 5_000


@dataclass(frozen=True, slots=True)
class Resident:
    """A person with a log-in name, and what they are."""

    id: str
    login: str
    name: Words
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class County:
    """`mains`: rooms with a studio, in order, the teaching ones first; `taught`: of each that teaches, the
    rooms of the points it gives lessons to."""

    units: tuple[Unit, ...]
    bonds: tuple[Bond, ...]
    people: tuple[Resident, ...]
    mains: tuple[str, ...]
    taught: dict[str, tuple[str, ...]]


def build(size: Size, seed: int = 1) -> County:
    """The same county for the same size and seed."""
    chance = Random(seed)
    units = [_unit(COUNTY, UnitKind.COUNTY, Words(zh="星光县", en="Starlight County"))]
    schools = [_school(number) for number in range(size.schools)]
    rooms = [_room(number, schools[number % size.schools], size) for number in range(size.rooms)]
    units += [*schools, *rooms]
    points = [_point(size.schools + number, number, schools) for number in range(size.points)]
    far = [
        _unit(f"{point.id}-room", UnitKind.ROOM, point.name(FOUNDED), point.id, founded=FOUNDED)
        for point in points
    ]
    units += [*points, *far]
    mains = [room.id for room in rooms[: size.recording_rooms]]
    taught: dict[str, list[str]] = {main: [] for main in mains[: size.main_rooms]}
    bonds = []
    for number, room in enumerate(far):
        main = mains[number % size.main_rooms]
        taught[main].append(room.id)
        giving = rooms[number % size.main_rooms].parent(FOUNDED)
        bonds.append(Bond(BondKind.PAIR, giving, points[number].id, FOUNDED))
    people = _people(size, schools, points, chance)
    return County(
        tuple(units),
        tuple(bonds),
        tuple(people),
        tuple(mains),
        {main: tuple(each) for main, each in taught.items()},
    )


def _unit(unit: str, kind: UnitKind, name: Words, parent: str = "", founded: date = FOUNDED) -> Unit:
    parents = (Dated(founded, parent),) if parent else ()
    return Unit(unit, kind, founded, (Dated(founded, name),), parents)


def _school(number: int) -> Unit:
    place = names.place(number)
    name = Words(zh=f"{place.zh}小学", en=f"{place.en} Primary")
    return _unit(f"s{number:03}", UnitKind.SCHOOL, name, COUNTY)


def _room(number: int, school: Unit, size: Size) -> Unit:
    of_school = number // size.schools + 1
    place = school.name(FOUNDED)
    if number < size.recording_rooms:
        name = Words(zh=f"{place.zh}录播室", en=f"{place.en} recording room")
    else:
        name = Words(zh=f"{place.zh}{of_school}班教室", en=f"{place.en} classroom {of_school}")
    return _unit(f"r{number:03}", UnitKind.ROOM, name, school.id)


def _point(place: int, number: int, schools: list[Unit]) -> Unit:
    village = names.place(place)
    name = Words(zh=f"{village.zh}教学点", en=f"{village.en} point")
    return _unit(f"p{number:03}", UnitKind.POINT, name, schools[number % len(schools)].id)


def _people(size: Size, schools: list[Unit], points: list[Unit], chance: Random) -> list[Resident]:
    """A county's admin, operator and researchers; of each school an admin; an assistant of each point; the
    rest teach."""
    wanted: list[tuple[PostRole, str]] = [(PostRole.COUNTY_ADMIN, COUNTY), (PostRole.OPERATOR, COUNTY)]
    wanted += [(PostRole.RESEARCHER, COUNTY)] * 8
    wanted += [(PostRole.SCHOOL_ADMIN, school.id) for school in schools]
    wanted += [(PostRole.ASSISTANT, point.id) for point in points]
    teaching = max(0, size.people - len(wanted))
    wanted += [(PostRole.TEACHER, schools[number % len(schools)].id) for number in range(teaching)]
    found = []
    for number, (role, unit) in enumerate(wanted[: size.people]):
        person = f"d{number:04}"
        post = Post(person, role, unit, FOUNDED)
        found.append(
            Resident(person, f"{role.value.replace('_', '-')}-{number}", names.person(chance), (post,))
        )
    return found
