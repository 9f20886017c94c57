"""Who may ask: the roles of the rights table, and an actor who has one (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.domain.posts import PostRole
from server.domain.visibility import Circle


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
    ADMIN = "admin"  # of the county
    SCHOOL_ADMIN = "school_admin"
    TEACHER = "teacher"
    ASSISTANT = "assistant"
    RESEARCHER = "researcher"
    KEEPER = "keeper"  # a person who keeps the machines well; OPERATOR is this machine's command line
    PERSON = "person"  # whoever is logged in, whatever posts they hold
    GUEST = "guest"  # of a lesson, by a link and through the lobby
    OPERATOR = "operator"
    WHIP = "whip"
    ENCODER = "encoder"  # of a main room, by its own key at the WHIP door
    WHEP = "whep"
    SIGNED_URL = "signed_url"


OF_POST: dict[PostRole, ActorRole] = {
    PostRole.COUNTY_ADMIN: ActorRole.ADMIN,
    PostRole.SCHOOL_ADMIN: ActorRole.SCHOOL_ADMIN,
    PostRole.TEACHER: ActorRole.TEACHER,
    PostRole.ASSISTANT: ActorRole.ASSISTANT,
    PostRole.RESEARCHER: ActorRole.RESEARCHER,
    PostRole.OPERATOR: ActorRole.KEEPER,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """One role with what it is bound to; `room` and `lesson` are None where it is bound to none. `link`: the
    number of the link its token was made for. Of a person: `person`, the `units` that the post covers, the
    `circle` of rooms whose recordings it reaches; `scopes`: of an API token, None where all is meant."""

    role: ActorRole
    room: str | None = None
    lesson: str | None = None
    link: int = 0
    person: str = ""
    units: frozenset[str] = frozenset()
    circle: Circle | None = None
    scopes: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """For the audit log: never a token or an address."""
        return ":".join(filter(None, (self.role, self.person, self.room, self.lesson)))

    @property
    def viewer(self) -> str:
        """Whose place in a recording is remembered: one for all tokens of a room or posts of a person."""
        if self.person:
            return f"person:{self.person}"
        return ":".join(filter(None, (self.role, self.room)))


ANYONE = Actor(ActorRole.ANYONE)
