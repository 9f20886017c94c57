"""An acting room's two connections: light peers (real ICE, DTLS and SRTP, no media engine), and their SDP.

What it sends are packets made before; of what comes it counts the pictures by their markers and decodes none.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time

from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.acting.media import BLOCK, FPS, RATE, Loop
from server.drill.rtp import is_rtcp
from server.ingest.contract import AUDIO_MID, AUDIO_RATE, H264_PT, OPUS_PT, VIDEO_MID, VIDEO_RATE
from server.ingest.peer import CONSENT_EVERY_S, LightPeer
from server.ingest.rtp import RtpStream
from server.protocol.parameters import Candidate, Fingerprint, LocalTransport

CONNECT_S = 10.0
BEAT_S = 0.1
AHEAD_S = 0.1
_MARKER = 0x80


def transport_of(sdp: str) -> LocalTransport:
    """The worker's side, out of its offer or answer. ValueError where it has no UDP candidate."""
    candidate = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+)", sdp)
    ufrag = re.search(r"a=ice-ufrag:(\S+)", sdp)
    pwd = re.search(r"a=ice-pwd:(\S+)", sdp)
    digest = re.search(r"a=fingerprint:sha-256 (\S+)", sdp)
    if candidate is None or ufrag is None or pwd is None or digest is None:
        raise ValueError("an SDP without transport")
    prints = [Fingerprint("sha-256", digest[1])]
    return LocalTransport(ufrag[1], pwd[1], prints, [Candidate(candidate[1], int(candidate[2]))])


def offer_of(peer: LightPeer, video_ssrc: int, audio_ssrc: int) -> str:
    """What an acting room offers to send: one voice, one camera."""
    ours = peer.parameters()
    common = [
        "c=IN IP4 0.0.0.0", f"a=ice-ufrag:{ours.ufrag}", f"a=ice-pwd:{ours.pwd}",
        f"a=fingerprint:sha-256 {ours.fingerprints[0].value}", "a=setup:active", "a=sendonly", "a=rtcp-mux",
    ]  # fmt: skip
    lines = ["v=0", "o=acting 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
             f"a=group:BUNDLE {AUDIO_MID} {VIDEO_MID}",
             f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS_PT}", f"a=mid:{AUDIO_MID}", *common,
             f"a=rtpmap:{OPUS_PT} opus/{AUDIO_RATE}/2", f"a=ssrc:{audio_ssrc} cname:acting",
             f"m=video 9 UDP/TLS/RTP/SAVPF {H264_PT}", f"a=mid:{VIDEO_MID}", *common,
             f"a=rtpmap:{H264_PT} H264/{VIDEO_RATE}", f"a=rtcp-fb:{H264_PT} nack pli",
             f"a=fmtp:{H264_PT} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
             f"a=ssrc:{video_ssrc} cname:acting"]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def answer_of(sdp: str, peer: LightPeer) -> str:
    """Take everything that is offered, and give no feedback of the line: it is a loopback."""
    ours = peer.parameters()
    dropped = ("a=candidate", "a=end-of", "a=ice-lite", "a=ssrc", "a=msid")
    out = []
    for line in sdp.splitlines():
        if line.startswith(dropped) or line.endswith((" transport-cc", " goog-remb")):
            continue
        line = re.sub("^a=ice-ufrag:.*", f"a=ice-ufrag:{ours.ufrag}", line)
        line = re.sub("^a=ice-pwd:.*", f"a=ice-pwd:{ours.pwd}", line)
        line = re.sub("^a=fingerprint:.*", f"a=fingerprint:sha-256 {ours.fingerprints[0].value}", line)
        out.append(line.replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active"))
    return "\r\n".join(out) + "\r\n"


def mids_of(sdp: str) -> dict[str, int]:
    """The SSRC that each m-line of an offer sends with (of its media, not of its repair)."""
    found: dict[str, int] = {}
    for section in sdp.split("\r\nm=")[1:]:
        mid = re.search(r"a=mid:(\S+)", section)
        group = re.search(r"a=ssrc-group:FID (\d+)", section) or re.search(r"a=ssrc:(\d+)", section)
        if mid is not None and group is not None:
            found[mid[1]] = int(group[1])
    return found


class UpLine:
    """What the room sends, for as long as `run` runs."""

    def __init__(self, certificate: RTCCertificate, loop: Loop) -> None:
        self.peer = LightPeer(certificate)
        self._loop = loop
        self._video = RtpStream(secrets.randbits(31) | 1, H264_PT, VIDEO_RATE)
        self._audio = RtpStream(self._video.ssrc ^ 0x40000000, OPUS_PT, AUDIO_RATE)

    @property
    def offer(self) -> str:
        return offer_of(self.peer, self._video.ssrc, self._audio.ssrc)

    async def run(self, answer: str) -> None:
        """Connect and send. ConnectFailed, ValueError."""
        await self.peer.connect(transport_of(answer), CONNECT_S)
        began, consent_due = time.monotonic(), 0.0
        pictures = sounds = 0
        while True:
            now = time.monotonic()
            if now >= consent_due:
                consent_due = now + CONSENT_EVERY_S
                _send(self.peer, self.peer.consent())
            while pictures / FPS <= now - began:
                nals = self._loop.pictures[pictures % len(self._loop.pictures)]
                for packet in self._video.access_unit(nals, pictures * VIDEO_RATE // FPS):
                    _send(self.peer, self.peer.outbound.protect(packet))
                pictures += 1
            while sounds * BLOCK / RATE <= now - began + AHEAD_S:
                opus = self._loop.sounds[sounds % len(self._loop.sounds)]
                packet = self._audio.packet(opus, sounds * BLOCK, marker=False)
                _send(self.peer, self.peer.outbound.protect(packet))
                sounds += 1
            _drain(self.peer.socket)
            await asyncio.sleep(BEAT_S)


class DownLine:
    """What comes to the room, counted: `frames` and `packets` by MID since they were last taken."""

    def __init__(self, certificate: RTCCertificate, offer: str) -> None:
        self.peer = LightPeer(certificate)
        self.answer = answer_of(offer, self.peer)
        self.packets: dict[str, int] = {}
        self.frames: dict[str, int] = {}
        self._offer = offer
        self._mids = {ssrc: mid for mid, ssrc in mids_of(offer).items()}

    async def run(self) -> None:
        """Connect and count. ConnectFailed, ValueError."""
        await self.peer.connect(transport_of(self._offer), CONNECT_S)
        consent_due = 0.0
        while True:
            now = time.monotonic()
            if now >= consent_due:
                consent_due = now + CONSENT_EVERY_S
                _send(self.peer, self.peer.consent())
            self._count()
            await asyncio.sleep(BEAT_S)

    def _count(self) -> None:
        try:
            while True:
                data = self.peer.socket.recv(2048)
                if len(data) < 12 or data[0] >> 6 != 2 or is_rtcp(data):
                    continue
                mid = self._mids.get(int.from_bytes(data[8:12], "big"))
                if mid is not None:
                    self.packets[mid] = self.packets.get(mid, 0) + 1
                    self.frames[mid] = self.frames.get(mid, 0) + bool(data[1] & _MARKER)
        except OSError:
            return


def _send(peer: LightPeer, data: bytes) -> None:
    try:
        peer.socket.send(data)
    except OSError:
        return  # the worker is gone for now: campus tells us to connect anew


def _drain(link: socket.socket) -> None:
    try:
        while True:
            link.recv(2048)
    except OSError:
        return
