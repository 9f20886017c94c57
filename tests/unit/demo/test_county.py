"""The sample county: as large as told, true by the rules of organisations, the same each time."""

from datetime import date
from itertools import pairwise

from server.demo import names
from server.demo.county import FOUNDED, Size, build
from server.demo.past import past_lessons
from server.domain.org import Organisation, UnitKind, check_bond
from server.domain.posts import PLACES
from server.protocol.messages import LessonState

TODAY = date(2026, 11, 20)


def test_it_has_the_numbers_of_a_real_county() -> None:
    county = build(Size())
    kinds = [unit.kind for unit in county.units]
    assert kinds.count(UnitKind.SCHOOL) == 156
    assert kinds.count(UnitKind.POINT) == 127
    assert kinds.count(UnitKind.ROOM) == 907
    assert len(county.people) == 5_000
    assert len(county.taught) == 55
    taught = [room for rooms in county.taught.values() for room in rooms]
    assert len(set(taught)) == len(taught) == 127
    assert {len(rooms) for rooms in county.taught.values()} <= {1, 2, 3}


def test_its_units_bonds_and_posts_keep_the_rules() -> None:
    county = build(Size())
    organisation = Organisation({unit.id: unit for unit in county.units})
    kinds = {unit.id: unit.kind for unit in county.units}
    for bond in county.bonds:
        check_bond(bond, organisation)
    for resident in county.people:
        for post in resident.posts:
            assert kinds[post.unit] in PLACES[post.role]
    assert all(organisation.within(unit.id, "county", FOUNDED) for unit in county.units)
    assert len({resident.login for resident in county.people}) == 5_000


def test_no_two_places_have_one_name() -> None:
    assert len({names.place(number).zh for number in range(names.PLACES)}) == names.PLACES


def test_past_lessons_are_on_school_days_before_today_and_no_room_has_two_at_once() -> None:
    county = build(Size(schools=6, points=5, rooms=12, recording_rooms=4, main_rooms=3, people=60))
    found = list(past_lessons(county, 200, TODAY))
    assert len({one.lesson.id for one in found}) == 200
    assert all(one.lesson.state is LessonState.ENDED for one in found)
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in found:
        day = date.fromtimestamp((one.lesson.started_at or 0) / 1000)
        assert day < TODAY
        for room in (one.lesson.main_room, *one.lesson.rooms):
            spans.setdefault(room, []).append((one.lesson.started_at or 0, one.lesson.ended_at or 0))
    for each in spans.values():
        each.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(each))


def test_the_same_seed_makes_the_same_county() -> None:
    assert build(Size(), seed=3) == build(Size(), seed=3)
    assert build(Size(), seed=3).people != build(Size(), seed=4).people
