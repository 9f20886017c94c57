"""What campus and the ingest process say to each other. Over a Unix socket, framed by `recorder.framing`.

Campus opens a peer on a media worker for each source, says the worker what comes there, and tells the ingest
process where to pull from and where to send to. Every command is idempotent: said again with the same values
it changes nothing, with another transport the source goes to another worker's peer.
"""

from __future__ import annotations

import msgspec

from server.ingest.pulling import SourceState
from server.protocol.messages import Words
from server.protocol.parameters import Fingerprint, LocalTransport

VERSION = 1


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int = VERSION


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """Pull `address` (with its password: never logged) and send it to the worker's `transport` under these
    credentials and SSRCs. `audio_ssrc` 0: picture only."""

    source: str
    address: str
    peer: str
    ufrag: str
    pwd: str
    transport: LocalTransport
    video_ssrc: int
    audio_ssrc: int
    udp: bool = False

    def __repr__(self) -> str:
        return f"Publish({self.source}, {self.peer})"


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """The source is no longer wanted: close it."""

    source: str


Command = Hello | Publish | Withdraw


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """`fingerprints`: of the certificate with which every source comes to a worker. `sources`: source to
    peer, as they are carried now."""

    boot: str
    fingerprints: list[Fingerprint]
    sources: dict[str, str]
    version: int = VERSION


class SourceChanged(msgspec.Struct, frozen=True, tag="source_changed"):
    """What became of a source. `problem`: "" or a stable code with words for IT; `transcoded`: "" or why its
    picture cannot be copied."""

    source: str
    state: SourceState
    problem: str = ""
    words: Words | None = None
    transcoded: str = ""
    retry_in_s: float = 0.0


class PublishFailed(msgspec.Struct, frozen=True, tag="publish_failed"):
    """The worker's peer could not be reached: campus opens another."""

    source: str
    peer: str


Event = Welcome | SourceChanged | PublishFailed
"""Everything the ingest process says."""
