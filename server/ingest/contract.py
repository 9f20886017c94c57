"""What campus and the ingest process say to each other. Over a Unix socket, framed by `recorder.framing`.

Campus opens a peer on a media worker for each source, says the worker what comes there, and tells the ingest
process where to pull from and where to send to. Every command is idempotent: said again with the same values
it changes nothing, with another transport the source goes to another worker's peer.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol.messages import Words
from server.protocol.parameters import (
    Codec,
    CodecName,
    Extensions,
    Fingerprint,
    Kind,
    LocalTransport,
    Source,
    UpTrack,
)

VERSION = 4
PUSH = "push://"  # no device's address: an encoder comes to us; its source's name follows
VIDEO_MID, AUDIO_MID = "0", "1"
H264_PT, OPUS_PT = 96, 111
VIDEO_RATE, AUDIO_RATE = 90_000, 48_000
MOST_BITRATE_BPS = 8_000_000
LOW, HIGH, RID_EXTENSION = "l", "h", 1  # layers: sub stream and main stream
NOT_PUSHING = "not_pushing"
NOT_PUSHING_WORDS = Words(
    zh="编码器没有推流。请检查设备是否通电、推流地址和推流码。",
    en="The encoder does not push. Check its power, its server address and stream key.",
)
PROBE_SLACK_S = 25.0  # a probe of what is pushed is answered within its seconds and these
_H264_FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


class SourceState(StrEnum):
    """A source's life, from `Publish` to `Withdraw`."""

    OPENING = "opening"
    LIVE = "live"
    RETRYING = "retrying"
    CLOSED = "closed"


def up_tracks(video_ssrc: int, audio_ssrc: int, source: Source, *, layers: bool = False) -> list[UpTrack]:
    """What a source's connection sends: H.264 labelled as Constrained Baseline, for browsers offer no other
    but decode every profile under that label; and Opus, unless `audio_ssrc` is 0. `layers`: the sub stream
    is the lower of two, named by their RIDs. Of a separate sound encoder (VOICE) it is Opus alone."""
    h264 = Codec(CodecName.H264, H264_PT, VIDEO_RATE, fmtp=_H264_FMTP, pli=True)
    opus = Codec(CodecName.OPUS, OPUS_PT, AUDIO_RATE)
    none, named = Extensions(), Extensions(rid=RID_EXTENSION)
    ssrcs = {video_ssrc: 0}
    pictures = [
        UpTrack(VIDEO_MID, source, Kind.VIDEO, [h264], named, {}, [LOW, HIGH], MOST_BITRATE_BPS)
        if layers
        else UpTrack(VIDEO_MID, source, Kind.VIDEO, [h264], none, ssrcs, [], MOST_BITRATE_BPS)
    ]
    tracks = [] if source is Source.VOICE else pictures
    if audio_ssrc:
        tracks.append(UpTrack(AUDIO_MID, Source.VOICE, Kind.AUDIO, [opus], none, {audio_ssrc: 0}))
    return tracks


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int = VERSION


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """Pull `address` (with its password: never logged) and send it to the worker's `transport` under these
    credentials and SSRCs. `audio_ssrc` 0: picture only; `video_ssrc` 0: sound only. `low_address`: its sub
    stream's, the lower layer, under `low_ssrc`; "" for none."""

    source: str
    address: str
    peer: str
    ufrag: str
    pwd: str
    transport: LocalTransport
    video_ssrc: int
    audio_ssrc: int
    udp: bool = False
    low_address: str = ""
    low_ssrc: int = 0

    def __repr__(self) -> str:
        return f"Publish({self.source}, {self.peer})"


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """The source is no longer wanted: close it."""

    source: str


class WantLayers(msgspec.Struct, frozen=True, tag="want_layers"):
    """Somebody has a use for these layers of a source; another one need be neither pulled nor sent."""

    source: str
    rids: list[str]


class Silence(msgspec.Struct, frozen=True, tag="silence"):
    """The teacher closed this source's sound: silence goes out in its place, until it is opened again."""

    source: str
    silent: bool


class PushKeys(msgspec.Struct, frozen=True, tag="push_keys"):
    """Who may push: SHA-256 of each stream key (hex) to the source that it is of, "room/camera". A pushed
    source is published under the address "push://room/camera"."""

    keys: dict[str, str]


class ProbePush(msgspec.Struct, frozen=True, tag="probe_push"):
    """Watch what an encoder pushes for so long, beside whoever reads it, and judge it: `PushProbed` answers.
    `source`: "room/camera"; `ask`: a word that nobody said before; `sound_only`: its picture is of no use."""

    ask: str
    source: str
    seconds: float
    sound_only: bool = False


Command = Hello | Publish | Withdraw | WantLayers | Silence | PushKeys | ProbePush


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """`fingerprints`: of the certificate with which every source comes to a worker. `sources`: source to
    peer, as they are carried now; `pushing`: sources whose encoder pushes at this moment."""

    boot: str
    fingerprints: list[Fingerprint]
    sources: dict[str, str]
    pushing: list[str] = []
    version: int = VERSION


class SourceChanged(msgspec.Struct, frozen=True, tag="source_changed"):
    """What became of a source. `problem`: "" or a stable code with words for IT; `transcoded`: "" or why its
    picture cannot be copied; `low_words`: why its sub stream does not come; teaching goes on without."""

    source: str
    state: SourceState
    problem: str = ""
    words: Words | None = None
    transcoded: str = ""
    retry_in_s: float = 0.0
    low_words: Words | None = None


class PublishFailed(msgspec.Struct, frozen=True, tag="publish_failed"):
    """The worker's peer could not be reached: campus opens another."""

    source: str
    peer: str


class PushChanged(msgspec.Struct, frozen=True, tag="push_changed"):
    """An encoder began or ended to push, whether a lesson wants it or not."""

    source: str
    pushing: bool


class PushProbed(msgspec.Struct, frozen=True, tag="push_probed"):
    """What a `ProbePush` found: `facts.Report` as JSON. b"": it found nothing; `busy`: others go on now, else
    the probe itself failed."""

    ask: str
    report: bytes = b""
    busy: bool = False


Event = PushProbed | PushChanged | Welcome | SourceChanged | PublishFailed
"""Everything the ingest process says."""
