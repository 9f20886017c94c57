"""What a lesson room can be told, and the bounded inbox it is told by.

Policy: at most LIMIT messages wait. `Report`, `Levels` and `Figures` are thrown away from half of that on
(the next comes within a second); whatever else finds the inbox full is counted and refused, and its page
hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from recorder.contract import Recording
from server.domain.lesson import Pass
from server.live.ports import PagePort
from server.media import contract as media
from server.protocol.messages import Hello, Report, Role, ToServer, Words
from server.protocol.parameters import Source
from server.protocol.sdp import Fragment

LIMIT = 2048


@dataclass(frozen=True, slots=True)
class PageCame:
    """`hello` None: the page was welcomed before and is moved here from elsewhere."""

    page: PagePort
    hello: Hello | None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class PageSaid:
    page: PagePort
    message: ToServer


@dataclass(frozen=True, slots=True)
class PageLeft:
    """`moved`: it goes to another lesson and stays connected."""

    page: PagePort
    moved: bool = False


@dataclass(frozen=True, slots=True)
class WorkerSaid:
    worker: str
    event: media.Event


@dataclass(frozen=True, slots=True)
class WorkerUp:
    """A worker is connected; `peers`: this lesson's peers that it still has."""

    worker: str
    peers: list[media.PeerSnapshot]
    tap: media.TapSnapshot | None


@dataclass(frozen=True, slots=True)
class WorkerGone:
    worker: str


@dataclass(frozen=True, slots=True)
class RecorderSaid:
    recording: Recording


@dataclass(frozen=True, slots=True)
class RecorderWants:
    """A keyframe of a recorded track (`TrackNote.name`)."""

    track: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Somebody touched the screen of a room that was called."""

    room: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """A guest's link was revoked: who came by it is out."""

    number: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Its time went by, or the timetable has it no longer: it is over, if nobody began it."""


@dataclass(frozen=True, slots=True)
class StartLesson:
    """From the API or the scheduler. Answered by the lesson's id. `rooms`: a lesson that nobody booked is
    booked from now on with these."""

    reply: asyncio.Future[str]
    title: Words | None = None
    minutes: int | None = None
    rooms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EndLesson:
    reply: asyncio.Future[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A WHIP or WHEP session as its HTTP answer needs it."""

    session: str
    etag: str
    sdp: str


@dataclass(frozen=True, slots=True)
class Publish:
    """WHIP: an offer for one source, and the voice with a camera. `alone`: one of this label may send."""

    reply: asyncio.Future[Opened]
    sdp: str
    sources: Mapping[str, Source]
    label: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """WHEP: an offer to receive. `source` None: what the rooms' stage shows."""

    reply: asyncio.Future[Opened]
    sdp: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class Patch:
    """WHIP or WHEP PATCH; `etag`: If-Match, "*" for an ICE restart. Answered by (etag, fragment or None)."""

    reply: asyncio.Future[tuple[str, str | None]]
    session: str
    kind: str  # "whip" | "whep"
    fragment: Fragment
    etag: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """WHIP or WHEP DELETE."""

    reply: asyncio.Future[None]
    session: str
    kind: str


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link for viewers of the broadcast or for the phone remote; an older one of that role is over."""

    reply: asyncio.Future[None]
    role: Role
    link: Pass


@dataclass(frozen=True, slots=True)
class CloseLink:
    reply: asyncio.Future[None]
    role: Role


Ask = StartLesson | EndLesson | Publish | Watch | Patch | Hangup | OpenLink | CloseLink
Inward = (
    PageCame
    | PageSaid
    | PageLeft
    | WorkerSaid
    | WorkerUp
    | WorkerGone
    | RecorderSaid
    | RecorderWants
    | CallAnswered
    | LinkEnded
    | Missed
    | Ask
)


def is_frequent(message: Inward) -> bool:
    """Comes many times a second, and the next one says all that this one does."""
    match message:
        case PageSaid(message=Report()):
            return True
        case WorkerSaid(event=media.Levels() | media.Figures()):
            return True
    return False


class Inbox:
    """One reader: the lesson room. `dropped` counts what never got in."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._queue: asyncio.Queue[Inward] = asyncio.Queue()
        self._limit = limit
        self.dropped = 0

    def post(self, message: Inward) -> bool:
        """False where there was no room for it."""
        waiting = self._queue.qsize()
        limit = self._limit // 2 if is_frequent(message) else self._limit
        if waiting >= limit:
            self.dropped += 1
            return False
        self._queue.put_nowait(message)
        return True

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def get(self) -> Inward:
        return await self._queue.get()
