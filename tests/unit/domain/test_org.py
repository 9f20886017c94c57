"""Schools are renamed, moved and merged, and last year stays as it was."""

from __future__ import annotations

from datetime import date

import pytest

from server.domain.org import (
    MOST_UNITS,
    BadOrganisation,
    Bond,
    BondKind,
    Dated,
    Organisation,
    Unit,
    UnitKind,
    closed,
    founded,
    moved,
    renamed,
)
from server.domain.posts import Post, PostRole, holds, reaches
from server.protocol.messages import Words

D0, D1, D2 = date(2024, 9, 1), date(2025, 9, 1), date(2026, 9, 1)


def unit(name: str, kind: UnitKind, parent: str = "") -> Unit:
    parents = (Dated(D0, parent),) if parent else ()
    return Unit(name, kind, D0, (Dated(D0, Words(name, name.title())),), parents)


COUNTY = unit("county", UnitKind.COUNTY)
STAR = unit("star", UnitKind.SCHOOL, "county")
RIVER = unit("river", UnitKind.SCHOOL, "county")
POINT = unit("point", UnitKind.POINT, "river")
ROOM = unit("room", UnitKind.ROOM, "point")
GRADE3 = unit("grade3", UnitKind.CLASS, "room")
LEADS = Bond(BondKind.GROUP, "star", "river", D1)
ALL = (COUNTY, STAR, RIVER, POINT, ROOM, GRADE3)


def county(*changed: Unit) -> Organisation:
    return Organisation({each.id: each for each in (*ALL, *changed)}, (LEADS,))


def test_a_rename_holds_from_its_day_on_and_the_old_name_before() -> None:
    school = renamed(STAR, Words("新星", "New Star"), D1)
    assert school.name(D0).en == "Star"
    assert school.name(D1).en == "New Star"
    assert renamed(school, Words("明星", "Bright Star"), D1).name(D1).en == "Bright Star"


def test_a_point_that_moves_to_another_school_was_in_the_old_one_last_year() -> None:
    organisation = county(moved(POINT, STAR, D1, county()))
    assert [each.id for each in organisation.up("room", D0)] == ["room", "point", "river", "county"]
    assert [each.id for each in organisation.up("room", D1)] == ["room", "point", "star", "county"]
    assert "room" in {each.id for each in organisation.below("river", D0)}
    assert "room" not in {each.id for each in organisation.below("river", D1)}
    school = organisation.school("grade3", D1)
    assert school is not None
    assert school.id == "star"


def test_a_merged_school_is_found_under_the_one_that_took_it_over() -> None:
    empty = county(moved(POINT, STAR, D1, county()))
    merged = Organisation({**empty.units, "river": closed(RIVER, D2, empty, STAR)})
    assert merged.now("river") == "star"
    assert merged.were("star") == {"star", "river"}
    assert merged.units["river"].there(D1)
    assert not merged.units["river"].there(D2)
    assert "river" not in {each.id for each in merged.below("county", D2)}
    assert "river" in {each.id for each in merged.below("county", D1)}


def test_a_school_with_units_under_it_is_not_closed() -> None:
    with pytest.raises(BadOrganisation, match='"Point"'):
        closed(RIVER, D1, county())


@pytest.mark.parametrize("successor", [RIVER, POINT])
def test_a_unit_goes_only_into_another_of_its_kind(successor: Unit) -> None:
    organisation = county(moved(POINT, STAR, D1, county()))
    with pytest.raises(BadOrganisation):
        closed(RIVER, D1, organisation, successor)


def test_a_unit_stands_only_where_its_kind_may() -> None:
    with pytest.raises(BadOrganisation):
        moved(STAR, POINT, D1, county())
    with pytest.raises(BadOrganisation):
        moved(POINT, closed(STAR, D1, county()), D1, county())


def test_the_tree_is_told_whole_and_so_has_an_end() -> None:
    many = {f"r{number}": STAR for number in range(MOST_UNITS)}
    with pytest.raises(BadOrganisation) as told:
        founded("new", UnitKind.SCHOOL, Words("新", "New"), "county", D1, Organisation(many))
    assert told.value.code == "county_full"


def test_history_is_not_rewritten() -> None:
    school = renamed(STAR, Words("新星", "New Star"), D2)
    with pytest.raises(BadOrganisation):
        renamed(school, Words("x", "x"), D1)
    with pytest.raises(BadOrganisation):
        closed(STAR, D0, county())
    with pytest.raises(BadOrganisation):
        renamed(closed(STAR, D1, county()), Words("x", "x"), D2)


def test_a_post_covers_its_unit_and_all_below_while_it_is_held() -> None:
    post = Post("li", PostRole.TEACHER, "river", D0, D2)
    assert reaches(post, "room", D1, county())
    assert not reaches(post, "star", D1, county())
    assert not reaches(post, "room", D2, county())


def test_an_admin_of_a_leading_school_covers_its_members_from_the_day_it_leads() -> None:
    admin = Post("wang", PostRole.SCHOOL_ADMIN, "star", D0)
    assert not reaches(admin, "room", D0, county())
    assert reaches(admin, "room", D1, county())
    assert not reaches(Post("li", PostRole.TEACHER, "star", D0), "room", D1, county())


def test_the_county_admin_covers_all_and_only_the_asked_roles_count() -> None:
    posts = [Post("zhao", PostRole.COUNTY_ADMIN, "county", D0)]
    assert holds(posts, frozenset({PostRole.COUNTY_ADMIN}), "grade3", D1, county())
    assert not holds(posts, frozenset({PostRole.OPERATOR}), "grade3", D1, county())
