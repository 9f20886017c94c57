"""What a viewer is given of what its slots are pointed at, within what its line carries. Pure.

The order of giving up: tiles go first, the last one first; then the courseware's frame rate; then the
camera's size, and the camera; then the courseware is a still picture now and then. Sound is never given up.
One ladder of states leads from everything to that; a line stands on one rung, and goes up only where there
is room to spare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from server.protocol.parameters import Source

OFF = -1
STILL = -2
"""Instead of a layer: nothing; or a single picture every few seconds."""

HEADROOM = 1.15  # of a better rung's cost, before it is entered
OVERHEAD = 1.06  # headers
SOUND_BPS = 75_000  # one voice with its redundancy
STEP = 4.0  # between layers whose rate is not known


class Rank(IntEnum):
    """What is given up first has the lowest rank."""

    TILE = 0
    CAMERA = 1
    COURSEWARE = 2


class Wish(NamedTuple):
    """A picture slot that carries something. `costs`: bits a second of each layer, lowest first; `most`: the
    highest layer of any use to it."""

    slot: str
    rank: Rank
    costs: tuple[int, ...]
    most: int


Given = Mapping[str, int]
"""Slot -> layer, OFF or STILL."""


class Rung(NamedTuple):
    given: dict[str, int]
    bps: int


def rank_of(slot: str, source: Source) -> Rank:
    if slot.startswith("tile"):
        return Rank.TILE
    return Rank.COURSEWARE if source is Source.SCREEN else Rank.CAMERA


def costs_of(seen: Sequence[int], most_bps: int) -> tuple[int, ...]:
    """What each layer costs: as seen, or by its neighbours where it is not sent now."""
    nominal = [most_bps / STEP ** (len(seen) - 1 - layer) for layer in range(len(seen))]
    return tuple(int((seen[layer] or nominal[layer]) * OVERHEAD) for layer in range(len(seen)))


def ladder(wishes: Sequence[Wish], voices: int) -> list[Rung]:
    """Everything first, the least last."""
    given = {wish.slot: wish.most for wish in wishes}
    rungs = [_rung(given, wishes, voices)]
    for slot, level in _sacrifices(wishes):
        given = {**given, slot: level}
        rungs.append(_rung(given, wishes, voices))
    return rungs


def _sacrifices(wishes: Sequence[Wish]) -> Iterator[tuple[str, int]]:
    """What is given up, one after the other: slot, and what it still has."""
    by_rank = {rank: [wish for wish in wishes if wish.rank is rank] for rank in Rank}
    for tile in reversed(by_rank[Rank.TILE]):
        yield from ((tile.slot, level) for level in range(tile.most - 1, OFF - 1, -1))
    for screen in by_rank[Rank.COURSEWARE]:  # its layers are of one size: this is its frame rate
        yield from ((screen.slot, level) for level in range(screen.most - 1, -1, -1))
    cameras = by_rank[Rank.CAMERA]
    most = max((camera.most for camera in cameras), default=0)
    for level in range(most - 1, -1, -1):
        yield from ((camera.slot, level) for camera in cameras if camera.most > level)
    keeps = by_rank[Rank.COURSEWARE][:1] or cameras[:1]
    yield from ((wish.slot, OFF) for wish in (*cameras, *by_rank[Rank.COURSEWARE]) if wish not in keeps)
    yield from ((wish.slot, STILL) for wish in keeps)


def _rung(given: dict[str, int], wishes: Sequence[Wish], voices: int) -> Rung:
    pictures = sum(wish.costs[given[wish.slot]] for wish in wishes if given[wish.slot] >= 0)
    return Rung(given, pictures + voices * SOUND_BPS)


def allocate(rungs: Sequence[Rung], budget_bps: float, before: Given) -> Rung:
    """The rung for this budget: never one that costs more; better than `before` only with headroom."""
    fits = next((i for i, rung in enumerate(rungs) if rung.bps <= budget_bps), len(rungs) - 1)
    if not before:
        return rungs[fits]
    spare = next((i for i, rung in enumerate(rungs) if rung.bps * HEADROOM <= budget_bps), len(rungs) - 1)
    stood = next((i for i, rung in enumerate(rungs) if rung.given == before), None)
    return rungs[fits if stood is None else min(max(stood, fits), spare)]


@dataclass(slots=True)
class Decoder:
    """Which layer a viewer's machine can show: lower where it drops frames, tried again after a while.

    `now` in seconds. Three bad seconds in a row count; each failure doubles the time until the next trial.
    """

    cap: int | None = None
    _bad: int = 0
    _retry_s: float = 30.0
    _lowered_at: float = float("-inf")

    def reported(self, dropped: float, layer: int, now: float) -> None:
        """A second's share of frames that were not shown, while it had this layer."""
        self._bad = self._bad + 1 if dropped > DROPPED else 0
        if self._bad >= 3 and layer > 0:
            self._bad = 0
            if self.cap is None and now - self._lowered_at < 2 * self._retry_s:
                self._retry_s = min(2 * self._retry_s, 600.0)
            self.cap, self._lowered_at = layer - 1, now
        elif self.cap is not None and now - self._lowered_at > self._retry_s:
            self.cap = None


DROPPED = 0.15


def useful(heights: Sequence[int], shown_px: int) -> int:
    """The lowest layer that is at least nearly as high as the place it is shown in; 0 px: not known."""
    if shown_px <= 0:
        return len(heights) - 1
    return next((i for i, height in enumerate(heights) if height >= 0.8 * shown_px), len(heights) - 1)


@dataclass(slots=True)
class Peaks:
    """What each layer of a track costs: its highest rate of late. A screen at rest will not stay so."""

    bps: list[float] = field(default_factory=list)
    _seen_at: float = 0.0

    def see(self, rates: Sequence[int], now: float) -> None:
        kept = 0.97 ** max(0.0, min(now - self._seen_at, 10.0))
        self._seen_at = now
        before = self.bps if len(self.bps) == len(rates) else [0.0] * len(rates)
        self.bps = [max(float(rate), old * kept) for rate, old in zip(rates, before, strict=True)]
