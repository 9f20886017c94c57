"""When a publisher is asked for a keyframe, and how a slot joins its picture. Pure.

Many viewers want one at the same moment; a source is asked once in its gap, and again only while the one
asked for has not come. A storm of requests would triple the quantiser of everybody's picture, and one
request to a dense screen stalls every viewer of it for a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.media.relay.tables import Join, LayerFigures
from server.protocol.parameters import Source

GAP_S = 0.5
SCREEN_GAP_S = 1.0
FRESH_US = 2_000_000
TRIES = 6


def join_for(source: Source, figures: LayerFigures) -> Join:
    """How a slot begins on a picture: from the ring where that leaves no delay behind.

    A camera's keyframe must be younger than 2 s; a screen's whole GOP always serves, paced.
    """
    if not figures.gop_complete or figures.keyframe_age_us < 0:
        return Join.LIVE
    if source is Source.SCREEN or figures.keyframe_age_us < FRESH_US:
        return Join.RING
    return Join.LIVE


@dataclass(slots=True)
class _Request:
    gap_s: float
    every_s: float = 0.0
    wanted: bool = False
    tries: int = 0
    asked_at: float = float("-inf")
    seen_at: float = float("-inf")


@dataclass(slots=True)
class KeyframeRequests:
    """Requests by a publisher's track handle; `now` is in seconds, monotonic. `fresh`: one was wanted since
    `due` was last asked."""

    fresh: bool = False
    _by_up: dict[int, _Request] = field(default_factory=dict)

    def add(self, up: int, source: Source) -> None:
        self._by_up.setdefault(up, _Request(SCREEN_GAP_S if source is Source.SCREEN else GAP_S))

    def remove(self, up: int) -> None:
        self._by_up.pop(up, None)

    def every(self, up: int, seconds: float) -> None:
        """Ask that often from now on; 0: never by itself."""
        if up in self._by_up:
            self._by_up[up].every_s = seconds

    def want(self, up: int) -> None:
        """Somebody needs a keyframe of this track."""
        request = self._by_up.get(up)
        if request is not None and not request.wanted:
            request.wanted, request.tries = True, 0
            self.fresh = True

    def seen(self, up: int, now: float) -> None:
        """A keyframe came: whoever wanted one has it."""
        request = self._by_up.get(up)
        if request is not None:
            request.wanted, request.seen_at = False, now

    def due(self, now: float) -> Iterator[int]:
        """The tracks to ask now; each is counted as asked."""
        self.fresh = False
        for up, request in self._by_up.items():
            last = max(request.asked_at, request.seen_at)
            if request.every_s and not request.wanted and now - last >= request.every_s:
                request.wanted, request.tries = True, 0
            if request.wanted and now - request.asked_at >= request.gap_s:
                request.asked_at = now
                request.tries += 1
                request.wanted = request.tries < TRIES
                yield up
