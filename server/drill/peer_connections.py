"""A classroom's up and down connection by aiortc: offered, answered, given up, made anew."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame
from av.packet import Packet
from av.stream import Stream

from server.protocol import messages as ws

if TYPE_CHECKING:
    from server.drill.classroom import Classroom

ANSWER_WITHIN_S = 5.0
"""An offer without an answer for so long is made again on a new connection."""
ON_AIR = (ws.LessonState.LIVE, ws.LessonState.CLOSING)
VIDEO_KINDS = frozenset({"video"})
# With its default policy aiortc leaves the second and later lines of a kind on a transport that never starts.
CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


class Lent(MediaStreamTrack):
    """A source for one connection: aiortc stops what an ended connection was sending, a device lives on."""

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self.kind = source.kind
        self._source = source

    async def recv(self) -> Frame | Packet[Stream]:
        if self.readyState != "live":
            raise MediaStreamError
        return await self._source.recv()


def _is_over(pc: RTCPeerConnection | None) -> bool:
    return pc is not None and pc.connectionState in ("failed", "closed")


class PeerConnections:
    """The classroom's up and down RTCPeerConnection and the tasks that read their tracks."""

    def __init__(self, owner: Classroom) -> None:
        self._owner = owner
        self._up: RTCPeerConnection | None = None
        self._down: RTCPeerConnection | None = None
        self._up_id: str | None = None
        self._down_id: str | None = None
        self._offer = 0
        self._offered_at: float | None = None  # while its answer is awaited
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._one_change = asyncio.Lock()

    def alive(self) -> tuple[str | None, str | None]:
        """Ids of the connections that still stand, up and down."""
        up = self._up_id if self._up and self._up.connectionState == "connected" else None
        down = self._down_id if self._down and self._down.connectionState == "connected" else None
        return up, down

    def standing(self) -> str:
        said = []
        for name, pc in (("up", self._up), ("down", self._down)):
            if pc is None:
                said.append(f"{name} none")
                continue
            dtls = {transceiver.sender.transport.state for transceiver in pc.getTransceivers()}
            said.append(f"{name} {pc.connectionState}, {pc.signalingState}, DTLS {sorted(dtls)}")
        sources = {str(name): track.readyState for name, track in self._owner.sources.items()}
        return (
            f"{'; '.join(said)}; offer {self._offer}, answered {self._up_id is not None}; sources {sources}"
        )

    async def welcomed(self, welcome: ws.Welcome) -> None:
        await self._renew(up=not welcome.keep_up, down=not welcome.keep_down)

    async def reconnect(self, message: ws.Reconnect) -> None:
        await self._renew(up=message.up, down=message.down)

    async def tend(self) -> None:
        """What nobody else notices: an answer that does not come, a connection that was given up."""
        if self._is_late() or _is_over(self._up):
            await self._owner.say(ws.RestartUp())
            await self._renew(up=True, down=False)
        if _is_over(self._down):
            await self._renew(up=False, down=True)
            await self._owner.say(ws.WantDown())

    def _is_late(self) -> bool:
        """Before Start an offer waits for it."""
        lesson, offered_at = self._owner.lesson, self._offered_at
        if lesson is None or offered_at is None or lesson.state not in ON_AIR:
            return False
        return time.monotonic() - offered_at > ANSWER_WITHIN_S

    async def _renew(self, *, up: bool, down: bool) -> None:
        async with self._one_change:
            if down:
                await self._drop_down()
            if up:
                await self._drop_up()
                await self._offer_up()

    async def _offer_up(self) -> None:
        if not self._owner.sources:
            return
        self._up = pc = RTCPeerConnection(CONFIGURATION)
        self._offer += 1
        self._offered_at = time.monotonic()
        senders = {}
        for source, track in self._owner.sources.items():
            transceiver = pc.addTransceiver(Lent(track), direction="sendonly")
            if track.kind in VIDEO_KINDS:
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences(
                    [c for c in codecs if c.mimeType in ("video/H264", "video/rtx")]
                )
            senders[source] = transceiver
        await pc.setLocalDescription(await pc.createOffer())
        sources = {str(transceiver.mid): source for source, transceiver in senders.items()}
        await self._owner.say(ws.OfferUp(offer=self._offer, sdp=pc.localDescription.sdp, sources=sources))

    async def answered(self, message: ws.AnswerUp) -> None:
        async with self._one_change:
            if self._up is not None and message.offer == self._offer and self._offered_at is not None:
                self._up_id, self._offered_at = message.connection, None
                await self._up.setRemoteDescription(RTCSessionDescription(message.sdp, "answer"))

    async def offered(self, message: ws.OfferDown) -> None:
        async with self._one_change:
            await self._answer_down(message)

    async def _answer_down(self, message: ws.OfferDown) -> None:
        if self._down is None or message.connection != self._down_id:
            await self._drop_down()
            self._down, self._down_id = self._new_down(), message.connection
        pc = self._down
        await pc.setRemoteDescription(RTCSessionDescription(message.sdp, "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await self._owner.say(
            ws.AnswerDown(connection=message.connection, offer=message.offer, sdp=pc.localDescription.sdp)
        )
        names = {slot.mid: slot.name for slot in message.slots}
        for transceiver in pc.getTransceivers():
            if transceiver.mid in names and transceiver.mid not in self._readers:
                self._readers[transceiver.mid] = self._read(
                    names[transceiver.mid], transceiver.receiver.track
                )

    def _new_down(self) -> RTCPeerConnection:
        pc = RTCPeerConnection(CONFIGURATION)

        def changed() -> None:
            if pc.connectionState == "connected":
                self._owner.connected()

        pc.add_listener("connectionstatechange", changed)
        return pc

    def _read(self, slot: str, track: MediaStreamTrack) -> asyncio.Task[None]:
        reader = self._owner.sight(slot) if track.kind in VIDEO_KINDS else self._owner.sound(slot)
        return asyncio.create_task(reader.watch(track), name=f"read {slot}")

    async def vanish(self) -> None:
        """Both connections end without a word on the wire."""
        for pc in (self._up, self._down):
            if pc is not None:
                for transceiver in pc.getTransceivers():
                    ice = transceiver.sender.transport.transport._connection
                    ice.send = _swallow  # type: ignore[method-assign]
        await self.close()

    async def close(self) -> None:
        async with self._one_change:
            await self._drop_up()
            await self._drop_down()

    async def _drop_up(self) -> None:
        pc, self._up, self._up_id, self._offered_at = self._up, None, None, None
        if pc is not None:
            await pc.close()

    async def _drop_down(self) -> None:
        pc, self._down, self._down_id = self._down, None, None
        readers, self._readers = list(self._readers.values()), {}
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        if pc is not None:
            await pc.close()


async def _swallow(data: bytes) -> None:
    """Stands for a line that was pulled."""
