"""What pages, campus and REST say of guests: their links, the lobby, who is let in.

A part of the WebSocket's language (`messages` joins it into the unions). Pure values.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol.broadcast import Staged
from server.protocol.words import Words


class GuestState(StrEnum):
    """A guest's way into the lesson; who is refused is hung up."""

    WAITING = "waiting"  # in the lobby: sees and hears nothing of the lesson
    INSIDE = "inside"  # sees and hears it like a viewer


# -- page -> campus ----------------------------------------------------------------------------------


class LetIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="let_in"):
    """Teacher: this guest may come in (`on`), or is refused or sent out. `guest`: `Guest.guest`."""

    guest: str
    on: bool


ToServer = LetIn


# -- campus -> page ----------------------------------------------------------------------------------


class Guest(msgspec.Struct, frozen=True):
    """Somebody by a guest's link. `label`: for whom the link was made; `since`: when they came."""

    guest: str
    name: str
    label: str
    state: GuestState
    since: int
    staged: Staged = Staged.NO


class Guests(msgspec.Struct, frozen=True, tag="guests"):
    """To the studio and the phone remote: who waits in the lobby and who was let in."""

    guests: list[Guest]


class Lobby(msgspec.Struct, frozen=True, tag="lobby"):
    """To a guest: whether they are let in, and what they wait for."""

    state: GuestState
    title: Words
    main_name: Words
    until: int


FromServer = Guests | Lobby


# -- REST --------------------------------------------------------------------------------------------


class NewGuestLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST rooms/{room}/guest-links`. `lesson` None: whichever is on in that room."""

    hours: int = 24
    label: str = ""
    lesson: str | None = None


class GuestLinkRow(msgspec.Struct, frozen=True):
    number: int
    room: str
    lesson: str | None
    label: str
    made_by: str
    made_at: int
    until: int
    good: bool


class MadeGuestLink(msgspec.Struct, frozen=True):
    """Told once. `picture`: the address as a QR code (SVG); `reachable`: from other machines too."""

    number: int
    url: str
    until: int
    picture: str
    reachable: bool


class EnterLobby(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST lobby`. `link`: the token of the link."""

    link: str
    name: str


class LobbyPass(msgspec.Struct, frozen=True):
    """`token`: for the WebSocket's hello, as long as the link is good."""

    token: str
    room_name: Words
    until: int


LobbyResource = GuestLinkRow | MadeGuestLink | LobbyPass
LobbyBody = NewGuestLink | EnterLobby
