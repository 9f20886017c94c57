"""The media side of one lesson: its worker, its connections, what every slot is pointed at, the tap.

Owned by the lesson room. Compares what is wanted with what the worker was told, and tells the difference, so
that saying it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from server.domain.floor import Assignment, Floor, Origin
from server.domain.lesson import Lesson
from server.live.connections import Connection, Direction, MediaLost, ask, take_back
from server.live.ports import WorkerPort
from server.live.recording import Taps, wanted_taps
from server.media.contract import (
    ClosePeer,
    CloseRoom,
    CloseTap,
    DownFigures,
    Figures,
    LayersWanted,
    Levels,
    OpenTap,
    PeerChanged,
    PeerSnapshot,
    PeerState,
    Point,
    Reason,
    RequestKeyframe,
    SlotViewing,
    TapSnapshot,
    TapTrack,
    TrackChanged,
    TrackName,
    UntapTrack,
    Viewing,
)
from server.protocol.messages import Assigned, Report
from server.protocol.parameters import CodecName, Kind, Source, UpTrack

FLOWING_MS = 1_500
VIEWING_EVERY_MS = 5_000
MAX_SLOTS = 64
WHIP_SEAT = "whip."
WHEP_SEAT = "whep."
BOX_SEAT = WHIP_SEAT + "box-"

Tracks = dict[Origin, tuple[Connection, UpTrack]]


class RoomMedia:
    """`worker` None: the lesson waits for a media worker."""

    def __init__(self, lesson: str, main_room: str) -> None:
        self.lesson = lesson
        self.main_room = main_room
        self.worker: WorkerPort | None = None
        self.worker_name = ""
        self.connections: dict[str, Connection] = {}
        self.muted = False  # the main room's voice is closed
        self.taps = Taps()

    # -- where ---------------------------------------------------------------------------------------

    def placed(self, name: str, worker: WorkerPort) -> None:
        self.worker_name, self.worker = name, worker

    def lost(self) -> None:
        """The worker is gone, with every connection and the ring."""
        self.worker, self.worker_name = None, ""
        self.connections.clear()
        self.taps.forget()

    def need(self) -> WorkerPort:
        if self.worker is None:
            raise MediaLost("no media worker")
        return self.worker

    def take_back(self, peers: Iterable[PeerSnapshot], tap: TapSnapshot | None) -> list[Connection]:
        """Connections that outlived campus. The tap's tracks are told again with the next comparison."""
        found = [take_back(peer) for peer in peers if peer.state not in (PeerState.GONE, PeerState.FAILED)]
        self.connections.update((connection.name, connection) for connection in found)
        if tap is not None and self.worker is not None:
            self.taps.open = True
            for number in tap.numbers:
                if number >= 16:  # a room's: what may not be recorded stops first
                    self.worker.send(UntapTrack(room=self.lesson, number=number))
        return found

    # -- who sends what ------------------------------------------------------------------------------

    def room_of(self, connection: Connection) -> str:
        return self.main_room if connection.seat.startswith(WHIP_SEAT) else connection.seat

    def tracks(self) -> Tracks:
        """Who supplies each source of each room: a living track before a silent one, then the newest."""
        best: dict[Origin, tuple[tuple[bool, int], Connection, UpTrack]] = {}
        for order, connection in enumerate(self.connections.values()):
            if connection.direction is not Direction.UP or not connection.alive:
                continue
            for track in connection.tracks:
                if self.muted and _cannot_be_silent(connection, track):
                    continue
                origin = (self.room_of(connection), track.source)
                rank = (track.mid in connection.live, order)
                if origin not in best or rank > best[origin][0]:
                    best[origin] = (rank, connection, track)
        return {origin: (connection, track) for origin, (_, connection, track) in best.items()}

    def announced(self) -> dict[str, frozenset[Source]]:
        """By room: what its connections say they send."""
        return _by_room(self.tracks())

    def boxes(self) -> frozenset[Source]:
        """What of the main room comes by a camera or encoder, not by its page."""
        return frozenset(
            source
            for (room, source), (connection, _) in self.tracks().items()
            if room == self.main_room and connection.seat.startswith(WHIP_SEAT)
        )

    def live(self) -> dict[str, frozenset[Source]]:
        """By room: what the worker says is really coming."""
        return _by_room(origin for origin, (c, track) in self.tracks().items() if track.mid in c.live)

    def flowing(self, now: int) -> frozenset[Origin]:
        """Live, and with packets in the last figures: ends sooner than `live` when a source falls silent."""
        return frozenset(
            origin
            for origin, (connection, track) in self.tracks().items()
            if track.mid in connection.live and now - connection.flowing_at.get(track.mid, now) < FLOWING_MS
        )

    def origin_of(self, name: TrackName) -> Origin | None:
        connection = self.connections.get(name.peer)
        if connection is None:
            return None
        for track in connection.tracks:
            if track.mid == name.mid:
                return self.room_of(connection), track.source
        return None

    # -- what the worker tells -----------------------------------------------------------------------

    def peer_changed(self, event: PeerChanged) -> Connection | None:
        """Keep the state; a connection that is gone is forgotten and given back."""
        connection = self.connections.get(event.peer)
        if connection is None:
            if event.state in (PeerState.CONNECTING, PeerState.CONNECTED):
                self.close_unknown(event.peer)
            return None
        connection.state = event.state
        if not connection.alive:
            del self.connections[event.peer]
        return connection

    def track_changed(self, event: TrackChanged, now: int) -> None:
        connection = self.connections.get(event.track.peer)
        if connection is None:
            return
        if event.live:
            connection.live[event.track.mid] = event.codec
            connection.flowing_at[event.track.mid] = now
        else:
            connection.live.pop(event.track.mid, None)

    def layers_wanted(self, event: LayersWanted) -> None:
        """The worker says which layers of a track somebody has a use for."""
        connection = self.connections.get(event.track.peer)
        if connection is not None:
            connection.layers[event.track.mid] = event.rids

    def layer_news(self, connection: Connection) -> dict[str, list[str]] | None:
        """What a publisher's page is to be told of its layers (by MID), or None where it knows."""
        if connection.layers == connection.layers_told:
            return None
        connection.layers_told = dict(connection.layers)
        return connection.layers_told

    def counted(self, figures: Figures, now: int) -> dict[str, float]:
        """Remember what flows; the worst loss of each connection that carried something, by peer.

        Of what a page sends in layers the lowest counts: the higher ones may come and go with its uplink.
        """
        worst: dict[str, float] = {}
        for up in figures.up:
            connection = self.connections.get(up.track.peer)
            if connection is not None and up.packets > 0:
                connection.flowing_at[up.track.mid] = now
                least = up.layers[0] if up.layers else up
                share = least.lost / (least.packets + least.lost) if least.packets else 0.0
                worst[up.track.peer] = max(worst.get(up.track.peer, 0.0), share)
        for down in figures.down:
            if down.peer not in self.connections:
                self.close_unknown(down.peer)
            elif down.packets > 0:
                worst[down.peer] = max(worst.get(down.peer, 0.0), down.loss)
        self._judge_lines(figures.down)
        return worst

    def _judge_lines(self, downs: list[DownFigures]) -> None:
        """Whose line carries less than the best, and what is left out for it."""
        held: dict[str, set[str]] = {}
        weak = {down.peer for down in downs if down.reason is Reason.LINE}
        for down in downs:
            if down.held:
                held.setdefault(down.peer, set()).add(down.slot)
        for name, connection in self.connections.items():
            connection.weak = name in weak
            connection.thinned = frozenset(held.get(name, ()))

    def viewing(self, connection: Connection, report: Report, now: int) -> None:
        """Pass on how a page shows its pictures: what changed, dropped frames, else now and then."""
        pictures = {slot.name for slot in connection.slots if slot.kind is Kind.VIDEO}
        slots = [
            SlotViewing(each.slot, min(max(each.shown, 0), 8_192), min(max(each.dropped, 0.0), 1.0))
            for each in report.slots[:MAX_SLOTS]
            if each.slot in pictures
        ]
        told, told_at = connection.viewing
        bad = any(slot.dropped > 0.1 for slot in slots)
        if self.worker is not None and slots and (bad or slots != told or now - told_at >= VIEWING_EVERY_MS):
            connection.viewing = (slots, now)
            self.worker.send(Viewing(peer=connection.name, slots=slots))

    def lacks_codec(self, connection: Connection, assignment: Assignment, tracks: Tracks) -> bool:
        """Whether a living picture has no payload type in its slot: the worker forwards nothing there."""
        for slot in connection.slots:
            source = tracks.get(assignment[slot.name]) if slot.name in assignment else None
            if source is None or slot.kind is not Kind.VIDEO:
                continue
            codec = source[0].live.get(source[1].mid)
            if codec is not None and codec not in {each.name for each in slot.codecs}:
                return True
        return False

    def loudest(self, event: Levels) -> dict[str, int]:
        """By room: the loudest of its voices just now, in dBov."""
        rooms: dict[str, int] = {}
        for track, level in event.levels:
            origin = self.origin_of(track)
            if origin is not None:
                rooms[origin[0]] = max(rooms.get(origin[0], -127), level)
        return rooms

    # -- what the worker is told ---------------------------------------------------------------------

    def point(
        self, connection: Connection, assignment: Assignment, tracks: Tracks
    ) -> dict[str, Assigned] | None:
        """Point the connection's slots; `tracks`: `self.tracks()`. What its page is to be told, or None where
        it knows."""
        wanted = {
            slot: TrackName(peer=tracks[origin][0].name, mid=tracks[origin][1].mid)
            for slot, origin in assignment.items()
            if origin in tracks
        }
        if self.worker is not None:
            for slot in connection.slots:
                track = wanted.get(slot.name)
                if track != connection.pointed.get(slot.name):
                    self.worker.send(Point(peer=connection.name, slot=slot.name, track=track))
                    _keep(connection.pointed, slot.name, track)
        thinned = connection.thinned
        told = {slot: Assigned(room, source, slot in thinned) for slot, (room, source) in assignment.items()}
        if told == connection.told:
            return None
        connection.told = told
        return told

    async def tap(self, lesson: Lesson, floor: Floor) -> None:
        """Open the tap where something is to be recorded, and name its tracks."""
        if self.worker is None:
            return
        tracks = {
            origin: (TrackName(peer=connection.name, mid=track.mid), _codec(connection, track))
            for origin, (connection, track) in self.tracks().items()
        }
        wanted = wanted_taps(lesson, floor, tracks)
        if not self.taps.open and not (lesson.on_air and lesson.recorded):
            return
        if not self.taps.open:
            await ask(self.worker, OpenTap(request=0, room=self.lesson))
            self.taps.open = True
        for command in self.taps.changes(self.lesson, wanted):
            if isinstance(command, TapTrack):
                await self._tap_track(self.worker, command)
            else:
                self.worker.send(command)

    async def _tap_track(self, worker: WorkerPort, command: TapTrack) -> None:
        """One track into the ring; said again with the next comparison where it did not work."""
        try:
            await ask(worker, command)
        except MediaLost:
            self.taps.told.pop(command.number, None)
            raise

    def refresh(self, track: str) -> None:
        """The recorder needs a keyframe of the tapped track with this name."""
        if self.worker is not None:
            for tap in self.taps.told.values():
                if tap.note.name == track:
                    self.worker.send(RequestKeyframe(tap.track))

    def close_unknown(self, peer: str) -> None:
        """What is not listed gets nothing. (Closing what was just closed does nothing.)"""
        if self.worker is not None:
            self.worker.send(ClosePeer(peer=peer))

    def close(self, connection: Connection) -> None:
        self.connections.pop(connection.name, None)
        if self.worker is not None:
            self.worker.send(ClosePeer(peer=connection.name))

    def close_all(self) -> None:
        """The lesson is over: the end mark first, so that the ring is whole."""
        if self.worker is None:
            return
        if self.taps.open:
            self.taps.forget()
            self.worker.send(CloseTap(room=self.lesson))
        for name in list(self.connections):
            self.worker.send(ClosePeer(peer=name))
        self.connections.clear()

    def close_room(self) -> None:
        """Nothing of this lesson is needed on its worker any more."""
        if self.worker is not None:
            self.worker.send(CloseRoom(room=self.lesson))


def _by_room(origins: Iterable[Origin]) -> dict[str, frozenset[Source]]:
    found: dict[str, set[Source]] = {}
    for room, source in origins:
        found.setdefault(room, set()).add(source)
    return {room: frozenset(sources) for room, sources in found.items()}


def _cannot_be_silent(connection: Connection, track: UpTrack) -> bool:
    """A foreign encoder's voice: pages and our own ingest send silence, where the teacher is muted."""
    foreign = connection.seat.startswith(WHIP_SEAT) and not connection.seat.startswith(BOX_SEAT)
    return foreign and track.source is Source.VOICE


def _codec(connection: Connection, track: UpTrack) -> CodecName:
    return connection.live.get(track.mid) or track.codecs[0].name


def _keep(pointed: dict[str, TrackName], slot: str, track: TrackName | None) -> None:
    if track is None:
        pointed.pop(slot, None)
    else:
        pointed[slot] = track
