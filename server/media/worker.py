"""The media worker: joins the relay's sockets, the peers, the tables and campus' control socket.

Everything here runs in one thread. A packet that the relay forwards never comes here; what comes are
STUN, DTLS and moments of tracks. Timers: TICK_S, FULL_REST_S or REST_S for the relay, LEVELS_S for what
people see at once, a second for figures and reports. While media flows the tick goes with it: a waking
less, and what is done for many viewers together is done with warm caches (docs/adr/0015).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from server.media import figures, rtcp, switching
from server.media.commands import carry_out
from server.media.contract import (
    Command,
    Done,
    Event,
    LayersWanted,
    PeerChanged,
    PeerSnapshot,
    PeerState,
    PointedSlot,
    TapSnapshot,
    TrackChanged,
    Viewing,
    Welcome,
    WorkerFigures,
)
from server.media.dtls import Certificate
from server.media.forwarding import Forwarding
from server.media.keyframes import KeyframeRequests
from server.media.peer import Moment, Peer
from server.media.relay import tables as relay_tables
from server.media.relay.relay import Relay
from server.media.relay.tables import EventKind
from server.media.taps import KEPT_AFTER_END_S, Tap
from server.media.viewers import Viewers
from server.protocol.parameters import Candidate

TICK_S = 0.010  # while something is pressing
REST_S = 0.060  # the next media after that takes the tick along
FULL_REST_S = 0.030  # the same while a viewer's packets wait
NO_MEDIA_S = 0.050  # longer than that the tick waits for no media
LEVELS_S = 0.2
FIGURES_S = 1.0
TOTALS_S = 5.0
IDLE_COLLECT_S = 60.0

_log = logging.getLogger("lianke.media")


@dataclass(slots=True)
class MediaWorker:
    """One worker process' state. `tell` writes an event to campus; `clock` is monotonic seconds."""

    name: str
    sockets: list[socket.socket]
    candidates: list[Candidate]
    tap_socket: str
    ring_bytes: int
    clock: Callable[[], float]
    pid: int
    tell: Callable[[Event], None] = field(default=lambda event: None)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    relay: Relay = field(default_factory=Relay)
    certificate: Certificate = field(default_factory=Certificate.generateCertificate)
    peers: dict[str, Peer] = field(default_factory=dict)
    draining: bool = False
    counters: Counter[str] = field(default_factory=Counter)
    tables: Forwarding = field(init=False)
    viewers: Viewers = field(init=False)
    _by_handle: dict[int, Peer] = field(default_factory=dict)
    _associations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ended_taps: list[Tap] = field(default_factory=list)
    _due: dict[str, float] = field(default_factory=dict)
    _measured_at: float = 0.0
    _ticked_at: float = 0.0
    _arriving: set[str] = field(default_factory=set)  # peers that are being set up: their checks come at once
    _next_tick: asyncio.TimerHandle | None = None
    _resting: bool = False

    def __post_init__(self) -> None:
        self.tables = Forwarding(self.relay, KeyframeRequests())
        self.viewers = Viewers(self.tables)
        self._measured_at = self.clock()

    # -- life ------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then say goodbye to every peer."""
        loop = asyncio.get_running_loop()
        numbers = [self.relay.adopt(each.fileno()) for each in self.sockets]
        for number in numbers:
            loop.add_reader(self.relay.watched(number), self._readable, number)
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 1_000_000)  # the last: a full collection would make packets wait
        self._tick_again(loop)
        try:
            await stop.wait()
        finally:
            if self._next_tick is not None:
                self._next_tick.cancel()
                self._next_tick = None
            for number in numbers:
                loop.remove_reader(self.relay.watched(number))
            await self._close_all()

    def _tick_again(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._next_tick is not None:
            self._next_tick.cancel()
        self._ticked_at = self.clock()
        try:
            self._tick(self._ticked_at)
        finally:
            self._resting = not self._is_pressing()
            pause = self._rest_s() + NO_MEDIA_S if self._resting else TICK_S
            self._next_tick = loop.call_later(pause, self._tick_again, loop)

    def _rest_s(self) -> float:
        return FULL_REST_S if self.viewers.full else REST_S

    def _is_pressing(self) -> bool:
        return self.relay.pressing() or self.tables.keyframes.fresh or self.viewers.pressing

    def _hurry(self) -> None:
        """Bring the next tick forward where something came up meanwhile."""
        if self._resting and self._next_tick is not None and self._is_pressing():
            self._next_tick.cancel()
            loop = asyncio.get_running_loop()
            self._next_tick = loop.call_later(TICK_S, self._tick_again, loop)
            self._resting = False

    async def _close_all(self) -> None:
        for tap in self.tables.taps.values():
            tap.end_tracks()
        for peer in list(self.peers.values()):
            peer.moment(Moment.CLOSED, "worker_stops")
        if self._associations:
            await asyncio.wait(self._associations.values(), timeout=1.0)
        for tap in [*self.tables.taps.values(), *self._ended_taps]:
            tap.close()

    # -- what campus asks ------------------------------------------------------------------------

    def handle(self, command: Command) -> Done | None:
        done = carry_out(self, command)
        self._hurry()
        return done

    def welcome(self) -> Welcome:
        for up in self.tables.ups.values():
            up.wishes.forget()
        return Welcome(
            self.name,
            self.boot,
            self.pid,
            self.tap_socket,
            [self._snapshot(peer) for peer in self.peers.values()],
            [
                TapSnapshot(tap.room, {number: slot.track for number, slot in tap.slots.items()})
                for tap in self.tables.taps.values()
            ],
        )

    def _snapshot(self, peer: Peer) -> PeerSnapshot:
        up = [each.track for each in self.tables.ups.values() if each.name.peer == peer.name]
        down = [PointedSlot(each.slot, each.wanted) for each in self.tables.downs.get(peer.name, {}).values()]
        return PeerSnapshot(peer.name, peer.room, peer.state, peer.transport, up, down, peer.remote)

    def open_peer(self, name: str, room: str) -> Peer:
        peer = Peer(
            name, room, self.relay, self.certificate, self.candidates, self._peer_changed, self.clock()
        )
        self.peers[name] = peer
        self._by_handle[peer.handle] = peer
        self._arriving.add(name)
        self.relay.hold_checks(False)
        return peer

    def open_tap(self, room: str) -> Tap:
        tap = Tap.open(self.relay, room, self.ring_bytes)
        self.tables.taps[room] = tap
        return tap

    def close_tap(self, room: str) -> None:
        tap = self.tables.taps.pop(room, None)
        if tap is not None:
            for number in list(tap.slots):
                self.tables.untap_track(tap, number)
            tap.end(self.clock())
            self._ended_taps.append(tap)

    def find_tap(self, room: str) -> Tap | None:
        """The living tap of a room, else the newest ended one that is still kept."""
        ended = (tap for tap in reversed(self._ended_taps) if tap.room == room)
        return self.tables.taps.get(room) or next(ended, None)

    def count(self, name: str) -> None:
        """Names come from our own code only, so there are never many."""
        self.counters[name] += 1

    def viewing(self, command: Viewing) -> None:
        self.viewers.viewing(command.peer, command.slots, self.clock())

    # -- what the relay tells --------------------------------------------------------------------

    def _readable(self, number: int) -> None:
        for event in self.relay.receive(number):
            self._on_event(event)
        if self.clock() - self._ticked_at >= self._rest_s():
            self._tick_again(asyncio.get_running_loop())
        else:
            self._hurry()

    def _on_event(self, event: relay_tables.Event) -> None:
        match event.kind:
            case EventKind.STUN | EventKind.DTLS:
                peer = self._by_handle.get(event.handle)
                if peer is not None:
                    self._on_packet(event, peer)
            case EventKind.RTCP:
                peer = self._by_handle.get(event.handle)
                if peer is not None:
                    self.viewers.rtcp(peer.name, event.data, self.clock())
            case EventKind.UP_LIVE:
                self._up_live(event)
            case EventKind.KEYFRAME_WANTED:
                self.tables.keyframes.want(event.handle, event.value)
            case EventKind.KEYFRAME_SEEN:
                self.tables.keyframes.seen(event.handle, event.value, self.clock())
            case EventKind.SLOT_STARTED:
                self.count("slots_started")
                self.viewers.started(event.handle, self.clock())

    def _on_packet(self, event: relay_tables.Event, peer: Peer) -> None:
        if event.kind is EventKind.STUN and event.address is not None:
            dropped = peer.on_stun(event.value, event.address, event.data, self.clock())
            self.count(dropped.value if dropped else "stun_answered")
        elif event.kind is EventKind.DTLS and not peer.on_dtls(event.data, self.clock()):
            self.count("dtls_too_many")

    def _up_live(self, event: relay_tables.Event) -> None:
        up = self.tables.up_by_handle.get(event.handle)
        if up is None:
            return
        up.live, up.codec = True, figures.codec_name(event.value)
        self.tell(TrackChanged(up.name, up.track.source, True, up.codec))

    # -- peers -----------------------------------------------------------------------------------

    def _peer_changed(self, peer: Peer, reason: str) -> None:
        if peer.state is not PeerState.CONNECTING:
            self._arriving.discard(peer.name)
            self.relay.hold_checks(not self._arriving)
        if peer.state is PeerState.CONNECTING:
            task = asyncio.get_running_loop().create_task(self._associate(peer), name=f"dtls {peer.name}")
            self._associations[peer.name] = task
            task.add_done_callback(partial(self._association_done, peer.name))
        elif peer.state is PeerState.CONNECTED:
            self.tables.peer_ready(peer.name)
            self.viewers.joined(peer.name, peer.handle, self.clock())
        elif peer.state in (PeerState.GONE, PeerState.FAILED):
            self._forget(peer)
        self.tell(PeerChanged(peer.name, peer.state, reason))

    def _association_done(self, name: str, task: asyncio.Task[None]) -> None:
        self._associations.pop(name, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("peer %s: DTLS task ended badly", name, exc_info=task.exception())

    async def _associate(self, peer: Peer) -> None:
        assert peer.remote is not None
        dtls, remote = peer.association(), peer.remote
        reason = await dtls.run(remote.our_role, remote.fingerprints, peer.secured)
        if not peer.moment(Moment.REFUSED, reason):
            peer.moment(Moment.CLOSED, "closed_by_peer")

    def _forget(self, peer: Peer) -> None:
        """The rows go at once; the relay's peer after DTLS has said goodbye through it."""
        del self.peers[peer.name]
        self.viewers.left(peer.name)
        for up in self.tables.remove_peer(peer.name):
            self.tell(TrackChanged(up.name, up.track.source, False, up.codec))
        if peer.dtls is not None and peer.state is PeerState.GONE:
            task = asyncio.get_running_loop().create_task(self._farewell(peer), name=f"close {peer.name}")
            self._associations[f"{peer.name} closing"] = task
            task.add_done_callback(partial(self._association_done, f"{peer.name} closing"))
        else:
            self._drop(peer)

    async def _farewell(self, peer: Peer) -> None:
        try:
            if peer.dtls is not None:
                await peer.dtls.stop()
        finally:
            self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        del self._by_handle[peer.handle]
        peer.drop()

    # -- time ------------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        for event in self.relay.tick():
            self._on_event(event)
        self.viewers.round(now)
        self._ask_keyframes(now)
        if self._is_due("levels", LEVELS_S, now):
            switching.observe(self.tables, now)
            for up, layers in switching.layers_to_send(self.tables, now):
                self.tell(LayersWanted(up.name, [up.track.rids[layer] for layer in layers]))
            for told in figures.levels(self.tables):
                self.tell(told)
        if self._is_due("figures", FIGURES_S, now):
            self._every_second(now)
        if self._is_due("totals", TOTALS_S, now):
            self.tell(WorkerFigures(self._totals()))
        if not self.peers and self._is_due("collect", IDLE_COLLECT_S, now):
            gc.collect()  # nobody waits for a packet now

    def _is_due(self, name: str, every_s: float, now: float) -> bool:
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + every_s
        return True

    def _ask_keyframes(self, now: float) -> None:
        for handle, layer in list(self.tables.keyframes.due(now)):
            up = self.tables.up_by_handle[handle]
            ssrc = self.relay.layer_figures(handle, layer).ssrc
            peer = self.peers.get(up.name.peer)
            if peer is not None and ssrc:
                self.relay.send_rtcp(peer.handle, rtcp.picture_loss(ssrc))
                self.count("keyframes_asked")

    def _every_second(self, now: float) -> None:
        for peer in list(self.peers.values()):
            peer.check_silence(now)
        for name, report in figures.reports(self.tables):
            self.relay.send_rtcp(self.peers[name].handle, report)
        for room in figures.measure(self.tables, max(0.1, now - self._measured_at)):
            self.tell(room)
        self._measured_at = now
        for tap in [t for t in self._ended_taps if now - (t.ended_at or now) > KEPT_AFTER_END_S]:
            self._ended_taps.remove(tap)
            tap.close()

    def _totals(self) -> dict[str, float]:
        totals = {name: float(value) for name, value in self.relay.totals().items()}
        totals.update({name: float(value) for name, value in self.counters.items()})
        totals.update(self.viewers.totals())
        totals.update(figures.layer_totals(self.tables))
        totals.update(peers=float(len(self.peers)), rooms=float(len({p.room for p in self.peers.values()})))
        return totals
