"""The signalling language between our pages and campus, over one WebSocket at `/ws`.

JSON text messages, at most MAX_MESSAGE bytes, a tagged union each way (unknown fields are refused). The spec
is docs/protocol.md; TypeScript is generated from here. Times: milliseconds since 1970 by the server's clock.
`Hello` with a token comes first. The server sends the whole `Lesson` view at every change (it is small).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol import broadcast, capture, devices, inviting, lobby, rehearsing
from server.protocol.capture import Recordable
from server.protocol.parameters import IceServer, Road, Source
from server.protocol.words import Words as Words

VERSION = 1
MAX_MESSAGE = 64 * 1024  # an SDP of our pages is below 12 kB


class Role(StrEnum):
    """What a session is in its lesson."""

    TEACHER = "teacher"  # the studio of the main room
    ROOM = "room"  # a receiving room
    OBSERVER = "observer"  # watches, listed, sends nothing
    WATCHER = "watcher"  # watches the broadcast by its link; may ask, and be called on stage
    GUEST = "guest"  # by a guest's link, through the lobby: sees and hears, speaks when asked
    REMOTE = "remote"  # the teacher's phone: no media
    WALL = "wall"  # the main room's second screen: the far rooms, big


class LessonState(StrEnum):
    PLANNED = "planned"
    OPEN = "open"  # rooms may join and wait
    LIVE = "live"
    CLOSING = "closing"  # the bell rang: countdown
    ENDED = "ended"


class SeatState(StrEnum):
    """A tile's state (UI.md's table). The first that holds, in this order, is shown."""

    ASKS_HELP = "asks_help"
    AWAY = "away"  # was here, is not connected
    EXPECTED = "expected"  # not yet connected
    JOINING = "joining"
    NO_PICTURE = "no_picture"
    NO_SOUND = "no_sound"
    SOUND_ONLY = "sound_only"
    WEAK_LINE = "weak_line"
    MUTED = "muted"  # by the teacher
    HERE = "here"


class Seat(msgspec.Struct, frozen=True):
    """A receiving room as the studio and the rooms see it."""

    room: str
    name: Words
    state: SeatState
    since: int
    detail: str = ""  # message id of the sentence to show: "sound_blocked"
    hand_since: int | None = None
    muted: bool = False
    heard: bool = False  # its voice goes to the others (called on, or opened by the teacher)
    last_called: int | None = None
    sends: list[Source] = []
    recorded: bool = False  # its own picture and voice are being written
    road: Road | None = None  # how it receives, as its page tells
    heads: int | None = None  # as the assistant counted
    hear: devices.Heard = devices.Heard.UNKNOWN  # whether it heard itself before the bell


class LessonView(msgspec.Struct, frozen=True):
    """All a page needs to draw the lesson."""

    id: str
    title: Words
    state: LessonState
    main_room: str
    main_name: Words
    seats: list[Seat]
    started_at: int | None = None
    ends_at: int | None = None  # the bell
    closes_at: int | None = None  # end of the countdown, while CLOSING
    ended_at: int | None = None
    main_away_since: int | None = None
    main_sends: list[Source] = []
    main_muted: bool = False  # the main room's own sound is closed, whoever supplies it
    called: str | None = None
    called_at: int | None = None
    stage: Source = Source.CAMERA  # which picture of the main room is on the stage slot
    courseware: bool = False  # the screen is being forwarded
    recording: bool = False
    recording_paused: bool = False
    recording_problem: str = ""  # "disk_low", "disk_full" (recorder.contract.Recording.problem), "failed"
    records: list[Recordable] = []  # what of it is chosen to be written
    watched_by: list[str] = []  # `watchers` in Chinese
    watchers: list[Words] = []  # everybody who only watches; many of one kind in one line
    watched: int = 0  # how many that is
    remotes: list[str] = []  # phones that hold the remote, by their browser's name
    broadcast_until: int | None = None  # the broadcast's link is good until then
    remote_until: int | None = None
    replay_ready: bool = False
    replay_after_ms: int | None = None  # from End to playable
    replay_url: str | None = None  # page path
    booked_from: int | None = None  # its bells by the timetable; None: nobody booked it
    booked_until: int | None = None
    teacher: Words | None = None
    rooms_send: list[Source] = []  # what a receiving room may send at all
    recordable: list[Recordable] = []  # what may be chosen to be written
    rehearsal: rehearsing.RehearsalView | None = None


class SlotView(msgspec.Struct, frozen=True):
    """A slot of the down connection and its m-line."""

    name: str
    mid: str
    kind: str


class Assigned(msgspec.Struct, frozen=True):
    """What a slot carries now. `thin`: the line carries no moving picture of it, at most some single ones."""

    room: str
    source: Source
    thin: bool = False


# -- page -> campus ----------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """First message. `token`: a room, studio or observer token. `resume`: the session told in the
    last `Welcome`, to come back as the same one; `up` and `down`: connections (their ids, see
    `Answer.connection`, `Offer.connection`) that are still alive in the page."""

    token: str
    version: int = VERSION
    resume: str | None = None
    up: str | None = None
    down: str | None = None
    language: str = "zh"
    takeover: bool = False  # teacher: yes, take the lesson over from the other studio
    browser: str = ""


class OfferUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="offer_up"):
    """SDP offer of what the page sends, by MID. `connection`: of an earlier `Answer`; None: a new one."""

    offer: int
    sdp: str
    sources: dict[str, Source]
    connection: str | None = None
    sound_processing: bool = True  # False: the music switch is on (stereo, no voice processing)


class AnswerDown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answer_down"):
    connection: str
    offer: int
    sdp: str


class WantDown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="want_down"):
    """Ask for a new down connection. `restart`: keep the one there is and offer an ICE restart."""

    restart: bool = False


class RestartUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restart_up"):
    """The up connection failed in the browser: the server forgets it; an `OfferUp` follows."""


class SlotReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot over the last report interval, from getStats."""

    slot: str
    frames: int = 0  # decoded
    lost: int = 0
    received: int = 0
    concealed: float = 0.0  # share of audio samples concealed
    freeze_ms: int = 0
    height: int = 0
    delay_ms: int = 0  # jitter buffer
    dropped: float = 0.0  # share of frames that came and were not shown; 1: decoding takes all the time
    shown: int = 0  # pixels in height of the place it is shown in; 0: not known


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="report"):
    """Every second, what is really seen and heard here."""

    slots: list[SlotReport]
    sound_playing: bool
    sound_blocked: bool  # the browser waits for a touch
    camera: bool = False
    microphone: bool = False
    road: Road | None = None


class Hand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hand"):
    up: bool


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trouble"):
    """The room's [No sound / no picture] button; `kind`: "sound" | "picture" | "none"."""

    kind: str


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="start"):
    """Teacher: the one big Start."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end"):
    """Teacher: end the lesson now."""


class Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="extend"):
    minutes: int = 5


class CallOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="call_on"):
    """Teacher: this room speaks (None: nobody). A second call closes the first."""

    room: str | None


class Mute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="mute"):
    room: str  # the main room too
    muted: bool


class OpenVoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="open_voice"):
    """Teacher: let this room be heard by all without being called on."""

    room: str
    open: bool


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stage"):
    """Teacher: which own camera the rooms see."""

    source: Source


class Courseware(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="courseware"):
    """Teacher: forward the screen, or stop forwarding it (it stays captured)."""

    on: bool


class LowerHand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="lower_hand"):
    room: str


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """Every 2 s; the server hangs up after 10 s of silence."""

    at: int


Rooms = capture.ToServer | inviting.ToServer | devices.ToServer | rehearsing.ToServer
Beside = broadcast.ToServer | lobby.ToServer | Rooms
ToServer = (
    Hello
    | OfferUp
    | AnswerDown
    | WantDown
    | RestartUp
    | Report
    | Hand
    | Trouble
    | Start
    | End
    | Extend
    | CallOn
    | Mute
    | OpenVoice
    | Stage
    | Courseware
    | LowerHand
    | Ping
    | Beside
)


# -- campus -> page ----------------------------------------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """`resumed`: this is the same session as before; `keep_up` and `keep_down`: the connections the
    page named in `Hello` live on, do not make new ones."""

    session: str
    role: Role
    room: str
    name: Words
    now: int
    resumed: bool = False
    keep_up: bool = False
    keep_down: bool = False
    ice_servers: list[IceServer] = []  # for its RTCPeerConnections
    seat: str = ""  # a device's token for REST, for some hours
    version: int = VERSION


class Lesson(msgspec.Struct, frozen=True, tag="lesson"):
    """The lesson as it is now; None: none is on for this room (`next_*`: what comes)."""

    lesson: LessonView | None
    next_title: Words | None = None
    next_teacher: Words | None = None
    next_at: int | None = None


class AnswerUp(msgspec.Struct, frozen=True, tag="answer_up"):
    offer: int
    connection: str
    sdp: str
    bitrates: dict[str, int] = {}  # MID -> most bits a second for setParameters


class OfferDown(msgspec.Struct, frozen=True, tag="offer_down"):
    connection: str
    offer: int
    sdp: str
    slots: list[SlotView]


class Slots(msgspec.Struct, frozen=True, tag="slots"):
    """What each slot of the down connection carries; a slot that is not named carries nothing."""

    connection: str
    slots: dict[str, Assigned]


class Layers(msgspec.Struct, frozen=True, tag="layers"):
    """What of its simulcast tracks the page shall send from now on: MID -> RIDs; nobody has a use for the
    others. A track that is not named sends all."""

    connection: str
    layers: dict[str, list[str]]


class Reconnect(msgspec.Struct, frozen=True, tag="reconnect"):
    """The media worker is gone: drop these connections now and make new ones."""

    up: bool
    down: bool


class Levels(msgspec.Struct, frozen=True, tag="levels"):
    """Loudness by room, dBov -127 to 0, five times a second (the studio and patrol only)."""

    rooms: dict[str, int]


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A moment worth a sentence: a message id with values (i18n `notice.<id>`)."""

    id: str
    values: dict[str, str] = {}


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """What the page asked cannot be: a stable code and words. `fatal`: the server hangs up;
    `retry_after_ms`: 0 = do not come back by yourself."""

    code: str
    words: Words
    fatal: bool = False
    retry_after_ms: int = 0


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    at: int
    now: int


FromServer = (
    Welcome
    | Lesson
    | AnswerUp
    | OfferDown
    | Slots
    | Layers
    | Reconnect
    | Levels
    | Notice
    | Refused
    | Pong
    | broadcast.FromServer
    | inviting.FromServer
    | devices.FromServer
    | lobby.FromServer
)
