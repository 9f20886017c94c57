"""When a publisher is asked for a keyframe of a layer, and how a slot joins its picture. Pure.

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
BETWEEN_S = 0.3  # browsers answer one request in that time, and give every layer a keyframe then
TOGETHER_S = 0.05
SCREEN_GAP_S = 1.0
FIRST_S = 5.0
"""Who is asked ever again is asked the first time after so long at most: a live recording is watched from its
first segment on, and that one ends with a keyframe."""
FRESH_US = 2_000_000
NEWEST_US = 300_000
TRIES = 6


def join_for(source: Source, figures: LayerFigures, fresh_us: int = FRESH_US) -> Join:
    """How a slot begins on a picture: from the ring where that leaves no delay behind.

    A camera's keyframe must be younger than `fresh_us`; a screen's whole GOP always serves, paced.
    """
    if not figures.gop_complete or figures.keyframe_age_us < 0:
        return Join.LIVE
    if source is Source.SCREEN or figures.keyframe_age_us < fresh_us:
        return Join.RING
    return Join.LIVE


def still_age_us(source: Source) -> int:
    """How old a picture shown alone may be before another is asked for: a screen's costs everybody."""
    return 30_000_000 if source is Source.SCREEN else 5_000_000


@dataclass(slots=True)
class _Request:
    gap_s: float
    every_s: float = 0.0
    pause_s: float = 0.0  # until it is asked for by itself
    wanted: bool = False
    tries: int = 0
    asked_at: float = float("-inf")
    seen_at: float = float("-inf")


@dataclass(slots=True)
class KeyframeRequests:
    """Requests by a publisher's track handle and layer; `now` is in seconds, monotonic. `fresh`: one was
    wanted since `due` was last asked."""

    fresh: bool = False
    _requests: dict[tuple[int, int], _Request] = field(default_factory=dict)
    _asked: dict[int, float] = field(default_factory=dict)  # each track's last, of whatever layer

    def add(self, up: int, source: Source, layers: int = 1) -> None:
        for layer in range(layers):
            gap_s = SCREEN_GAP_S if source is Source.SCREEN else GAP_S
            self._requests.setdefault((up, layer), _Request(gap_s))

    def remove(self, up: int) -> None:
        for key in [key for key in self._requests if key[0] == up]:
            del self._requests[key]
        self._asked.pop(up, None)

    def every(self, up: int, layer: int, seconds: float) -> None:
        """Ask that often from now on, of this layer alone; 0: never by itself."""
        for (known, number), request in self._requests.items():
            every_s = seconds if number == layer else 0.0
            if known == up and request.every_s != every_s:
                request.every_s, request.pause_s = every_s, min(every_s, FIRST_S)

    def want(self, up: int, layer: int) -> None:
        """Somebody needs a keyframe of this layer."""
        request = self._requests.get((up, layer))
        if request is not None and not request.wanted:
            request.wanted, request.tries = True, 0
            self.fresh = True

    def seen(self, up: int, layer: int, now: float) -> None:
        """A keyframe came: whoever wanted one has it."""
        request = self._requests.get((up, layer))
        if request is not None:
            request.wanted, request.seen_at = False, now

    def due(self, now: float) -> Iterator[tuple[int, int]]:
        """The layers to ask now; each is counted as asked."""
        self.fresh = False
        for key, request in self._requests.items():
            last = max(request.asked_at, request.seen_at)
            if request.every_s and not request.wanted and now - last >= request.pause_s:
                request.wanted, request.tries, request.pause_s = True, 0, request.every_s
            since = now - self._asked.get(key[0], float("-inf"))
            if TOGETHER_S < since < BETWEEN_S:
                continue
            if request.wanted and now - request.asked_at >= request.gap_s:
                request.asked_at = self._asked[key[0]] = now
                request.tries += 1
                request.wanted = request.tries < TRIES
                yield key
