"""Opening a source with bounds on everything: time, redirects, protocols, the size of a picture. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import av
from av.container import InputContainer

from server.ingest import reach
from server.ingest.address import SourceAddress
from server.ingest.faults import PUSHED, fault_of, not_pushing
from server.ingest.rtmp.slot import PushSlot

OPEN_S = 8.0
LOST_AFTER_US = "100000"  # a packet over UDP is not waited for any longer
READ_S = 5.0  # a source that says nothing for so long is away

_OPTIONS = {
    # by TCP; by UDP where the device has no TCP (RTSP's 461)
    "rtsp": {
        "rtsp_transport": "tcp+udp",
        "rtsp_flags": "prefer_tcp",
        "max_delay": LOST_AFTER_US,
        "allowed_media_types": "video+audio",
    },
    "rtsps": {"rtsp_transport": "tcp", "allowed_media_types": "video+audio"},
    "rtmp": {"rtmp_live": "live"},
    "http": {"max_redirects": "0"},
    "https": {"max_redirects": "0"},
    "udp": {"fifo_size": "4096", "overrun_nonfatal": "1"},
}
_FORMATS = {"http": "mpegts", "https": "mpegts", "udp": "mpegts"}  # a playlist could name any address
_PROTOCOLS = {
    "rtsp": "rtp,udp,tcp,rtsp",
    "rtsps": "rtp,udp,tcp,tls,rtsps",
    "rtmp": "rtmp,tcp",
    "http": "http,tcp",
    "https": "https,tls,tcp,http",
    "udp": "udp",
}


_LIMITS = {
    "max_pixels": str(7680 * 4320),
    "analyzeduration": "3000000",
    "probesize": "4000000",
    "fpsprobesize": "0",  # pictures wait while rates are guessed; here they are measured
}
PUSH_WAIT_S = 3.0
_FLV_LIMITS = {**_LIMITS, "analyzeduration": "1000000"}  # without sound it is waited for that long


class Readable(Protocol):
    """What FFmpeg needs of a file: blocks until some bytes come, b"" is the end."""

    def read(self, size: int, /) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class _Forwards:
    """Nothing but reading, for FFmpeg would try to go back in a file that says it can."""

    read: Callable[[int], bytes | None]


@contextmanager
def pushed(slot: PushSlot, stop: Callable[[], bool]) -> Iterator[InputContainer]:
    """What an encoder pushes to us, from its next keyframe on. SourceFault while it does not."""
    reader = slot.opened(stop, PUSH_WAIT_S)
    if reader is None:
        raise not_pushing()
    try:
        with flv(reader) as container:
            yield container
    finally:
        reader.close()


@contextmanager
def flv(file: Readable) -> Iterator[InputContainer]:
    """The FLV of a file that gives it as it is pushed. SourceFault where it cannot be read."""
    try:
        container = av.open(_Forwards(file.read), "r", format="flv", options=_FLV_LIMITS)
    except (av.FFmpegError, OSError) as error:
        raise fault_of(PUSHED, error) from None
    with container:
        yield container


@contextmanager
def opened(address: SourceAddress, host: str, *, udp: bool = False) -> Iterator[InputContainer]:
    """The source, opened at the numeric address `host` and closed at the end. `udp`: RTSP's packets over UDP.
    SourceFault where it cannot be opened."""
    options = {
        **_OPTIONS[address.scheme],
        "protocol_whitelist": _PROTOCOLS[address.scheme],
        **_LIMITS,
    }
    if udp and address.scheme == "rtsp":
        options["rtsp_transport"] = "udp"
    kind = _FORMATS.get(address.scheme)
    with reach.only(host):
        began = time.monotonic()
        try:
            container = av.open(address.url(host), options=options, format=kind, timeout=(OPEN_S, READ_S))
        except (av.FFmpegError, OSError) as error:
            late = time.monotonic() - began > OPEN_S - 0.5  # RTSP calls its own time-out invalid data
            cause = TimeoutError() if late else error
            raise fault_of(address, cause) from None  # the library's error has the password in its text
        with container:
            yield container
