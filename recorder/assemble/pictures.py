"""What the pictures of every codec have in common: where one ends, and what becomes of those after a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from recorder.assemble.reorder import Ordered

MAX_UNIT = 16 << 20


class AccessUnit(NamedTuple):
    """A picture. H.264: in Annex B form without parameter sets; `config`: SPS and PPS it needs, Annex B."""

    timestamp: int  # 64-bit RTP time
    arrival_s: float  # of its first packet
    key: bool
    data: bytes
    config: bytes
    lost_before: bool  # pictures before it were lost or thrown away
    codec: str = "H264"


class PictureReader(ABC):
    """One SSRC's packets, in order -> pictures that decode: one that may lack a packet is thrown away, and
    with it all that follows up to the next keyframe."""

    def __init__(self) -> None:
        self._needs_key = True
        self._lost = False
        self._timestamp: int | None = None

    @property
    def needs_key(self) -> bool:
        """Nothing is given before the next keyframe."""
        return self._needs_key

    @property
    def broken(self) -> bool:
        """Pictures were lost since the last one that was given."""
        return self._lost

    def push(self, packet: Ordered) -> AccessUnit | None:
        """The picture that this packet completes, if any."""
        done = None
        if packet.missing:
            self._lost = self._needs_key = True
            self._drop()
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            done = self._finish()  # its marker bit was missing: sequence numbers say that it is whole
        self._take(packet)
        if packet.marker and self._timestamp is not None:
            done = self._finish() or done
        return done

    @abstractmethod
    def _drop(self) -> None:
        """Forget the picture that was begun, if one was: `_timestamp` is None afterwards."""

    @abstractmethod
    def _take(self, packet: Ordered) -> None:
        """Begin a picture where none is, and add this packet to it."""

    @abstractmethod
    def _finish(self) -> AccessUnit | None:
        """The picture that was begun, where it is whole and decodes; it is forgotten here."""
