"""Signed tokens: who a bearer is, for which room or lesson, until when (PyJWT, HS256).

The key comes from the store; a token of one kind is never taken for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import jwt

from server.clock import Clock
from server.errors import Refused

AUDIENCE = "lianke"
MAX_TOKEN = 2048


class TokenKind(StrEnum):
    ROOM = "room"  # a screen that is this room, in each of its lessons
    DEVICE = "device"  # a paired machine: good in a WebSocket's hello only, with its key's proof
    SEAT = "seat"  # what a proved device asks REST with, for some hours
    STUDIO = "studio"  # the studio of a main room; with `lesson`: of that lesson alone
    OBSERVER = "observer"
    WATCH = "watch"  # viewers of the broadcast; `epoch`: the number of the link
    REMOTE = "remote"  # the teacher's phone; `epoch` as well
    WALL = "wall"  # the main room's second screen
    INVITATION = "invitation"  # a guest's link: opens the lobby; `epoch`: its number
    GUEST = "guest"  # waits in the lobby of `room` (or of one `lesson`), under a `name`; `epoch` as well
    ACTING = "acting"  # an acting room of one rehearsal
    WHIP = "whip"
    WHEP = "whep"
    OPERATOR = "operator"  # the command line on this machine


@dataclass(frozen=True, slots=True)
class Claims:
    kind: TokenKind
    room: str | None
    lesson: str | None
    epoch: int = 0
    person: str = ""
    device: str | None = None
    name: str = ""


class BadToken(Refused):
    """Wrong, too old, or of another installation: not told which."""

    def __init__(self) -> None:
        super().__init__(
            "bad_token",
            zh="这个页面的凭证已失效,请重新输入房间代码或重新登录。",
            en="This page’s pass is no longer valid: enter the room code or log in again.",
        )


class Tokens:
    """Issues and reads tokens. `key`: at least 32 random bytes."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(
        self,
        kind: TokenKind,
        *,
        lifetime_s: float,
        room: str | None = None,
        lesson: str | None = None,
        epoch: int = 0,
        person: str = "",
        device: str | None = None,
        name: str = "",
    ) -> str:
        """A signed token. `epoch`: for OPERATOR, those of another epoch are over; for DEVICE and SEAT the
        number of the device's key."""
        now = self._clock.wall_ms() // 1000
        claims: dict[str, str | int] = {
            "aud": AUDIENCE,
            "kind": kind.value,
            "iat": now,
            "exp": now + int(lifetime_s),
        }
        if room is not None:
            claims["room"] = room
        if lesson is not None:
            claims["lesson"] = lesson
        if epoch:
            claims["epoch"] = epoch
        if person:
            claims["person"] = person
        if name:
            claims["name"] = name
        if device is not None:
            claims["device"] = device
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str) -> Claims:
        """What a token says. BadToken where it is not ours or over."""
        if len(token) > MAX_TOKEN:
            raise BadToken
        try:
            found = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False},
            )
            if int(found["exp"]) <= self._clock.wall_ms() // 1000:
                raise BadToken
            return Claims(
                TokenKind(found["kind"]),
                _text(found.get("room")),
                _text(found.get("lesson")),
                int(found.get("epoch", 0)),
                _text(found.get("person")) or "",
                _text(found.get("device")),
                _text(found.get("name")) or "",
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
            raise BadToken from error


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("a claim that is not text")
    return value
