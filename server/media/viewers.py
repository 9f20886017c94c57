"""Each viewer a few times a second: what came of what it was sent, what its line carries, what it is given.

The shell around `estimate`, `probes`, `reported` and `allocation`: it reads the relay and moves the slots of
`Forwarding`. A round serves a few viewers only, so that packets never wait for many of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush

from server.media import rtcp
from server.media.allocation import (
    HEADROOM,
    OFF,
    STILL,
    Decoder,
    Peaks,
    Rung,
    Wish,
    allocate,
    costs_of,
    ladder,
    rank_of,
    useful,
)
from server.media.contract import Reason, SlotViewing, TrackName
from server.media.estimate import OVER_FROM_MS, Estimate
from server.media.forwarding import Down, Forwarding, Up
from server.media.layers import TILE, highest_for
from server.media.probes import Probes
from server.media.repeating import Repeating
from server.media.reported import Reported
from server.protocol.parameters import Kind, Source

EVERY_S = 0.2
FULL_S = 0.1  # whose packets wait is looked at again so soon
CALM_S = 1.0  # who has all that is of use to it, and a line for more, is looked at as a whole so often
CALM_TIMES = 1.3
AT_ONCE = 40  # viewers in one round
REPORT_S = 1.0
STILL_S = 5.0
HOLD_AFTER_S = 2.0
CUT_FROM_MS = 150.0  # of queue: a layer that is too much for the line ends at once
LEAST_STILL_BPS = 20_000
REST_MS = 600  # after the line was full: packets of a layer just left would fill it again
LOWEST_HEIGHT = 180  # of a camera's lowest layer; each above has twice that at least
HINT_AGE_S = 10.0


_ladder = lru_cache(maxsize=256)(ladder)  # the viewers of a room wish the same


@dataclass(slots=True)
class Viewer:
    """One receiving connection. `given`: slot -> layer, OFF or STILL, as last applied."""

    name: str
    handle: int
    numbered: bool  # its packets have transport-wide numbers, and it tells when they come
    estimate: Estimate = field(default_factory=Estimate)
    probes: Probes = field(default_factory=Probes)
    reported: Reported = field(default_factory=Reported)
    given: dict[str, int] = field(default_factory=dict)
    weak: bool = False
    shown: dict[str, tuple[int, float]] = field(default_factory=dict)  # px, told at
    decoders: dict[str, Decoder] = field(default_factory=dict)
    repeating: Repeating = field(default_factory=Repeating)
    repeats: int = 0
    spent_bps: float = 0.0  # by what it is given
    still_at: float = float("-inf")
    short_since: float | None = None  # its line carries no picture at all since then
    sent_octets: int = 0
    sent_packets: int = 0
    reported_at: float = 0.0
    calm_until: float = float("-inf")
    enough_bps: float = 0.0
    changes_seen: int = -1  # of the tables

    @property
    def bps(self) -> float:
        """What its media may cost: what is sent again takes its part."""
        if self.numbered:
            return self.estimate.bps * (1 - min(self.estimate.losses.share, 0.5))
        return self.reported.bps

    @property
    def loss(self) -> float:
        """The share of its packets that its line loses, 0 to 1."""
        return (self.estimate.losses if self.numbered else self.reported.losses).share


@dataclass(slots=True)
class Viewers:
    """Every viewer of one worker; `round` is to be called again soon while `pressing`, more often while lines
    of some are `full` (their packets wait)."""

    tables: Forwarding
    by_name: dict[str, Viewer] = field(default_factory=dict)
    changes: int = 0
    stills: int = 0
    _order: list[tuple[float, str]] = field(default_factory=list)  # a heap: due at, name
    _peaks: dict[TrackName, tuple[float, Peaks, tuple[int, ...]]] = field(default_factory=dict)
    pressing: bool = False
    full: set[str] = field(default_factory=set)

    def joined(self, name: str, handle: int, now: float) -> None:
        """A connection is up; one without slots is nobody's viewer."""
        slots = self.tables.downs.get(name)
        if slots and name not in self.by_name:
            numbered = any(down.slot.extensions.transport_cc for down in slots.values())
            self.by_name[name] = Viewer(name, handle, numbered, reported_at=now)
            heappush(self._order, (now + EVERY_S, name))

    def left(self, name: str) -> None:
        self.by_name.pop(name, None)
        self.full.discard(name)

    def rtcp(self, name: str, blocks: bytes, now: float) -> None:
        """What a viewer sent that the relay does not read: REMB is of use."""
        viewer = self.by_name.get(name)
        bps = rtcp.read_remb(blocks)
        if viewer is not None and bps is not None:
            viewer.reported.remb(bps, now)

    def started(self, down: int, now: float) -> None:
        """The first packet after a slot was pointed has left."""
        found = self.tables.down_by_handle.get(down)
        viewer = self.by_name.get(found.peer) if found is not None else None
        if found is not None and viewer is not None and found.slot.kind is Kind.VIDEO:
            viewer.estimate.excuse(now)

    def viewing(self, name: str, slots: Iterable[SlotViewing], now: float) -> None:
        """The page's word: how large its pictures are shown, and what its decoder dropped of them."""
        viewer = self.by_name.get(name)
        if viewer is None:
            return
        viewer.calm_until = float("-inf")
        known = self.tables.downs.get(name, {})
        for each in slots:
            if each.slot not in known:
                continue
            viewer.shown[each.slot] = (each.height, now)
            decoder = viewer.decoders.setdefault(each.slot, Decoder())
            decoder.reported(each.dropped, self.tables.showing(known[each.slot]), now)

    def round(self, now: float) -> None:
        """Serve those that are due, AT_ONCE at most."""
        for _ in range(AT_ONCE):
            if not self._order or self._order[0][0] > now:
                break
            _, name = heappop(self._order)
            viewer = self.by_name.get(name)
            if viewer is not None:
                self._serve(viewer, now)
                waits = viewer.estimate.line.queue_ms > OVER_FROM_MS
                (self.full.add if waits else self.full.discard)(name)
                heappush(self._order, (now + (FULL_S if waits else EVERY_S), name))
        self.pressing = bool(self._order) and self._order[0][0] <= now
        if len(self._peaks) > 2 * len(self.tables.ups) + 8:
            self._peaks = {name: kept for name, kept in self._peaks.items() if name in self.tables.ups}

    def totals(self) -> dict[str, float]:
        viewers = self.by_name.values()
        return {
            "viewers": float(len(self.by_name)),
            "viewers_weak": float(sum(viewer.weak for viewer in viewers)),
            "viewers_repeated": float(sum(viewer.repeats > 0 for viewer in viewers)),
            "viewers_sound_only": float(sum(STILL in viewer.given.values() for viewer in viewers)),
            "layer_changes": float(self.changes),
            "stills_sent": float(self.stills),
        }

    # -- one viewer --------------------------------------------------------------------------------

    def _serve(self, viewer: Viewer, now: float) -> None:
        self._learn(viewer, now)
        if (
            now >= viewer.calm_until
            or viewer.changes_seen != self.tables.changes
            or viewer.bps < viewer.enough_bps
        ):
            self._allot(viewer, now)
        repeats = viewer.repeating.depth(viewer.loss, viewer.bps - viewer.spent_bps, now)
        if repeats != viewer.repeats:
            viewer.repeats = repeats
            self.tables.relay.repeat_sound(viewer.handle, repeats)

    def _allot(self, viewer: Viewer, now: float) -> None:
        """Give it what its line carries of what its slots are pointed at."""
        slots = self.tables.downs.get(viewer.name, {})
        wishes = list(self._wishes(viewer, slots.values(), now))
        voices = sum(1 for down in slots.values() if down.slot.kind is Kind.AUDIO and down.pointed)
        rungs = _ladder(tuple(wishes), voices)
        rung = patient(viewer, rungs, allocate(rungs, viewer.bps, viewer.given), now)
        self._probe(viewer, rungs[0], now)
        if rung.given != viewer.given:
            self._apply(viewer, slots, rung)
        viewer.weak, viewer.spent_bps = rung.given != rungs[0].given, rung.bps
        viewer.calm_until = float("-inf") if viewer.weak else now + CALM_S
        viewer.enough_bps, viewer.changes_seen = CALM_TIMES * rungs[0].bps, self.tables.changes
        for wish in wishes:
            down = slots[wish.slot]
            down.estimate_bps = int(viewer.bps)
            down.reason = _reason(down, wish, rung.given[wish.slot], self.tables)
        self._send_stills(viewer, slots, rung, now)

    def _wishes(self, viewer: Viewer, slots: Iterable[Down], now: float) -> Iterator[Wish]:
        for down in slots:
            up = self.tables.ups.get(down.wanted) if down.wanted else None
            if up is None or up.track.kind is not Kind.VIDEO or not (up.live or down.held):
                continue
            name, source = down.slot.name, up.track.source
            costs = self._costs(up, now)
            yield Wish(name, rank_of(name, source), costs, self._most(viewer, down, up, now))

    def _costs(self, up: Up, now: float) -> tuple[int, ...]:
        """The same for all viewers of a track until the next look."""
        at, peaks, costs = self._peaks.get(up.name, (float("-inf"), Peaks(), ()))
        if now - at >= EVERY_S:
            peaks.see(self.tables.layer_bitrates(up.name), now)
            costs = costs_of([int(bps) for bps in peaks.bps], up.track.max_bitrate_bps)
            self._peaks[up.name] = (now, peaks, costs)
        return costs

    def _most(self, viewer: Viewer, down: Down, up: Up, now: float) -> int:
        most = highest_for(down.slot.name, up.layers)
        px, told_at = viewer.shown.get(down.slot.name, (0, 0.0))
        if px and now - told_at < HINT_AGE_S and up.track.source is not Source.SCREEN:
            heights = [LOWEST_HEIGHT << layer for layer in range(up.layers)]
            most = min(most, useful(heights, px))
        decoder = viewer.decoders.get(down.slot.name)
        if decoder is not None and decoder.cap is not None:
            most = min(most, decoder.cap)
        return most

    def _learn(self, viewer: Viewer, now: float) -> None:
        relay = self.tables.relay
        if viewer.numbered:
            told = relay.take_bursts(viewer.handle)
            viewer.probes.feed(told, viewer.estimate, now)
            viewer.estimate.feed(told, now)
            if viewer.estimate.fell_at == now:
                relay.rest(viewer.handle, REST_MS)
            if not told:
                self._heed_silence(viewer, now)
        elif now - viewer.reported_at >= REPORT_S:
            self._read_reports(viewer, now)

    def _heed_silence(self, viewer: Viewer, now: float) -> None:
        octets = self.tables.relay.peer_figures(viewer.handle).sent_octets
        if octets - viewer.sent_octets > 5_000:
            viewer.sent_octets = octets
            viewer.estimate.silent(now)

    def _read_reports(self, viewer: Viewer, now: float) -> None:
        relay = self.tables.relay
        figures = relay.peer_figures(viewer.handle)
        bps = (figures.sent_octets - viewer.sent_octets) * 8 / (now - viewer.reported_at)
        packets = figures.sent - viewer.sent_packets
        viewer.sent_octets, viewer.sent_packets, viewer.reported_at = figures.sent_octets, figures.sent, now
        losses = [
            relay.down_figures(down.handle).loss
            for down in self.tables.downs.get(viewer.name, {}).values()
            if down.pointed and down.slot.kind is Kind.VIDEO
        ]
        viewer.reported.report(max(losses, default=0.0), packets, bps, now)

    def _probe(self, viewer: Viewer, best: Rung, now: float) -> None:
        if not viewer.numbered:
            return
        wanted = best.bps * HEADROOM / (1 - min(viewer.estimate.losses.share, 0.5))
        probe = viewer.probes.next(viewer.estimate, wanted, now)
        if probe is not None:
            self.tables.relay.probe(viewer.handle, probe.bps, probe.milliseconds)

    def _apply(self, viewer: Viewer, slots: dict[str, Down], rung: Rung) -> None:
        for slot, level in rung.given.items():
            if viewer.given.get(slot) == level:
                continue
            self.changes += 1
            if level >= 0:
                cut = level < viewer.given.get(slot, 0) and viewer.estimate.line.queue_ms > CUT_FROM_MS
                self.tables.select(viewer.name, slot, level, cut=cut)
            self.tables.hold(slots[slot], held=level in (OFF, STILL))
        for slot in viewer.given.keys() - rung.given.keys():
            if slot in slots:
                self.tables.hold(slots[slot], held=False)
        viewer.given = dict(rung.given)

    def _send_stills(self, viewer: Viewer, slots: dict[str, Down], rung: Rung, now: float) -> None:
        if STILL not in rung.given.values() or now - viewer.still_at < STILL_S:
            return
        viewer.still_at = now
        bps = int(max(LEAST_STILL_BPS, viewer.bps - rung.bps))
        for slot, level in rung.given.items():
            if level == STILL and self.tables.show_still(slots[slot], bps):
                self.stills += 1


def patient(viewer: Viewer, rungs: Sequence[Rung], rung: Rung, now: float) -> Rung:
    """A picture (not a tile) is left out only after HOLD_AFTER_S: a moment's stall is no thin line, nor is a
    queue that is being emptied."""
    kept = {slot for slot in rung.given if viewer.given.get(slot, 0) >= 0 and not slot.startswith(TILE)}
    if all(rung.given[slot] >= 0 for slot in kept):
        viewer.short_since = None
        return rung
    least = next(each for each in reversed(rungs) if all(each.given[slot] >= 0 for slot in kept))
    if viewer.short_since is None or (viewer.numbered and least.bps <= viewer.estimate.steady_bps):
        viewer.short_since = now
    return rung if now - viewer.short_since >= HOLD_AFTER_S else least


def _reason(down: Down, wish: Wish, level: int, tables: Forwarding) -> Reason:
    """Why a slot has less than the best."""
    if level < wish.most:
        return Reason.LINE
    up = tables.ups.get(down.wanted) if down.wanted else None
    if up is not None and wish.most < highest_for(down.slot.name, up.layers):
        return Reason.PAGE
    return Reason.NONE
