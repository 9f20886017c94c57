"""What the REST API says in JSON (pure; docs/protocol.md). TypeScript types are generated from here too.

Times are milliseconds since 1970 by the server's clock, positions and lengths in a lesson are seconds.
"""

from __future__ import annotations

import msgspec

from server.protocol.messages import LessonState, Words


class Problem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457), with a stable `code` and words for people."""

    type: str
    title: str
    status: int
    code: str
    words: Words
    detail: str = ""


class RoomCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST room-code`: the six digits shown where the room is managed."""

    code: str


class NewLesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST lessons`: a lesson in this main room, with all its receiving rooms."""

    room: str
    title: Words | None = None
    minutes: int = 60


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST lessons/{lesson}/watch-link`. `label`: how its viewers are listed, such as who got it."""

    label: str = ""


class Link(msgspec.Struct, frozen=True):
    """A link with its token. `picture`: the QR code, an SVG document; `reachable`: false where the address is
    this machine's own, which no phone can open."""

    url: str
    until: int
    picture: str
    reachable: bool


class RoomToken(msgspec.Struct, frozen=True):
    """A room with the token its page says `Hello` with."""

    room: str
    name: Words
    token: str


class Demo(msgspec.Struct, frozen=True):
    """The sample county's pages, ready to open."""

    studio: RoomToken
    rooms: list[RoomToken]


class Room(msgspec.Struct, frozen=True):
    """`code`: the six digits that make a screen this room, where the asker may see them."""

    room: str
    name: Words
    main: bool
    code: str | None = None


class LessonRow(msgspec.Struct, frozen=True):
    """A lesson in a list. `replay`: page path, once there is something to play."""

    lesson: str
    title: Words
    state: LessonState
    room: str
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    recording: str | None = None  # recorder.contract.RecordingState
    seconds: float = 0.0
    replay: str | None = None


class LessonDoors(msgspec.Struct, frozen=True):
    """Where and with which token a lesson is published, watched and taught."""

    lesson: str
    whip: str
    whip_token: str
    whep: str
    whep_token: str
    studio: str


class ReplayGap(msgspec.Struct, frozen=True):
    start_s: float
    end_s: float
    cause: str
    side: str = "unknown"  # recorder.archive.manifest.Side


class ReplayTrack(msgspec.Struct, frozen=True):
    """One recorded track; `playlist` is a signed URL path (HLS)."""

    name: str
    subject: str
    kind: str
    codec: str
    room: str
    playlist: str
    gaps: list[ReplayGap]


class ReplayMark(msgspec.Struct, frozen=True):
    at_s: float
    kind: str
    values: dict[str, str]


class ReplayTruth(msgspec.Struct, frozen=True):
    """What the last verification found: every file's sum compared, every picture and sound decoded.
    `sync_ms`: the furthest a track was from its place on the recorder's clock."""

    verified_at: int
    whole: bool
    pictures: int
    pictures_decoded: int
    sync_ms: float | None


class Replay(msgspec.Struct, frozen=True):
    """All the replay page needs. `expires_at`: when the playlists' signatures end; `truth`: null until
    the recording was verified; `converting`: subjects of pictures that play once they are converted."""

    lesson: str
    title: Words
    state: str  # recorder.contract.RecordingState
    seconds: float
    started_at: int | None
    ready_after_s: float | None
    expires_at: int
    tracks: list[ReplayTrack]
    marks: list[ReplayMark]
    truth: ReplayTruth | None = None
    converting: list[str] = []


class LiveReplay(msgspec.Struct, frozen=True):
    """What a page plays of a lesson that is live, and goes on playing when it is over. `now`: the server's
    clock; `delay_s`: how far behind the lesson its newest part is, about."""

    lesson: str
    title: Words
    state: str  # recorder.contract.RecordingState
    seconds: float
    started_at: int | None
    zero_at: int | None  # when the playlists' time 0 was
    now: int
    delay_s: float
    expires_at: int
    playlist: str  # all tracks in one, for players that take no more
    tracks: list[ReplayTrack]


Resource = Problem | Link | Demo | Room | LessonRow | LessonDoors | Replay | LiveReplay
Body = RoomCode | NewLesson | NewLink
