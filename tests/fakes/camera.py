"""A camera's stream made by PyAV: any codec and structure, served in real time as MPEG-TS over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from aiohttp import web

from server.drill.lessonkit.stamps import Stamp, draw_stamp

TICK_S = 0.04


@dataclass(frozen=True)
class Camera:
    """What it sends; `options` go to the encoder. `audio` "" = none; `tone` is its amplitude: 0 to 1, and
    what is more is cut off."""

    video: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"bf": "0", "g": "25"})
    width: int = 320
    height: int = 180
    fps: int = 25
    audio: str = "aac"
    rate: int = 48000
    tone: float = 0.5
    seconds: float = 6.0


def stream(camera: Camera) -> list[tuple[float, bytes]]:
    """The stream's bytes, each with the second at which it is sent."""
    out = BytesIO()
    sent: list[tuple[float, bytes]] = []
    with av.open(out, "w", format="mpegts", options={"flush_packets": "1"}) as container:
        picture = container.add_stream(camera.video, camera.fps, options=camera.options)
        picture.width, picture.height = camera.width, camera.height
        picture.pix_fmt = "yuvj420p" if camera.video == "mjpeg" else "yuv420p"
        sound = container.add_stream(camera.audio, camera.rate, layout="mono") if camera.audio else None
        done = 0
        for number in range(round(camera.seconds * camera.fps)):
            frame = av.VideoFrame.from_ndarray(_picture(camera, number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, camera.fps)
            container.mux(picture.encode(frame))
            if sound is not None:
                until = (number + 1) * camera.rate // camera.fps
                heard = _tone(camera, done, until)
                heard.pts, heard.time_base = done, Fraction(1, camera.rate)
                container.mux(sound.encode(heard))
                done = until
            if out.tell():
                sent.append((number / camera.fps, out.getvalue()))
                out.seek(0)
                out.truncate()
        container.mux(picture.encode(None))
    return [*sent, (camera.seconds, out.getvalue())]


def without(units: str, pieces: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """The same stream of pictures without NAL units of these kinds ("5", "7-8")."""
    out, sent = BytesIO(), list[tuple[float, bytes]]()
    with (
        av.open(BytesIO(b"".join(data for _, data in pieces))) as given,
        av.open(out, "w", format="mpegts", options={"flush_packets": "1"}) as container,
    ):
        stream = given.streams.video[0]
        left = container.add_stream_from_template(stream)
        left.codec_context.extradata = b""  # else the container puts parameter sets in again
        only = av.BitStreamFilterContext(f"filter_units=remove_types={units}", stream)
        for packet in given.demux(stream):
            for each in only.filter(packet if packet.size else None):
                if not each.size or each.dts is None:
                    continue
                at, each.stream = float(each.dts * stream.time_base), left
                container.mux(each)
                sent.append((at, out.getvalue()))
                out.seek(0)
                out.truncate()
    return [(at - sent[0][0], data) for at, data in sent]


@asynccontextmanager
async def serving(pieces: list[tuple[float, bytes]], content_type: str = "video/mp2t") -> AsyncIterator[str]:
    """The address at which whoever asks is sent these bytes in real time."""

    lines = set[asyncio.Transport]()

    async def camera(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            lines.add(request.transport)
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):  # whoever watches may go before the end
            for at, data in pieces:
                await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                await response.write(data)
        return response

    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    app = web.Application()
    app.add_routes([web.get("/stream", camera), web.get("/again", elsewhere)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/stream"
    finally:
        await runner.cleanup()
        for line in lines:  # closed only once its watcher has taken all, and one that stands still never does
            line.abort()


def _picture(camera: Camera, number: int) -> np.ndarray:
    """A bar that moves over a gradient, something to predict from picture to picture; its number on top."""
    row = np.linspace(0, 200, camera.width, dtype=np.uint8)
    picture = np.repeat(np.tile(row, (camera.height, 1))[:, :, None], 3, axis=2)
    at = number * 4 % (camera.width - 16)
    picture[:, at : at + 16] = 255
    draw_stamp(picture, Stamp(number, False))
    return picture


def _tone(camera: Camera, first: int, last: int) -> av.AudioFrame:
    wave = camera.tone * np.sin(2 * np.pi * 440 * np.arange(first, last) / camera.rate)
    samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = camera.rate
    return frame
