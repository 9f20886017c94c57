"""A rehearsal with acting rooms: what the studio is told of it, and what campus says to the rooms' process.

Part of the WebSocket's language (docs/protocol.md) and of REST. Pure.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol.words import Words


class Step(StrEnum):
    """What happens in a rehearsal, in this order, and what the teacher is to do."""

    HAND = "hand"  # a room raises its hand: call on it
    SILENT = "silent"  # a room has no sound: look at the tiles and say which
    AWAY = "away"  # a room fell off: go on, call on another one
    BACK = "back"  # it is back: call on it


class PointOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="point_out"):
    """Teacher, in a rehearsal: this is the room that has no sound."""

    room: str


ToServer = PointOut


class StepDone(msgspec.Struct, frozen=True):
    """`ms`: how long the teacher took; None: too long."""

    step: Step
    ms: int | None


class RehearsalView(msgspec.Struct, frozen=True):
    """A rehearsal as its studio draws it. `step` None: the rooms come in, or all is calm. `room`: whom it
    is about, where the teacher need not find that out. `until`: so long there is time. `wrong`: the room that
    was pointed out was not the one. `over`: every step was played; End comes next."""

    done: list[StepDone]
    step: Step | None = None
    room: str | None = None
    until: int | None = None
    wrong: bool = False
    over: bool = False
    passed: bool = False


class NewRehearsal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`room`: the main room."""

    room: str


class RehearsedTeacher(msgspec.Struct, frozen=True):
    """`passed_at`: when it was passed last; None: not yet. `steps`: seconds of the newest try, None: missed.
    `person` "": whoever was there without a log-in."""

    person: str
    name: Words
    room: Words
    tries: int
    last_at: int
    passed_at: int | None
    steps: dict[str, float | None]


class Rehearsals(msgspec.Struct, frozen=True):
    """Who tried it, the newest first, at most 500; `teachers`: how many of the asker's units teach at all."""

    teachers: int
    tried: list[RehearsedTeacher]


# -- campus -> the process of the acting rooms: JSON lines on its standard input


class Act(StrEnum):
    HAND = "hand"
    SILENT = "silent"
    SOUND = "sound"
    FALL = "fall"
    COME = "come"


class Actor(msgspec.Struct, frozen=True):
    room: str
    token: str


class Cast(msgspec.Struct, frozen=True):
    """The first line: who plays, and where campus is."""

    url: str
    rooms: list[Actor]


class Cue(msgspec.Struct, frozen=True):
    """Every other line."""

    room: str
    act: Act


RESOURCES: list[type[msgspec.Struct]] = [Rehearsals]
BODIES: list[type[msgspec.Struct]] = [NewRehearsal]
