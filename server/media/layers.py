"""Layers of a track (simulcast): which one a slot gets, and which are worth sending at all. Pure.

Layers count from 0, the lowest. A layer is *living* while its packets come; publishers stop a layer when
their uplink is too thin for it, or when they were told that nobody wants it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from server.protocol.parameters import Source

LIVING_S = 0.8
SCREEN_LIVING_S = 3.0
"""A screen at rest is sent about once a second."""
WINDOW_S = 1.0
SPARE_S = 4.0
"""So long a layer that nobody wants is still sent: people change their minds, and keyframes cost."""

TILE = "tile"


def living_s(source: Source) -> float:
    """After so long without a packet a layer counts as not sent."""
    return SCREEN_LIVING_S if source is Source.SCREEN else LIVING_S


def highest_for(slot: str, layers: int) -> int:
    """The best layer that is of any use to a slot: a small tile shows nothing above the lowest."""
    return 0 if slot.startswith(TILE) else layers - 1


def best(wanted: int, living: Collection[int]) -> int | None:
    """The living layer nearest to what is wanted: not above it where there is one. None: nothing lives."""
    below = [layer for layer in living if layer <= wanted]
    return max(below) if below else min(living, default=None)


def next_step(wanted: int, living: Collection[int], showing: int, awaiting: int) -> int | None:
    """What to point a slot at that shows `showing` and waits for `awaiting` (-1: none); None: no change.

    First at the best living layer, then at the wanted one, which so begins with its first keyframe.
    """
    near = best(wanted, living)
    if near is None:
        near = wanted
    target = near if showing != near else wanted
    present = awaiting if awaiting >= 0 else showing
    return None if present == target else target


@dataclass(slots=True)
class Meter:
    """Bits a second of each layer over the last WINDOW_S, from totals of octets."""

    _samples: deque[tuple[float, tuple[int, ...]]] = field(default_factory=deque)

    def add(self, octets: Iterable[int], now: float) -> None:
        """Totals as they stand at `now` (seconds)."""
        self._samples.append((now, tuple(octets)))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    def bitrates(self) -> tuple[int, ...]:
        """Bits a second, lowest layer first; () before two samples."""
        if len(self._samples) < 2:
            return ()
        (since, before), (now, after) = self._samples[0], self._samples[-1]
        passed = max(now - since, 0.001)
        return tuple(int((b - a) * 8 / passed) for a, b in zip(before, after, strict=True))


@dataclass(slots=True)
class Wishes:
    """Which layers of one track its publisher shall send: switched on at once, off after SPARE_S unwanted."""

    count: int
    told: tuple[int, ...] | None = None
    _wanted_at: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = tuple(range(self.count))

    def forget(self) -> None:
        """Whoever was told is gone: the next update tells again."""
        self.told = None

    def update(self, wanted: Iterable[int], now: float) -> tuple[int, ...] | None:
        """Layers to be sent from now on where that differs from what was told last, else None.

        The lowest layer is never switched off: it costs little and is what everybody falls back to.
        """
        for layer in (0, *wanted):
            self._wanted_at[layer] = now
        keep = tuple(
            layer for layer in range(self.count) if now - self._wanted_at.setdefault(layer, now) < SPARE_S
        )
        if keep == self.told:
            return None
        self.told = keep
        return keep
