"""RTP of real encoders into a UDP port, and pictures and sound out of what comes to one."""

from __future__ import annotations

import asyncio
import fractions
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from tests.interop.ffmpeg_whip import FPS, HEIGHT, RATE, SAMPLES, WIDTH, picture, tone

ENCODERS = {"h264": "libx264", "vp8": "libvpx"}
PICTURE_OPTIONS = {
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "25"},
    "vp8": {"deadline": "realtime", "cpu-used": "8", "g": "25", "lag-in-frames": "0"},
}


@asynccontextmanager
async def encoded(codec: str, video_port: int, audio_port: int) -> AsyncIterator[None]:
    """Send a moving picture and a tone in real time, as FFmpeg's own RTP muxer packs them."""
    task = asyncio.create_task(_send(codec, video_port, audio_port), name="encoded")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _send(codec: str, video_port: int, audio_port: int) -> None:
    video_out = av.open(f"rtp://127.0.0.1:{video_port}?pkt_size=1200", "w", format="rtp")
    audio_out = av.open(f"rtp://127.0.0.1:{audio_port}?pkt_size=1200", "w", format="rtp")
    with video_out, audio_out:
        video = video_out.add_stream(ENCODERS[codec], rate=FPS, options=PICTURE_OPTIONS[codec])
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 300_000
        audio = audio_out.add_stream("libopus", rate=RATE, layout="stereo")
        began, number, sample = asyncio.get_running_loop().time(), 0, 0
        while True:
            video_out.mux(video.encode(picture(number)))
            number += 1
            while sample * FPS < number * RATE:
                audio_out.mux(audio.encode(tone(sample)))
                sample += SAMPLES
            await asyncio.sleep(max(0.0, began + number / FPS - asyncio.get_running_loop().time()))


class Heard(asyncio.DatagramProtocol):
    """RTP of one stream: packets counted, and its frames decoded (`codec`: "h264", "vp8", "opus")."""

    def __init__(self, codec: str) -> None:
        kind = "audio" if codec == "opus" else "video"
        self.packets = self.frames = 0
        name = codec if kind == "audio" else codec.upper()
        self._parameters = RTCRtpCodecParameters(mimeType=f"{kind}/{name}", clockRate=90_000)
        self._decoder = av.CodecContext.create("libopus" if codec == "opus" else codec, "r")
        self._frame = b""

    def datagram_received(self, data: bytes, addr: object) -> None:
        packet = RtpPacket.parse(data)
        self.packets += 1
        if self._parameters.mimeType == "audio/opus":
            self._decode(packet.payload, packet.timestamp)
            return
        self._frame += depayload(self._parameters, packet.payload)
        if packet.marker:
            self._decode(self._frame, packet.timestamp)
            self._frame = b""

    def _decode(self, data: bytes, timestamp: int) -> None:
        unit = av.Packet(data)
        unit.pts, unit.time_base = timestamp, fractions.Fraction(1, 90_000)
        try:
            self.frames += len(self._decoder.decode(unit))
        except av.error.InvalidDataError:
            return  # before the first keyframe


@asynccontextmanager
async def listening(codec: str) -> AsyncIterator[tuple[int, Heard]]:
    """A UDP port of 127.0.0.1 and what comes to it."""
    loop = asyncio.get_running_loop()
    transport, heard = await loop.create_datagram_endpoint(
        lambda: Heard(codec), local_addr=("127.0.0.1", 0), family=socket.AF_INET
    )
    try:
        yield transport.get_extra_info("sockname")[1], heard
    finally:
        transport.close()
