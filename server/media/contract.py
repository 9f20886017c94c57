"""What campus and a media worker say to each other.

Over a Unix socket, framed by `recorder.framing`. Campus sends `Command`s, the worker sends `Event`s;
the first of each is `Hello` and `Welcome` with VERSION. Every command is idempotent: said twice it
changes nothing the second time. A command with a `request` number is answered by `Done` with that
number; `Done.problem` is empty where it worked.

Names: a *peer* is one WebRTC connection, named by campus for its whole life (a name is never used
again); a *track* is named `TrackName(peer, mid)`; a *slot* is named `(peer, slot)`. A *room* is a
lesson's live room; a worker holds whole rooms only.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol.parameters import (
    CodecName,
    DownSlot,
    Kind,
    LocalTransport,
    RemoteTransport,
    Source,
    UpTrack,
)

VERSION = 1


class PeerState(StrEnum):
    """A connection's life. AWAY: nothing heard for 8 s; GONE: 30 s, or closed; it never comes back."""

    NEW = "new"
    CONNECTING = "connecting"  # a valid check was seen, DTLS runs
    CONNECTED = "connected"
    AWAY = "away"
    GONE = "gone"
    FAILED = "failed"  # handshake refused: see `reason`


class TrackName(msgspec.Struct, frozen=True, array_like=True):
    """An up track: which peer sends it and under which MID."""

    peer: str
    mid: str


# -- commands: campus -> worker ----------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int = VERSION


class OpenPeer(msgspec.Struct, frozen=True, tag="open_peer"):
    """Make a connection's local side; answered by `Done` with `transport`."""

    request: int
    peer: str
    room: str


class SetRemote(msgspec.Struct, frozen=True, tag="set_remote"):
    """The other side's parameters; with another ufrag than before it is an ICE restart."""

    request: int
    peer: str
    remote: RemoteTransport


class RestartIce(msgspec.Struct, frozen=True, tag="restart_ice"):
    """New local ufrag and password, DTLS and SRTP untouched; answered with `transport`."""

    request: int
    peer: str


class SetUpTracks(msgspec.Struct, frozen=True, tag="set_up_tracks"):
    """Everything the peer sends now. Missing tracks are removed; known ones keep their streams."""

    request: int
    peer: str
    tracks: list[UpTrack]


class SetDownSlots(msgspec.Struct, frozen=True, tag="set_down_slots"):
    """Every slot of the peer. A known slot keeps its SSRC and sequence; slots only grow."""

    request: int
    peer: str
    slots: list[DownSlot]


class Point(msgspec.Struct, frozen=True, tag="point"):
    """What a slot forwards from now on; None: nothing. Video starts at a keyframe."""

    peer: str
    slot: str
    track: TrackName | None


class SlotViewing(msgspec.Struct, frozen=True, array_like=True):
    """How a page shows a slot: pixels in height (0: not known), and the share of frames it dropped."""

    slot: str
    height: int
    dropped: float


class Viewing(msgspec.Struct, frozen=True, tag="viewing"):
    """What a page says of its pictures, every few seconds: none gets more than is of use to it."""

    peer: str
    slots: list[SlotViewing]


class Burst(msgspec.Struct, frozen=True, tag="burst"):
    """Send this peer so much for a moment (at most a second), as far as a picture was sent to it before:
    what comes of it is what its line carries."""

    peer: str
    bitrate_bps: int
    milliseconds: int


class ClosePeer(msgspec.Struct, frozen=True, tag="close_peer"):
    peer: str


class CloseRoom(msgspec.Struct, frozen=True, tag="close_room"):
    """Close every peer and the tap of a room."""

    room: str


class RequestKeyframe(msgspec.Struct, frozen=True, tag="request_keyframe"):
    track: TrackName


class OpenTap(msgspec.Struct, frozen=True, tag="open_tap"):
    """Begin (or find again) the room's recording ring; the recorder fetches its memfd from the
    worker's tap socket by `room`."""

    request: int
    room: str


class TapTrack(msgspec.Struct, frozen=True, tag="tap_track"):
    """Write this track into the room's ring as track `number` (1 to 65535, never used for another
    `source` in this room). `note` is a `recorder.contract.TrackNote`, encoded: the worker does not
    read it. `keyframe_every_s`: ask the publisher that often (0: never, as for a screen)."""

    request: int
    room: str
    track: TrackName
    number: int
    note: bytes
    keyframe_every_s: float = 0.0


class UntapTrack(msgspec.Struct, frozen=True, tag="untap_track"):
    room: str
    number: int


class CloseTap(msgspec.Struct, frozen=True, tag="close_tap"):
    """Write the end mark into the ring; the recorder then finishes."""

    room: str


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """Take no new room (the supervisor is stopping)."""


Command = (
    Hello
    | OpenPeer
    | SetRemote
    | RestartIce
    | SetUpTracks
    | SetDownSlots
    | Point
    | Viewing
    | Burst
    | ClosePeer
    | CloseRoom
    | RequestKeyframe
    | OpenTap
    | TapTrack
    | UntapTrack
    | CloseTap
    | Drain
)


# -- events: worker -> campus ------------------------------------------------------------------------


class PointedSlot(msgspec.Struct, frozen=True):
    slot: DownSlot
    track: TrackName | None = None


class PeerSnapshot(msgspec.Struct, frozen=True):
    """All a restarted campus needs to take a living peer back."""

    peer: str
    room: str
    state: PeerState
    transport: LocalTransport
    up: list[UpTrack] = []
    down: list[PointedSlot] = []
    remote: RemoteTransport | None = None


class TapSnapshot(msgspec.Struct, frozen=True):
    room: str
    numbers: dict[int, TrackName] = {}


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """`boot` is random for each worker process: another value means another process."""

    worker: str
    boot: str
    pid: int
    tap_socket: str
    peers: list[PeerSnapshot]
    taps: list[TapSnapshot]
    version: int = VERSION


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The answer to a request. `problem` is a stable code ("" = well, e.g. "unknown_peer",
    "too_many_tracks"), `detail` a sentence for the log."""

    request: int
    problem: str = ""
    detail: str = ""
    transport: LocalTransport | None = None


class PeerChanged(msgspec.Struct, frozen=True, tag="peer_changed"):
    peer: str
    state: PeerState
    reason: str = ""


class TrackChanged(msgspec.Struct, frozen=True, tag="track_changed"):
    """An up track began (`live`: its first packet came) or fell silent for 2 s and more."""

    track: TrackName
    source: Source
    live: bool
    codec: CodecName | None = None


class LayersWanted(msgspec.Struct, frozen=True, tag="layers_wanted"):
    """What of a simulcast track anybody here has a use for: the RIDs its publisher shall send from now on.
    Told again to a campus that comes back."""

    track: TrackName
    rids: list[str]


class UpLayer(msgspec.Struct, frozen=True):
    """One layer of an up track over the last second. `rid` "" where the track has no layers; `viewers`: slots
    and taps that were getting it."""

    rid: str
    bitrate_bps: int
    packets: int
    lost: int
    keyframes: int
    living: bool
    viewers: int = 0


class UpFigures(msgspec.Struct, frozen=True):
    """One up track over the last second, all its layers together. `level_dbov`: loudest RFC 6464 level,
    -127 = silence; `layers`: each of a video track's, lowest first."""

    track: TrackName
    source: Source
    kind: Kind
    bitrate_bps: int
    packets: int
    lost: int
    keyframes: int
    level_dbov: int = -127
    layers: list[UpLayer] = []


class Reason(StrEnum):
    """Why a slot has less than the best: the viewer's line, or what its page shows or decodes."""

    NONE = ""
    LINE = "line"
    PAGE = "page"


class DownFigures(msgspec.Struct, frozen=True):
    """One slot over the last second; loss and round trip as the viewer's reports say (0 to 1, ms). `layer`:
    shown now; `estimate_bps`: what the viewer's line carries, 0: not judged yet; `held`: the picture is left
    out, or only shown as a still one, for `reason`."""

    peer: str
    slot: str
    bitrate_bps: int
    packets: int
    resent: int
    loss: float = 0.0
    round_trip_ms: float = 0.0
    estimate_bps: int = 0
    held: bool = False
    reason: Reason = Reason.NONE
    layer: int = 0


class Figures(msgspec.Struct, frozen=True, tag="figures"):
    """Once a second, all of a room. What is not listed did not change and carried nothing."""

    room: str
    up: list[UpFigures]
    down: list[DownFigures]


class Levels(msgspec.Struct, frozen=True, tag="levels"):
    """Five times a second: loudness of each voice of a room, in dBov (-127 to 0)."""

    room: str
    levels: list[tuple[TrackName, int]]


class WorkerFigures(msgspec.Struct, frozen=True, tag="worker_figures"):
    """Every 5 s: totals since the worker's start, by metric name (docs/metrics)."""

    totals: dict[str, float]


Event = Welcome | Done | PeerChanged | TrackChanged | LayersWanted | Figures | Levels | WorkerFigures
