"""Who forwards what: up tracks, down slots and taps, and the relay's rows made from them.

Campus says what it wants in any order; here it is kept, and the relay is told as soon as both ends
exist. A slot or tap whose track went away waits for a track of the same name. A track never reaches
a slot of another room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.media.contract import Reason, TrackName
from server.media.keyframes import FRESH_US, NEWEST_US, KeyframeRequests, join_for, still_age_us
from server.media.layers import Meter, Wishes, best, highest_for, next_step
from server.media.relay.relay import Relay
from server.media.relay.tables import DownFigures, Join, LayerFigures
from server.media.rows import down_row, up_row
from server.media.taps import Tap, TapSlot
from server.protocol.parameters import CodecName, DownSlot, Kind, Source, UpTrack

MAX_TRACKS = 64  # up tracks of a peer
MAX_SLOTS = 64  # down slots of a peer
NO_TRACK = -1


class Problem(Exception):
    """A command that cannot be: a stable code for `Done.problem` and a sentence for the log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Up:
    """An up track; `before`, `reported`: its layers' figures at the last measuring and report."""

    name: TrackName
    room: str
    track: UpTrack
    handle: int
    live: bool = False
    codec: CodecName | None = None
    level_dbov: int = -127
    before: list[LayerFigures] = field(default_factory=list)
    reported: list[LayerFigures] = field(default_factory=list)
    living: frozenset[int] = frozenset()  # layers that are coming
    meter: Meter = field(default_factory=Meter)
    wishes: Wishes = field(init=False)

    def __post_init__(self) -> None:
        self.wishes = Wishes(self.layers)

    @property
    def layers(self) -> int:
        return max(1, len(self.track.rids))


@dataclass(slots=True)
class Down:
    """A down slot: `wanted` is campus' word, `pointed` what the relay was told, `selected` the layer it may
    have at most (None: the best that is of use to it). `held`: its picture is left out for now. `settled`: it
    shows the layer it is to have."""

    peer: str
    room: str
    slot: DownSlot
    handle: int
    wanted: TrackName | None = None
    pointed: TrackName | None = None
    selected: int | None = None
    before: DownFigures | None = None
    held: bool = False
    settled: bool = False
    estimate_bps: int = 0
    reason: Reason = Reason.NONE

    def layer(self, up: Up) -> int:
        """The layer this slot is to have of a track, should it live."""
        most = highest_for(self.slot.name, up.layers)
        return most if self.selected is None else max(0, min(self.selected, most))


@dataclass(slots=True)
class Forwarding:
    """The tables of all rooms of one worker."""

    relay: Relay
    keyframes: KeyframeRequests
    ups: dict[TrackName, Up] = field(default_factory=dict)
    downs: dict[str, dict[str, Down]] = field(default_factory=dict)  # by peer and slot
    taps: dict[str, Tap] = field(default_factory=dict)
    up_by_handle: dict[int, Up] = field(default_factory=dict)
    down_by_handle: dict[int, Down] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)  # peers that can receive
    changes: int = 0  # of who wants what
    stepped_at: float = 0.0  # when every slot was last looked at (server.media.switching)

    def set_up_tracks(self, peer: str, room: str, handle: int, tracks: list[UpTrack]) -> None:
        """Make the peer's up tracks these. One whose row is as before keeps its streams."""
        _check_tracks(tracks)
        wanted = {track.mid: track for track in tracks}
        for up in [each for each in self.ups.values() if each.name.peer == peer]:
            track = wanted.get(up.name.mid)
            if track is not None and _is_same(track, up.track):
                up.track = wanted.pop(up.name.mid)
            else:
                self.remove_up(up)
        for track in wanted.values():
            self._add_up(peer, room, handle, track)

    def set_down_slots(self, peer: str, room: str, handle: int, slots: list[DownSlot]) -> None:
        """Make the peer's slots these; known ones must be the same as before."""
        known = self.downs.setdefault(peer, {})
        _check_slots(slots, known)
        for slot in slots:
            if slot.name not in known:
                try:
                    number = self.relay.add_down(handle, down_row(slot))
                except ValueError as error:
                    raise Problem("bad_slot", str(error)) from None
                known[slot.name] = self.down_by_handle[number] = Down(peer, room, slot, number)

    def point(self, peer: str, slot: str, track: TrackName | None) -> None:
        """What a slot shall forward. Problem for an unknown slot or a track of another room."""
        down = self.downs.get(peer, {}).get(slot)
        if down is None:
            raise Problem("unknown_slot", slot)
        up = self.ups.get(track) if track else None
        if up is not None and up.room != down.room:
            raise Problem("other_room", slot)
        down.wanted = track
        self.changes += 1
        self._apply(down)

    def select(self, peer: str, slot: str, layer: int, *, cut: bool = False) -> None:
        """The layer a slot shall have from now on (0: the lowest), of whatever track it is pointed at.

        Where that one is not coming it gets the best living one below, else the lowest living one; a tile
        never gets more than the lowest. What it shows goes on until the other layer has a keyframe; `cut`: it
        ends at once, for the line is full and the keyframe would wait behind it (a camera's only: a screen's
        keyframe is the larger by far). Problem for an unknown slot.
        """
        down = self.downs.get(peer, {}).get(slot)
        if down is None:
            raise Problem("unknown_slot", slot)
        if down.selected != layer:
            down.selected = layer
            if cut:
                self._cut(down)
            self.step(down)

    def hold(self, down: Down, *, held: bool) -> None:
        """Leave a slot's picture out, or let it come again (then from a keyframe)."""
        if down.held != held:
            down.held = held
            self._apply(down)

    def show_still(self, down: Down, bitrate_bps: int) -> bool:
        """The newest keyframe of the lowest layer that has one, to a held slot. False: none is there."""
        up = self.ups.get(down.wanted) if down.wanted else None
        if up is None or not down.held or up.track.kind is not Kind.VIDEO:
            return False
        for layer in range(up.layers):
            if self.relay.still(down.handle, up.handle, layer, bitrate_bps):
                if self.relay.layer_figures(up.handle, layer).keyframe_age_us > still_age_us(up.track.source):
                    self.keyframes.want(up.handle, layer)
                return True
        self.keyframes.want(up.handle, 0)
        return False

    def layer_bitrates(self, name: TrackName) -> tuple[int, ...]:
        """Bits a second of each layer of a track over the last second, lowest first; 0: not sent. () for an
        unknown track."""
        up = self.ups.get(name)
        if up is None:
            return ()
        return up.meter.bitrates() or (0,) * up.layers

    def want_keyframe(self, up: Up) -> None:
        """Of the layer that a recording gets, else of the best one."""
        near = best(up.layers - 1, up.living)
        self.keyframes.want(up.handle, up.layers - 1 if near is None else near)

    def showing(self, down: Down) -> int:
        """The layer a slot forwards now, -1: none."""
        up = self.ups.get(down.pointed) if down.pointed else None
        return -1 if up is None else self.relay.showing(down.handle, up.handle)[0]

    def peer_ready(self, peer: str) -> None:
        """The peer's SRTP is up: its slots begin."""
        self.ready.add(peer)
        for down in self.downs.get(peer, {}).values():
            self._apply(down)

    def remove_peer(self, peer: str) -> list[Up]:
        """Forget a peer's rows; the caller removes it from the relay. Returns its live up tracks."""
        self.ready.discard(peer)
        gone = [up for up in self.ups.values() if up.name.peer == peer]
        for up in gone:
            self.remove_up(up)
        for down in self.downs.pop(peer, {}).values():
            self.relay.remove_down(down.handle)
            del self.down_by_handle[down.handle]
        return [up for up in gone if up.live]

    def remove_up(self, up: Up) -> None:
        """Whatever pointed at it points at nothing and waits."""
        self.changes += 1
        self.relay.remove_up(up.handle)
        self.keyframes.remove(up.handle)
        del self.ups[up.name]
        del self.up_by_handle[up.handle]
        for down in self.all_downs():
            if down.pointed == up.name:
                down.pointed = None
        for tap in self.taps.values():
            for slot in tap.slots.values():
                if slot.track == up.name and slot.started:
                    tap.end_track(slot)

    def tap_track(self, tap: Tap, slot: TapSlot) -> None:
        """Write a track into a ring from now on; said again for another track, it is replaced."""
        up = self.ups.get(slot.track)
        if up is not None and up.room != tap.room:
            raise Problem("other_room", slot.track.mid)
        known = tap.slots.get(slot.number)
        if known is not None:
            if (known.track, known.note) == (slot.track, slot.note):
                return
            self.untap_track(tap, slot.number)
        tap.slots[slot.number] = slot
        if up is not None:
            self._start_tap(tap, slot, up)

    def untap_track(self, tap: Tap, number: int) -> None:
        slot = tap.slots.pop(number, None)
        if slot is not None:
            tap.end_track(slot)
            up = self.ups.get(slot.track)
            if up is not None:
                self.keyframes.every(up.handle, 0, 0.0)

    def step(self, down: Down) -> None:
        """Bring a slot nearer to the layer it is to have."""
        up = self.ups.get(down.pointed) if down.pointed else None
        down.settled = up is None or up.layers == 1
        if up is None or down.settled:
            return
        wanted = down.layer(up)
        showing, awaiting = self.relay.showing(down.handle, up.handle)
        down.settled = showing == wanted and awaiting < 0
        step = next_step(wanted, up.living, showing, awaiting)
        if step is not None:
            self._point(down, up, step)

    def _cut(self, down: Down) -> None:
        up = self.ups.get(down.pointed) if down.pointed else None
        if up is None or up.track.source is Source.SCREEN or self.showing(down) == down.layer(up):
            return
        wanted = down.layer(up)
        near = best(wanted, up.living)
        self.relay.point(down.handle, NO_TRACK)
        self._begin(down, up, wanted if near is None else near, NEWEST_US)

    def _point(self, down: Down, up: Up, layer: int) -> bool:
        """Point at a layer; a slot that shows the track already goes on with what it has until a keyframe."""
        shows = self.relay.showing(down.handle, up.handle)[0] >= 0
        return self._begin(down, up, layer, 0 if shows else FRESH_US)

    def _begin(self, down: Down, up: Up, layer: int, fresh_us: int) -> bool:
        """From the ring where its keyframe is younger than `fresh_us` (0: never), else from the next one."""
        down.settled = False
        join = self._join(up, layer, fresh_us) if fresh_us else Join.LIVE
        if not self.relay.point(down.handle, up.handle, layer, join):
            return False
        if up.track.kind is Kind.VIDEO and join is Join.LIVE:
            self.keyframes.want(up.handle, layer)
        return True

    def _add_up(self, peer: str, room: str, handle: int, track: UpTrack) -> None:
        try:
            number = self.relay.add_up(handle, up_row(track))
        except ValueError as error:
            raise Problem("bad_track", str(error)) from None
        self.changes += 1
        up = Up(TrackName(peer, track.mid), room, track, number)
        self.ups[up.name] = up
        self.up_by_handle[number] = up
        self.keyframes.add(number, track.source, up.layers)
        for down in self.all_downs():
            if down.wanted == up.name and down.room == room:
                self._apply(down)
        tap = self.taps.get(room)
        for slot in tap.slots.values() if tap else ():
            if tap and slot.track == up.name:
                self._start_tap(tap, slot, up)

    def _apply(self, down: Down) -> None:
        target = None if down.held else down.wanted
        if down.peer not in self.ready or down.pointed == target:
            return
        up = self.ups.get(target) if target else None
        if up is None or up.room != down.room:
            if down.pointed is not None:
                self.relay.point(down.handle, NO_TRACK)
                down.pointed = None
            return
        wanted = down.layer(up)
        near = best(wanted, up.living)
        down.pointed = up.name if self._point(down, up, wanted if near is None else near) else None

    def _start_tap(self, tap: Tap, slot: TapSlot, up: Up) -> None:
        """Never out of the ring: what came before somebody wanted it recorded is not written."""
        video = up.track.kind is Kind.VIDEO
        near = best(up.layers - 1, up.living)
        layer = up.layers - 1 if near is None else near
        tap.start_track(slot, up.handle, layer, video=video)
        if video:
            self.keyframes.every(up.handle, layer, slot.keyframe_every_s)
            self.keyframes.want(up.handle, layer)

    def _join(self, up: Up, layer: int, fresh_us: int) -> Join:
        if up.track.kind is not Kind.VIDEO:
            return Join.LIVE
        return join_for(up.track.source, self.relay.layer_figures(up.handle, layer), fresh_us)

    def all_downs(self) -> Iterator[Down]:
        return (down for slots in self.downs.values() for down in slots.values())


def _is_same(track: UpTrack, before: UpTrack) -> bool:
    return track.source is before.source and up_row(track) == up_row(before)


def _check_tracks(tracks: list[UpTrack]) -> None:
    if len(tracks) > MAX_TRACKS:
        raise Problem("too_many_tracks", f"{len(tracks)} tracks, at most {MAX_TRACKS}")
    if len({track.mid for track in tracks}) != len(tracks):
        raise Problem("duplicate_mid")
    ssrcs = [ssrc for track in tracks for pair in track.ssrcs.items() for ssrc in pair if ssrc]
    if len(set(ssrcs)) != len(ssrcs):
        raise Problem("ssrc_collision", "one SSRC announced twice")


def _check_slots(slots: list[DownSlot], known: dict[str, Down]) -> None:
    if len(slots) > MAX_SLOTS:
        raise Problem("too_many_slots", f"{len(slots)} slots, at most {MAX_SLOTS}")
    ssrcs = [ssrc for slot in slots for ssrc in (slot.ssrc, slot.rtx_ssrc) if ssrc]
    names = {slot.name for slot in slots}
    if len(set(ssrcs)) != len(ssrcs) or len(names) != len(slots):
        raise Problem("ssrc_collision", "slots share an SSRC or a name")
    if not set(known) <= names:
        raise Problem("slot_removed", "slots only grow")
    for slot in slots:
        before = known[slot.name].slot if slot.name in known else slot
        if (before.ssrc, before.rtx_ssrc, before.mid, before.kind) != (
            slot.ssrc,
            slot.rtx_ssrc,
            slot.mid,
            slot.kind,
        ):
            raise Problem("slot_changed", slot.name)
