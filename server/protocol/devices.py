"""Receiving rooms' devices: pairing, proof, how a room stands before the bell, its sign-in (pure).

WebSocket messages of the room's page and the JSON of REST's device routes; docs/protocol.md and docs/api.md.
Times are milliseconds since 1970 by the server's clock.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from server.protocol.boxes import Boxes
from server.protocol.sources import SourceStand

MOST_HEADS = 200
MOST_DEVICES = 32

_Short = Annotated[str, msgspec.Meta(max_length=200)]
_Key = Annotated[str, msgspec.Meta(min_length=87, max_length=88)]  # 65 octets in base64url
_Signature = Annotated[str, msgspec.Meta(max_length=100)]
_Secret = Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_DEVICES)]


class Heard(StrEnum):
    """How the self-hearing of a room came out."""

    UNKNOWN = "unknown"  # not tried yet
    HEARD = "heard"  # its loudspeaker and its microphone both work
    NOT_HEARD = "not_heard"  # a microphone listened and did not hear the chirp
    NO_MICROPHONE = "no_microphone"
    NOT_PLAYED = "not_played"  # the browser let no sound out


class AlarmKind(StrEnum):
    """What is wrong before the bell; docs/api.md says when each holds."""

    ROOM_OFF = "room_off"
    SOURCE_WRONG = "source_wrong"
    CAMERA_GONE = "camera_gone"
    MICROPHONE_GONE = "microphone_gone"
    NOT_HEARD = "not_heard"
    CLOCK_WRONG = "clock_wrong"
    NO_DEVICE = "no_device"
    KEY_MOVED = "key_moved"
    ASKS_HELP = "asks_help"
    DISK_LOW = "disk_low"


# -- page -> campus ----------------------------------------------------------------------------------


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="proof"):
    """The answer to `Challenge`: ECDSA P-256 with SHA-256 (r and s, 32 octets each, base64url) over
    "lianke device v1\\n{device}\\n{nonce}" by the browser's key."""

    signature: _Signature


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="standing"):
    """How this room's machine stands, at each welcome, each change and every minute; nothing is opened for
    it. `clock_off_ms`: its own clock less the server's."""

    cameras: _Count = 0
    microphones: _Count = 0
    speakers: _Count = 0
    clock_off_ms: int = 0


class HearChecked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hear_checked"):
    """The room played a chirp and listened for it. `delay_ms`: from loudspeaker to microphone;
    `above_db`: the chirp over the room's noise."""

    result: Heard
    delay_ms: int = 0
    above_db: float = 0.0


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sign_in"):
    """The assistant counted heads."""

    heads: Annotated[int, msgspec.Meta(ge=0, le=MOST_HEADS)]


ToServer = Proof | Standing | HearChecked | SignIn


# -- campus -> page ----------------------------------------------------------------------------------


class Challenge(msgspec.Struct, frozen=True, tag="challenge"):
    """To a paired device after its `hello`: prove that the key is yours."""

    device: str
    nonce: str


class HearNow(msgspec.Struct, frozen=True, tag="hear_now"):
    """Somebody wants to know whether this room hears itself."""


FromServer = Challenge | HearNow | Boxes


# -- REST: the device's side --------------------------------------------------------------------------


class NewPairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key`: the browser's public key, an uncompressed P-256 point (65 octets), base64url."""

    key: _Key
    browser: _Short = ""


class Pairing(msgspec.Struct, frozen=True):
    """Six digits to show; `pairing` is known to the screen alone. `token`: there as soon as somebody entered
    the digits."""

    pairing: str
    code: str
    expires_at: int
    device: str = ""
    token: str = ""


class RestoreDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wiped browser is this device again: the launcher's secret, and a new key."""

    device: _Id
    secret: _Secret
    key: _Key
    browser: _Short = ""


class DeviceToken(msgspec.Struct, frozen=True):
    """Good with the device's key only."""

    device: str
    token: str


# -- REST: the IT person's side -----------------------------------------------------------------------


class PairDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The six digits that the room's screen shows."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
    label: Annotated[str, msgspec.Meta(max_length=60)] = ""


class DeviceRow(msgspec.Struct, frozen=True):
    """A machine that is a room."""

    device: str
    label: str
    browser: str
    paired_at: int
    paired_by: str
    bound_at: int  # when its present key came
    bound_times: int  # how many keys it has had
    seen_at: int | None


class LastFault(msgspec.Struct, frozen=True):
    """What a room complained of last, or what was seen to be wrong there."""

    at: int
    kind: str  # "sound", "picture": its button; else an AlarmKind
    lesson: str = ""


class HearCheck(msgspec.Struct, frozen=True):
    """The last self-hearing."""

    at: int
    result: Heard
    delay_ms: int
    above_db: float


class Alarm(msgspec.Struct, frozen=True):
    """`values`: for the sentence `alarm.{kind}`, by name; `room` "": of the server."""

    kind: AlarmKind
    room: str
    since: int
    lesson: str = ""
    values: dict[str, str] = {}


class RoomStand(msgspec.Struct, frozen=True):
    """A room with its machine and how it stands. `online_since` None: it is off, since `seen_at`."""

    room: str
    zh: str
    en: str
    main: bool
    devices: list[DeviceRow]
    online_since: int | None
    seen_at: int | None
    browser: str
    cameras: int | None
    microphones: int | None
    clock_off_ms: int | None
    hear: HearCheck | None
    fault: LastFault | None
    moved_at: int | None  # a key came while the one before was at work: who did that?


class RoomStands(msgspec.Struct, frozen=True):
    """A page of rooms: `total` of those that fit the question, `online` of all."""

    rooms: list[RoomStand]
    total: int
    online: int
    all: int


class RoomAlarms(msgspec.Struct, frozen=True):
    """What is wrong now, the most pressing first; `names` of the rooms and titles of the lessons in it."""

    alarms: list[Alarm]
    names: dict[str, list[str]]  # room or lesson -> [zh, en]
    lessons: dict[str, int]  # lesson -> when it begins
    at: int


class LessonReadiness(msgspec.Struct, frozen=True):
    """How the receiving rooms of a lesson stand before its bell, in tile order, and its main room's cameras
    and encoders."""

    lesson: str
    rooms: list[RoomStand]
    alarms: list[Alarm]
    sources: list[SourceStand] = []


class SpanRow(msgspec.Struct, frozen=True):
    """What a room received from `since` to `until`; `side`: whose fault it is that it was not more."""

    since: int
    until: int
    kind: str  # domain.reception.Kind
    side: str  # domain.reception.Side, "" where nothing was missing
    cause: str


class ReceptionRow(msgspec.Struct, frozen=True):
    """One room in one lesson, from first joining to last leaving; sums over its spans."""

    room: str
    joined_at: int | None
    left_at: int | None
    picture_s: float
    sound_s: float
    broadcast_s: float
    hole_s: float
    freeze_s: float
    concealed_s: float
    talk_s: float
    delay_ms: int
    height: int
    heads: int | None
    spans: list[SpanRow]


DeviceResource = (
    Pairing
    | DeviceToken
    | DeviceRow
    | RoomStand
    | RoomStands
    | RoomAlarms
    | LessonReadiness
    | ReceptionRow
    | HearCheck
)
DeviceBody = NewPairing | RestoreDevice | PairDevice
