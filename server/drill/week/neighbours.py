"""A media worker and a recorder that are only acted: they speak the control language and move no packet.

Both listen where campus looks for the real ones. What a real worker finds out by its sockets (a line that is
cut, a picture left out for a thin line) is told to the acted one by the pages of `server.drill.week.pages`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder import contract as rec
from recorder.control_server import ControlServer
from server.media import contract as media
from server.media.contract import PeerState, TrackName
from server.protocol.parameters import Candidate, CodecName, Fingerprint, Kind, LocalTransport, UpTrack

FIGURES_EVERY_S = 1.0
HANDSHAKE_S = 0.1
FINGERPRINTS = [Fingerprint("sha-256", ":".join(["AB"] * 32))]
CANDIDATES = [Candidate("127.0.0.1", 40000)]


class ActedWorker:
    """Every peer that gets the other side's parameters is connected at once; every track flows.

    `held`: peers whose stage the worker leaves out for their line."""

    def __init__(self, name: str, boot: str) -> None:
        self._name, self._boot = name, boot
        self._rooms: dict[str, str] = {}  # peer -> room
        self._slots: dict[str, list[str]] = {}
        self._tracks: dict[str, list[UpTrack]] = {}
        self._numbers = itertools.count(1)
        self._silent: set[str] = set()
        self.held: set[str] = set()
        decoder: msgspec.msgpack.Decoder[media.Command] = msgspec.msgpack.Decoder(media.Command)
        self.control: ControlServer[media.Command, media.Event] = ControlServer(
            decoder, lambda first: isinstance(first, media.Hello), self._handle, self._welcome
        )

    async def run(self, path: Path) -> None:
        """Until cancelled."""
        await self.control.start(str(path))
        try:
            while True:
                await asyncio.sleep(FIGURES_EVERY_S)
                self._tell_figures()
        finally:
            await self.control.close()

    def fell_silent(self, peer: str) -> None:
        """Its tracks carried nothing for 2 s."""
        self._tell_tracks(peer, live=False)

    def went_away(self, peer: str) -> None:
        """Nothing was heard of it for 8 s."""
        if peer in self._rooms:
            self.control.tell(media.PeerChanged(peer, PeerState.AWAY, "silent"))

    def came_back(self, peer: str) -> None:
        """It is heard again, over the connection it had."""
        if peer in self._rooms:
            self.control.tell(media.PeerChanged(peer, PeerState.CONNECTED))
            self._tell_tracks(peer, live=True)

    def _tell_tracks(self, peer: str, *, live: bool) -> None:
        (self._silent.discard if live else self._silent.add)(peer)
        for track in self._tracks.get(peer, ()):
            self.control.tell(_flows(peer, track, live=live))

    def _welcome(self) -> media.Event:
        return media.Welcome(self._name, self._boot, 1, f"{self._name}.taps", [], [])

    def _handle(self, command: media.Command) -> media.Event | None:
        match command:
            case media.OpenPeer(request=request, peer=peer, room=room):
                self._rooms[peer] = room
                return media.Done(request, transport=self._transport())
            case media.RestartIce(request=request):
                return media.Done(request, transport=self._transport())
            case media.SetRemote(request=request, peer=peer):
                self._later(lambda: media.PeerChanged(peer, PeerState.CONNECTED))
                return media.Done(request)
            case media.SetUpTracks(request=request, peer=peer, tracks=tracks):
                self._tracks[peer] = tracks
                for track in tracks:
                    self._later(lambda track=track: _flows(peer, track, live=True))  # type: ignore[misc]
                return media.Done(request)
            case media.SetDownSlots(request=request, peer=peer, slots=slots):
                self._slots[peer] = [slot.name for slot in slots]
                return media.Done(request)
            case media.OpenTap(request=request) | media.TapTrack(request=request):
                return media.Done(request)
            case media.ClosePeer(peer=peer):
                self._close(peer)
            case media.CloseRoom(room=room):
                for peer in [peer for peer, at in self._rooms.items() if at == room]:
                    self._close(peer)
        return None

    def _later(self, event: Callable[[], media.Event]) -> None:
        """After the time that a handshake takes."""
        asyncio.get_running_loop().call_later(HANDSHAKE_S, lambda: self.control.tell(event()))

    def _close(self, peer: str) -> None:
        self._rooms.pop(peer, None)
        self._slots.pop(peer, None)
        self._tracks.pop(peer, None)
        self._silent.discard(peer)
        self.held.discard(peer)

    def _transport(self) -> LocalTransport:
        return LocalTransport(f"u{next(self._numbers):07d}", "p" * 24, FINGERPRINTS, CANDIDATES)

    def _tell_figures(self) -> None:
        """Of every room what came, and what was left out for a viewer's line."""
        up: dict[str, list[media.UpFigures]] = {}
        down: dict[str, list[media.DownFigures]] = {}
        for peer, tracks in self._tracks.items():
            if peer not in self._silent:
                up.setdefault(self._rooms[peer], []).extend(_carried(peer, track) for track in tracks)
        for peer in sorted(self.held):
            left_out = [_left_out(peer, slot) for slot in self._slots.get(peer, [])]
            down.setdefault(self._rooms[peer], []).extend(left_out)
        for room, figures in up.items():
            self.control.tell(media.Figures(room, figures, down.get(room, [])))


def _carried(peer: str, track: UpTrack) -> media.UpFigures:
    bitrate, packets = (32_000, 50) if track.kind is Kind.AUDIO else (1_500_000, 160)
    return media.UpFigures(TrackName(peer, track.mid), track.source, track.kind, bitrate, packets, 0, 0)


def _left_out(peer: str, slot: str) -> media.DownFigures:
    return media.DownFigures(peer, slot, 40_000, 50, 0, held=slot != "main", reason=media.Reason.LINE)


def _flows(peer: str, track: UpTrack, *, live: bool) -> media.Event:
    codec = CodecName.OPUS if track.kind is Kind.AUDIO else CodecName.H264
    return media.TrackChanged(TrackName(peer, track.mid), track.source, live=live, codec=codec)


class ActedRecorder:
    """Every recording is ready as soon as its lesson is over."""

    def __init__(self) -> None:
        decoder: msgspec.msgpack.Decoder[rec.Command] = msgspec.msgpack.Decoder(rec.Command)
        self.control: ControlServer[rec.Command, rec.Event] = ControlServer(
            decoder, lambda first: isinstance(first, rec.Hello), self._handle, self._welcome
        )

    async def run(self, path: Path) -> None:
        """Until cancelled."""
        await self.control.start(str(path))
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.control.close()

    def _welcome(self) -> rec.Event:
        return rec.Welcome([], 1 << 40)

    def _handle(self, command: rec.Command) -> rec.Event | None:
        match command:
            case rec.Begin(lesson=lesson):
                return rec.Recording(lesson, rec.RecordingState.RECORDING)
            case rec.Finish(lesson=lesson):
                return rec.Recording(lesson, rec.RecordingState.READY, ready_after_s=0.5)
        return None
