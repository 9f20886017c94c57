"""What campus and the publisher say to each other (Unix socket, framed by `recorder.framing`).

Every command is idempotent: after a restart of either side campus says `Submit` again for every lesson whose
row is not settled, and the publisher answers with how far it is.
"""

from __future__ import annotations

import hashlib

import msgspec

from recorder.archive.published import PublishingState, Stretch

VERSION = 1


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int = VERSION


class Moment(msgspec.Struct, frozen=True):
    """A mark on the recording's clock. `kind` as the store's marks; `room`: the one called on, or ""."""

    at_s: float
    kind: str
    room: str = ""


class Card(msgspec.Struct, frozen=True):
    """What the export's title card says; empty lines are left out."""

    title: str = ""
    school: str = ""
    teacher: str = ""
    subject: str = ""
    date: str = ""

    @property
    def digest(self) -> str:
        """A name for these words that does not say them."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """Make everything of this recording that is not made yet. A higher `attempt` tries again what failed;
    `export`: also the export, behind this `card`; `kept`: what film and export show, none: everything. They
    are made again where it is not what they were made of."""

    lesson: str
    attempt: int = 1
    export: bool = False
    card: Card = Card()
    moments: list[Moment] = []
    kept: list[Stretch] = []


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Which lessons are live now. Said whenever that changes."""

    lessons_live: int
    lessons: list[str] = []


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """Delete the recording and all that was made of it: derived files first, the journal, the rest last.
    `derived_only`: only what can be made again; `stored_only`: only what the object store holds too."""

    lesson: str
    derived_only: bool = False
    stored_only: bool = False


Command = Hello | Submit | Load | Remove


class Publishing(msgspec.Struct, frozen=True, tag="publishing"):
    """One recording as it is now. `step`: the one that runs or the last that failed; `problem`: "" or a
    stable code (`recorder.publish.problems`)."""

    lesson: str
    state: PublishingState
    attempt: int = 1
    progress: float = 0.0
    step: str = ""
    problem: str = ""
    detail: str = ""


class Removed(msgspec.Struct, frozen=True, tag="removed"):
    """`problem`: "" or why nothing was deleted ("busy", "disk", "bad_name")."""

    lesson: str
    bytes: int = 0
    derived_only: bool = False
    stored_only: bool = False
    left: int = 0  # bytes of media that the object store does not hold yet
    problem: str = ""


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    free_bytes: int
    version: int = VERSION


Event = Welcome | Publishing | Removed
