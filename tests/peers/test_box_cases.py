"""What rooms' devices send, case by case, over real sockets; a viewer reads the pictures' numbers.

Each case is a few seconds of numbered pictures, encoded once and sent round and round by copy.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from server.drill.lessonkit.media import Camera, plan_lesson
from server.drill.own_server import free_port
from server.drill.senders.file import as_ts, looped
from server.drill.watching import stamp_of
from server.ingest import pulling
from server.ingest.contract import SourceState
from server.ingest.probe import probe
from server.ingest.pulling import SourceNews
from tests.fakes.camera import Camera as Sender
from tests.fakes.camera import serving, stream, without
from tests.fakes.foreign_process import running
from tests.fakes.gstreamer_camera import PACKAGES, can_serve, rtsp_camera
from tests.peers.boxes import box_and_viewer
from tests.peers.test_separate_sound import pulled
from tests.peers.workers import holds

WIDTH, HEIGHT, FPS, SECONDS = 320, 180, 25, 4
PICTURES = SECONDS * FPS
AT_ONCE = {"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"}
ENOUGH = 25  # numbered pictures prove the way
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg")


def x264(profile: str, gop: int = FPS, b_frames: int = 0) -> str:
    return (
        f"-c:v libx264 -preset veryfast -profile:v {profile} -g {gop} -keyint_min {gop} -sc_threshold 0 "
        f"-bf {b_frames} -b_strategy 0"
    )


@dataclass(frozen=True)
class Case:
    """`picture`, `sound`: FFmpeg's options; `why`: why its picture is transcoded, "" for copied."""

    name: str
    picture: str
    sound: str = "-an"
    why: str = ""
    http: bool = False


CASES = (
    Case("H.264 baseline and AAC", x264("baseline"), "-c:a aac"),
    Case("H.264 main and Opus", x264("main"), "-c:a libopus -ar 48000"),
    Case("H.264 high without sound, over HTTP", x264("high"), http=True),
    Case("H.264 with B-frames and MP2", x264("high", b_frames=2), "-c:a mp2", "b_frames"),
    Case("H.265", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25", why="codec_hevc"),
    Case("MPEG-4", "-c:v mpeg4 -q:v 3 -g 25", why="codec_mpeg4"),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered pictures as they are before an encoder."""
    camera = Camera(plan_lesson(seconds=60), WIDTH, HEIGHT, FPS)
    path = tmp_path_factory.mktemp("numbered") / "pictures.raw"
    path.write_bytes(b"".join(camera.frame(number).tobytes() for number in range(PICTURES)))
    return path


def ffmpeg(*arguments: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return running("ffmpeg", "-y", "-nostdin", "-loglevel", "error", *arguments)


async def encoded(case: Case, pictures: Path, into: Path, *options: str) -> None:
    raw = f"-f rawvideo -pix_fmt bgr24 -s {WIDTH}x{HEIGHT} -r {FPS} -i".split()
    tone = f"-f lavfi -t {SECONDS} -i sine=frequency=440:sample_rate=48000".split()
    made = [*case.picture.split(), "-pix_fmt", "yuv420p", *case.sound.split()]
    async with ffmpeg(*raw, str(pictures), *tone, *made, *options, "-f", "mpegts", str(into)) as process:
        assert await asyncio.wait_for(process.wait(), 40) == 0


class Numbers:
    """The numbers of a growing list of pictures (None: not to be read), each picture read once: reading costs
    the viewer's own loop a millisecond."""

    def __init__(self, frames: list[VideoFrame]) -> None:
        self._frames = frames
        self._read: list[int | None] = []

    def read(self) -> list[int | None]:
        for frame in self._frames[len(self._read) :]:
            stamp = stamp_of(frame)
            self._read.append(stamp.number if stamp is not None else None)
        return self._read

    @property
    def readable(self) -> int:
        return sum(number is not None for number in self.read())

    @property
    def one_by_one(self) -> bool:
        """Whether the last pictures came in order, one by one but for what a full machine leaves out."""
        seen = [number for number in self.read()[-ENOUGH:] if number is not None]
        steps = [(later - before) % PICTURES for before, later in pairwise(seen)]
        return len(seen) == ENOUGH and max(steps) < PICTURES / 2 and steps.count(1) > 0.5 * len(steps)


@needs_ffmpeg
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_devices_pictures_come_to_a_room_number_by_number(
    case: Case, pictures: Path, tmp_path: Path
) -> None:
    recorded = tmp_path / "case.ts"
    await encoded(case, pictures, recorded)
    port = free_port(socket.SOCK_STREAM if case.http else socket.SOCK_DGRAM)
    url = f"http://127.0.0.1:{port}/live" if case.http else f"udp://127.0.0.1:{port}"
    to = ("-f", "mpegts", "-listen", "1", url) if case.http else as_ts("127.0.0.1", port)
    async with looped(recorded, to), box_and_viewer() as (box, viewer):
        await box.publish(url)
        heard = 0 if case.sound == "-an" else 20
        seen = Numbers(viewer.pictures)
        await holds(lambda: seen.one_by_one and len(viewer.sounds) >= heard, 40)
        assert box.news()[-1].transcoded == case.why
        assert not heard or abs(viewer.sounds[-1].to_ndarray()).max() > 1_000


@needs_ffmpeg
async def test_a_film_in_a_loop_goes_on_over_its_seam(pictures: Path, tmp_path: Path) -> None:
    film, turn = tmp_path / "film.ts", 40
    await encoded(CASES[0], pictures, film, "-t", "1.6")
    port = free_port(socket.SOCK_DGRAM)
    async with looped(film, as_ts("127.0.0.1", port)), box_and_viewer() as (box, viewer):
        await box.publish(f"udp://127.0.0.1:{port}")
        seen = Numbers(viewer.pictures)
        await holds(lambda: seen.readable >= turn + ENOUGH, 40)
        assert [news.state for news in box.news()].count(SourceState.OPENING) == 1
        times = [float((picture.pts or 0) * Fraction(picture.time_base)) for picture in viewer.pictures]
        steps = [later - before for before, later in pairwise(times)]
        assert all(step > 0 for step in steps), steps
        assert sum(0.03 < step < 0.05 for step in steps) > 0.5 * len(steps), steps


@pytest.mark.skipif(not can_serve(), reason=f"apt-get install {' '.join(PACKAGES)}")
async def test_a_camera_of_mjpeg_and_g711_is_transcoded_and_heard() -> None:
    launch = (
        "( videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=176,framerate=25/1"
        " ! jpegenc ! rtpjpegpay name=pay0 pt=26"
        " audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc"
        " ! rtppcmupay name=pay1 pt=0 )"
    )
    async with rtsp_camera(launch) as camera, box_and_viewer() as (box, viewer):
        await box.publish(camera.url)
        await holds(lambda: len(viewer.pictures) >= ENOUGH and len(viewer.sounds) >= 20, 40)
        assert box.news()[-1].transcoded == "codec_mjpeg"
        assert abs(viewer.sounds[-1].to_ndarray()).max() > 8_000


async def test_rubbish_between_the_pictures_is_got_over() -> None:
    sent = await asyncio.to_thread(stream, Sender(seconds=6.0))
    rubbish = bytes(range(1, 256)) * 120
    pieces = [(at, rubbish if 1.5 < at < 2.0 else data) for at, data in sent]
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: len(viewer.pictures) >= 100, 40)
        assert box.news()[-1].state is SourceState.LIVE
        times = [float((picture.pts or 0) * Fraction(picture.time_base)) for picture in viewer.pictures]
        assert times == sorted(times)


async def test_what_can_be_no_picture_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """8K, a stream that never says its size, and one whose keyframes were lost."""
    monkeypatch.setattr(pulling, "LONGEST_KEYFRAME_S", 0.0)
    monkeypatch.setattr(pulling, "BLIND_S", 1.0)
    big = Sender(options=AT_ONCE, width=7680, height=4320, fps=5, seconds=0.2, audio="")
    plain = await asyncio.to_thread(stream, Sender(options=AT_ONCE, seconds=6.0, audio=""))
    sent = {
        "too_big": await asyncio.to_thread(stream, big),
        "no_picture_decoded": without("7-8", plain),
        "no_keyframe": without("5", plain),
    }
    async with AsyncExitStack() as stack:
        told = dict[str, list[SourceNews]]()
        for code, pieces in sent.items():
            url = await stack.enter_async_context(serving(pieces))
            told[code] = (await stack.enter_async_context(pulled(url, picture=True)))[1]
            if code != "no_keyframe":  # which a longer look might find
                report = await asyncio.to_thread(probe, url, None, 1.0)
                assert code in {point.code for point in report.points}, report
        for code, news in told.items():
            await holds(lambda code=code, news=news: code in {each.problem for each in news}, 40)  # type: ignore[misc]
            assert next(each.words for each in news if each.problem == code), "with what to do"
