"""Who may ask: the roles of the rights table, and an actor who has one (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorRole(StrEnum):
    ANYONE = "anyone"
    LOCAL = "local"  # a process of this machine (loopback)
    DEMO_VISITOR = "demo_visitor"  # loopback, and the demo is on
    ROOM = "room"  # a receiving room's screen
    STUDIO = "studio"
    OBSERVER = "observer"
    WATCHER = "watcher"  # by the broadcast's link
    REMOTE = "remote"  # the teacher's phone
    WALL = "wall"  # the main room's second screen
    ADMIN = "admin"
    OPERATOR = "operator"
    WHIP = "whip"
    WHEP = "whep"
    SIGNED_URL = "signed_url"


@dataclass(frozen=True, slots=True)
class Actor:
    """One role with what it is bound to; `room` and `lesson` are None where it is bound to none. `link`: the
    number of the link its token was made for."""

    role: ActorRole
    room: str | None = None
    lesson: str | None = None
    link: int = 0

    @property
    def name(self) -> str:
        """For the audit log: never a token or an address."""
        return ":".join(filter(None, (self.role, self.room, self.lesson)))

    @property
    def viewer(self) -> str:
        """Whose place in a recording is remembered: one name for all tokens of a room."""
        return ":".join(filter(None, (self.role, self.room)))


ANYONE = Actor(ActorRole.ANYONE)
