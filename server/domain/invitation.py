"""An ad hoc lesson's invitations: nobody's camera opens but by a hand in the room itself (pure).

ASKED --accept--> ACCEPTED      (a touch or key in the room)
  |---decline--> DECLINED
  '---60 s-----> EXPIRED
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from server.domain.org import Organisation, UnitKind
from server.errors import UserFault


class InvitationState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A room is asked to join; `until` in milliseconds since 1970."""

    lesson: str
    room: str
    until: int
    state: InvitationState = InvitationState.ASKED


SHOWN_MS = 60_000


def callable_rooms(main_room: str, organisation: Organisation, day: date) -> frozenset[str]:
    """The rooms that a main room may ask without anybody's list: those of its own school, and of every school
    and point that a pair, group or community binds to it that day."""
    own = organisation.school(main_room, day)
    if own is None:
        return frozenset()
    bonds = [bond for bond in organisation.bonds if bond.there(day) and own.id in (bond.first, bond.second)]
    near = {own.id, *(bond.first for bond in bonds), *(bond.second for bond in bonds)}
    return frozenset(
        unit.id
        for place in near
        for unit in organisation.below(place, day)
        if unit.kind is UnitKind.ROOM and unit.id != main_room
    )


def invite(lesson: str, room: str, allowed: frozenset[str], now: int, shown_ms: int = SHOWN_MS) -> Invitation:
    """A new invitation. UserFault where this main room may not call that room."""
    if room not in allowed:
        raise UserFault(
            "room_not_allowed",
            zh="这个教室不允许由您的教室临时邀请，请联系县管理员。",
            en="Your room may not invite this one; ask the county's administrator to allow it.",
        )
    return Invitation(lesson, room, now + shown_ms)


def answer(invitation: Invitation, accepted: bool, now: int) -> Invitation:
    """The room's answer. A second answer and one that comes too late change nothing."""
    current = tick(invitation, now)
    if current.state is not InvitationState.ASKED:
        return current
    return replace(current, state=InvitationState.ACCEPTED if accepted else InvitationState.DECLINED)


def tick(invitation: Invitation, now: int) -> Invitation:
    """The invitation as it is now."""
    if invitation.state is InvitationState.ASKED and now >= invitation.until:
        return replace(invitation, state=InvitationState.EXPIRED)
    return invitation
