"""Who comes in: one studio, one page a room, any number of observers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.domain.lesson import Lesson
from server.protocol.messages import Role, Words


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token says: who comes, as what, and (for a lesson's guests) to which lesson only."""

    role: Role
    room: str
    name: Words
    lesson: str | None = None
    number: int = 0  # of the link that the token was made for
    label: str = ""  # of a guest's link: for whom it was made
    until: int = 0  # of a guest's link
    person: str = ""  # whose log-in opened this page


PASSES = frozenset({Role.WATCHER, Role.REMOTE})
"""Roles that a link opens, as long as the lesson names its number."""
MANY = frozenset({Role.OBSERVER, Role.WATCHER, Role.WALL, Role.GUEST})
"""Roles of which there may be any number of pages."""


class Admission(StrEnum):
    ADMIT = "admit"
    REPLACE = "replace"  # come in; the page that was here is told and hung up
    ASK = "ask"  # another studio teaches: "Take over here?"
    DENY = "deny"  # this room has no place in this lesson


def belongs(lesson: Lesson, identity: Identity) -> bool:
    """Whether this identity has a place in this lesson."""
    if identity.role in PASSES:
        found = lesson.watch_pass if identity.role is Role.WATCHER else lesson.remote_pass
        return identity.lesson == lesson.id and found is not None and found.number == identity.number
    if identity.role is Role.GUEST:
        return identity.room == lesson.main_room and identity.lesson in (None, lesson.id)
    if identity.role is Role.OBSERVER:
        return identity.lesson == lesson.id
    if identity.lesson is not None and identity.lesson != lesson.id:
        return False
    at_main = identity.role in (Role.TEACHER, Role.WALL)
    return identity.room == lesson.main_room if at_main else identity.room in lesson.rooms


def admit(*, occupied: bool, same_session: bool, role: Role, takeover: bool) -> Admission:
    """`occupied`: a living page of the same room and role is here; `same_session`: it is this one."""
    if not occupied or role in MANY:
        return Admission.ADMIT
    if same_session or role in (Role.ROOM, Role.REMOTE) or takeover:
        return Admission.REPLACE
    return Admission.ASK
