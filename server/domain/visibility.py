"""Who may watch a recording besides its main room and the admin: closed unless somebody opened it (pure).

room < school < group < county < public. Which rooms that means is asked of the organisation, as it is on
the day of the asking: a school that joined a group sees what the group was given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.domain.org import BondKind, Organisation


class Visibility(StrEnum):
    """How far a recording is opened; each includes those before it."""

    ROOM = "room"  # the main room's teacher
    SCHOOL = "school"  # the main room's school
    GROUP = "group"  # the schools bound to it in a group, a community or a pair
    COUNTY = "county"  # everybody who teaches in the county
    PUBLIC = "public"  # everybody; two people have to agree


@dataclass(frozen=True, slots=True)
class Circle:
    """The main rooms whose recordings somebody reaches: `own` whatever their visibility, `school` from
    SCHOOL on, `group` from GROUP on, of every room from COUNTY on; and what `person` taught."""

    own: frozenset[str] = frozenset()
    school: frozenset[str] = frozenset()
    group: frozenset[str] = frozenset()
    person: str = ""

    def sees(self, main_room: str | None, visibility: Visibility, teacher: str = "") -> bool:
        """Whether a recording is in it: of this main room, taught by this person."""
        if main_room is None:
            return False
        if self.person and self.person == teacher:
            return True
        if visibility in (Visibility.COUNTY, Visibility.PUBLIC) or main_room in self.own:
            return True
        if visibility is Visibility.GROUP:
            return main_room in self.group or main_room in self.school
        return visibility is Visibility.SCHOOL and main_room in self.school

    def with_circle(self, other: Circle) -> Circle:
        """Both: the posts of one person."""
        if self == NO_CIRCLE:
            return other
        if other == NO_CIRCLE:
            return self
        return Circle(
            self.own | other.own,
            self.school | other.school,
            self.group | other.group,
            self.person or other.person,
        )


NO_CIRCLE = Circle()


def circle_of(
    own: frozenset[str], at_home: Iterable[str], day: date, organisation: Organisation, person: str = ""
) -> Circle:
    """`own`: units whose recordings are one's own; `at_home`: units one works in."""
    homes = (organisation.school(unit, day) for unit in at_home)
    schools = {home.id for home in homes if home is not None}
    school = _units_of(schools, organisation)
    group = _units_of(_bound(schools, day, organisation) - schools, organisation)
    return Circle(own, school, group, person)


def _units_of(schools: Iterable[str], organisation: Organisation) -> frozenset[str]:
    """All units that stand, or last stood, under one of the schools, or under what went into one of them."""
    found: set[str] = set()
    for school in schools:
        found |= organisation.ever_below(school)
    return frozenset(found)


def _bound(schools: set[str], day: date, organisation: Organisation) -> set[str]:
    """Schools in a group or community with one of these, or its pair."""
    held = [bond for bond in organisation.bonds if bond.there(day)]
    leaders = {bond.first for bond in held if bond.second in schools} | schools
    found = set(leaders)
    for bond in held:
        # Who follows the same leader is of the same group; a pair is the two alone.
        if bond.first in leaders and (bond.kind is not BondKind.PAIR or bond.first in schools):
            found.add(bond.second)
    return found
