"""Whom a main room may ask into a lesson that nobody booked."""

from datetime import date

from server.domain.invitation import callable_rooms
from server.domain.org import Bond, BondKind, Dated, Organisation, Unit, UnitKind
from server.protocol.messages import Words

FOUNDED, TODAY, LATER = date(2020, 9, 1), date(2026, 11, 20), date(2027, 2, 1)


def unit(name: str, kind: UnitKind, above: str = "") -> Unit:
    parents = (Dated(FOUNDED, above),) if above else ()
    return Unit(name, kind, FOUNDED, (Dated(FOUNDED, Words(name, name)),), parents)


UNITS = [
    unit("county", UnitKind.COUNTY),
    *(unit(school, UnitKind.SCHOOL, "county") for school in ("star", "river", "hill")),
    unit("far", UnitKind.POINT, "river"),
    *(
        unit(room, UnitKind.ROOM, place)
        for room, place in (("main", "star"), ("own", "star"), ("r1", "river"), ("f1", "far"), ("h1", "hill"))
    ),
]
PAIRED = Bond(BondKind.PAIR, "star", "river", FOUNDED, LATER)


def test_a_main_room_asks_its_own_school_and_those_bound_to_it_with_their_points() -> None:
    organisation = Organisation({each.id: each for each in UNITS}, (PAIRED,))
    assert callable_rooms("main", organisation, TODAY) == {"own", "r1", "f1"}
    assert callable_rooms("r1", organisation, TODAY) == {"main", "own", "f1"}
    assert callable_rooms("h1", organisation, TODAY) == frozenset()


def test_when_the_bond_is_over_nobody_of_the_other_school_is_asked() -> None:
    organisation = Organisation({each.id: each for each in UNITS}, (PAIRED,))
    assert callable_rooms("main", organisation, LATER) == {"own"}
    assert callable_rooms("nowhere", organisation, TODAY) == frozenset()
