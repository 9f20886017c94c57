"""A lesson that nobody booked asks rooms to join (docs/protocol.md). A part of the WebSocket's language.
Pure.

The studio calls rooms; each shows the call for a minute, and sends picture and sound only after a touch or
key there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from server.protocol.words import Words

MOST_CALLED = 12


class CallState(StrEnum):
    """What became of a call, as the studio is told."""

    FREE = "free"  # it may be called
    AWAY = "away"  # its page is not open
    BUSY = "busy"  # it is in another lesson
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"  # nobody touched the screen


_Rooms = Annotated[list[str], msgspec.Meta(max_length=MOST_CALLED)]


class CallRooms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="call_rooms"):
    """Teacher: ask these rooms to join the lesson. Who was asked before and did not come is asked again."""

    rooms: _Rooms


class AnswerCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answer_call"):
    """Room: somebody there touched [Join] or [Not now]. `lesson`: `Invited.lesson`."""

    lesson: str
    accepted: bool


ToServer = CallRooms | AnswerCall


class Invited(msgspec.Struct, frozen=True):
    """Who asks, for which lesson, and until when the question stands."""

    lesson: str
    title: Words
    main_name: Words
    until: int


class Calling(msgspec.Struct, frozen=True, tag="calling"):
    """To a room outside a lesson: it is invited; None: (no longer)."""

    invited: Invited | None


class CallableRoom(msgspec.Struct, frozen=True):
    room: str
    name: Words
    school: Words
    state: CallState
    until: int | None = None  # of a call that stands


class CallableRooms(msgspec.Struct, frozen=True, tag="callable_rooms"):
    """To the studio of a lesson that nobody booked: which rooms it may ask, and what became of the calls."""

    rooms: list[CallableRoom]


FromServer = Calling | CallableRooms
