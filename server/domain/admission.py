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


class Admission(StrEnum):
    ADMIT = "admit"
    REPLACE = "replace"  # come in; the page that was here is told and hung up
    ASK = "ask"  # another studio teaches: "Take over here?"
    DENY = "deny"  # this room has no place in this lesson


def belongs(lesson: Lesson, identity: Identity) -> bool:
    """Whether this identity has a place in this lesson."""
    if identity.role is Role.OBSERVER:
        return identity.lesson == lesson.id
    if identity.lesson is not None and identity.lesson != lesson.id:
        return False
    return (
        identity.room == lesson.main_room if identity.role is Role.TEACHER else identity.room in lesson.rooms
    )


def admit(*, occupied: bool, same_session: bool, role: Role, takeover: bool) -> Admission:
    """`occupied`: a living page of the same room and role is here; `same_session`: it is this one."""
    if not occupied or role is Role.OBSERVER:
        return Admission.ADMIT
    if same_session or role is Role.ROOM or takeover:
        return Admission.REPLACE
    return Admission.ASK
