"""A probe over real sockets against streams with every fault known."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from server.ingest import opening
from server.ingest.facts import Fitness, Report
from server.ingest.probe import probe
from tests.fakes.camera import Camera, serving, stream
from tests.fakes.listener import listener

X264 = {"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"}


async def probed(camera: Camera, seconds: float = 2.0) -> Report:
    pieces = await asyncio.to_thread(stream, camera)
    async with serving(pieces) as url:
        return await asyncio.to_thread(probe, url, None, seconds)


def codes(report: Report) -> set[str]:
    return {point.code for point in report.points}


async def test_a_good_camera_is_measured_as_it_was_made() -> None:
    report = await probed(Camera(options=X264, width=640, height=360, seconds=5.0), seconds=4.0)
    assert report.fitness is Fitness.GOOD, report.points
    video, audio = report.video, report.audio
    assert video is not None
    assert audio is not None
    assert (video.codec, video.width, video.height, video.b_frames) == ("h264", 640, 360, False)
    assert video.fps == pytest.approx(25, rel=0.1)
    assert video.keyframes >= 2
    assert video.keyframe_every_s == pytest.approx(1.0, abs=0.6)
    assert (audio.codec, audio.rate_hz, audio.channels) == ("aac", 48000, 1)
    assert audio.loudness_dbfs == pytest.approx(-9, abs=2)
    assert (video.level, video.interlaced) == (30, False)
    assert [line.en.partition(":")[0] for line in report.told] == ["Picture", "Structure", "Sound"]
    assert report.snapshot_jpeg is not None
    assert report.snapshot_jpeg.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("camera", "code"),
    [
        (Camera(options={"preset": "veryfast", "bf": "2", "g": "25"}, audio=""), "b_frames"),
        (Camera(options={**X264, "g": "7500", "keyint_min": "7500"}, audio=""), "long_keyframes"),
        (Camera("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}, audio=""), "codec_hevc"),
        (Camera(options=X264, tone=0.0), "silent"),
        (Camera(options=X264, tone=4.0), "clipping"),
        (Camera(options=X264, audio=""), "no_audio"),
        (Camera(options=X264, audio="mp2", rate=16000), "audio_converted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_fault_of_a_camera_is_told(camera: Camera, code: str) -> None:
    report = await probed(camera)
    assert code in codes(report), report.points


async def test_a_web_page_is_told_from_a_stream() -> None:
    async with serving([(0.0, b"<!doctype html><title>Camera</title>" * 500)], "text/html") as url:
        report = await asyncio.to_thread(probe, url, None)
    assert report.problem == "web_page"
    assert "554" in report.points[0].words.en


async def test_a_redirect_is_not_followed() -> None:
    async with serving([]) as url:
        report = await asyncio.to_thread(probe, url.replace("/stream", "/again"), None)
    assert report.fitness is Fitness.UNFIT


async def test_a_closed_port_and_a_wrong_path_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    assert (await asyncio.to_thread(probe, f"rtsp://127.0.0.1:{closed}/", None)).problem == "port_closed"
    async with serving([]) as url:
        report = await asyncio.to_thread(probe, url.replace("/stream", "/nothing"), None)
    assert report.problem == "wrong_path"


async def test_a_device_that_never_answers_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPEN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        report = await asyncio.to_thread(probe, f"rtsp://127.0.0.1:{silent.getsockname()[1]}/", None)
    assert report.problem == "no_answer"


async def test_nothing_outside_the_allowed_networks_is_even_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        report = await asyncio.to_thread(probe, f"rtsp://127.0.0.1:{server.getsockname()[1]}/", ())
        with pytest.raises(TimeoutError):
            server.accept()
    assert report.problem == "network_not_allowed"


async def test_the_command_says_it_in_json_and_by_its_exit_code() -> None:
    pieces = await asyncio.to_thread(stream, Camera(options=X264, seconds=3.0))
    command = [sys.executable, "-m", "server", "probe", "--json", "--anywhere", "--seconds", "1"]
    async with serving(pieces) as url:
        good = await asyncio.to_thread(subprocess.run, [*command, url], capture_output=True)
    assert good.returncode == 0, good.stderr
    assert msgspec.json.decode(good.stdout, type=Report).video is not None
    bad = await asyncio.to_thread(subprocess.run, [*command, "rtsp://127.0.0.1:1/"], capture_output=True)
    assert bad.returncode == 1
    assert b"port_closed" in bad.stdout


@asynccontextmanager
async def redirecting(location: str) -> AsyncIterator[int]:
    """The port of an RTSP server that only ever sends its callers elsewhere."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = b"1"
        while line := await reader.readline():
            if line.lower().startswith(b"cseq:"):
                number = line.partition(b":")[2].strip()
            if line == b"\r\n":
                there = location.format(port=port).encode()
                writer.write(b"RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: %s\r\n\r\n" % (number, there))

    async with listener(answer) as port:
        yield port


async def probed_apart(url: str) -> Report:
    """By the probe's own process, which is confined to the address that was checked."""
    command = [sys.executable, "-m", "server.ingest.probe", "--seconds", "1", "--network", "127.0.0.1/32"]
    done = await asyncio.to_thread(subprocess.run, command, input=url.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Report)


async def test_an_rtsp_redirect_is_not_followed_out_of_the_allowed_networks() -> None:
    with socket.create_server(("127.0.0.2", 0)) as secret:
        secret.settimeout(0.2)
        async with redirecting(f"rtsp://127.0.0.2:{secret.getsockname()[1]}/live") as port:
            report = await probed_apart(f"rtsp://127.0.0.1:{port}/live")
        with pytest.raises(TimeoutError):
            secret.accept()
    assert report.problem == "leads_elsewhere", report


async def test_an_endless_rtsp_redirect_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPEN_S", 1.0)
    async with redirecting("rtsp://127.0.0.1:{port}/again") as port:
        report = await asyncio.to_thread(probe, f"rtsp://127.0.0.1:{port}/live", None, 1.0)
    assert report.problem
