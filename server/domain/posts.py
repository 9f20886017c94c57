"""Who holds which role where, and from when to when (pure). DOMAIN.md's table of roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.domain.org import Organisation, UnitKind


class PostRole(StrEnum):
    """What a person is, in one unit and all below it."""

    COUNTY_ADMIN = "county_admin"
    SCHOOL_ADMIN = "school_admin"
    TEACHER = "teacher"
    ASSISTANT = "assistant"
    RESEARCHER = "researcher"
    OPERATOR = "operator"


PLACES: dict[PostRole, frozenset[UnitKind]] = {
    PostRole.COUNTY_ADMIN: frozenset({UnitKind.COUNTY}),
    PostRole.SCHOOL_ADMIN: frozenset({UnitKind.SCHOOL, UnitKind.POINT}),
    PostRole.TEACHER: frozenset({UnitKind.SCHOOL, UnitKind.CAMPUS, UnitKind.POINT}),
    PostRole.ASSISTANT: frozenset({UnitKind.SCHOOL, UnitKind.CAMPUS, UnitKind.POINT, UnitKind.ROOM}),
    PostRole.RESEARCHER: frozenset({UnitKind.COUNTY, UnitKind.SCHOOL}),
    PostRole.OPERATOR: frozenset({UnitKind.COUNTY}),
}
"""The kinds of unit in which a role can be held."""


@dataclass(frozen=True, slots=True)
class Post:
    """A person's role in a unit, for a time; `until` is the first day on which it no longer holds."""

    person: str
    role: PostRole
    unit: str
    since: date
    until: date | None = None

    def held(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


def reaches(post: Post, unit: str, day: date, organisation: Organisation) -> bool:
    """Whether the post covers a unit that day: its own and all below it; a school's admin also the schools
    that his leads."""
    if not post.held(day):
        return False
    if organisation.within(unit, post.unit, day):
        return True
    if post.role is not PostRole.SCHOOL_ADMIN:
        return False
    led = organisation.led_by(post.unit, day)
    return any(above.id in led for above in organisation.up(unit, day))


def reached(post: Post, day: date, organisation: Organisation) -> frozenset[str]:
    """All units that the post covers that day, closed ones and what was merged into them included."""
    if not post.held(day):
        return frozenset()
    found = set(organisation.ever_below(organisation.now(post.unit)))
    if post.role is PostRole.SCHOOL_ADMIN:
        for led in organisation.led_by(post.unit, day):
            found |= organisation.ever_below(led)
    return frozenset(found)


def holds(
    posts: Iterable[Post], roles: frozenset[PostRole], unit: str, day: date, organisation: Organisation
) -> bool:
    """Whether one of the posts is of these roles and covers the unit."""
    return any(post.role in roles and reaches(post, unit, day, organisation) for post in posts)
