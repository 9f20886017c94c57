"""Cameras over real RTSP: GStreamer's server asks for a digest, and dies, freezes and changes as they do."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from server.ingest.contract import SourceState
from server.ingest.probe import probe
from tests.fakes.gstreamer_camera import PACKAGES, can_serve, rtsp_camera
from tests.peers.boxes import box_and_viewer
from tests.peers.workers import holds

pytestmark = pytest.mark.skipif(not can_serve(), reason=f"apt-get install {' '.join(PACKAGES)}")

LOGIN = ("viewer", "s3cret/@:")
PICTURE = (
    "videotestsrc is-live=true ! video/x-raw,width={width},height=180,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1"
)
SOUND = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8"

IN_SLICES = (  # in colours that nobody copies, so that it is decoded here
    "( videotestsrc is-live=true pattern=checkers-8"
    " ! video/x-raw,format=Y444,width=640,height=360,framerate=25/1"
    " ! x264enc tune=zerolatency sliced-threads=true threads=4 speed-preset=ultrafast key-int-max=25"
    " ! video/x-h264,profile=high-4:4:4 ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


def launch(width: int = 320) -> str:
    return f"( {PICTURE.format(width=width)} {SOUND} )"


@pytest.mark.parametrize(
    ("udp", "only_udp"),
    [(False, False), (True, False), (False, True)],
    ids=["tcp", "udp", "udp where tcp is refused"],
)
async def test_a_camera_is_pulled_with_a_digest_over(udp: bool, only_udp: bool) -> None:
    served = rtsp_camera(launch(), login=LOGIN, only_udp=only_udp)
    async with served as camera, box_and_viewer() as (box, viewer):
        await box.publish(camera.url, udp=udp)
        await holds(lambda: len(viewer.pictures) >= 40 and len(viewer.sounds) >= 40, 30)
        assert (viewer.pictures[-1].width, viewer.pictures[-1].height) == (320, 180)
        assert box.news()[-1].transcoded == ""
        assert abs(viewer.sounds[-1].to_ndarray()).max() > 8_000


async def test_a_picture_that_comes_slice_by_slice_is_decoded_whole() -> None:
    async with rtsp_camera(IN_SLICES) as camera, box_and_viewer() as (box, viewer):
        await box.publish(camera.url)
        await holds(lambda: len(viewer.pictures) >= 25, 30)
        assert box.news()[-1].transcoded == "h264_profile"
        rows = np.array([picture.to_ndarray(format="gray")[4::8] for picture in viewer.pictures], int)
        changes = abs(np.diff(rows, axis=1)).mean(axis=2)
        assert changes.min() > 20, "squares of a chessboard in every row of every picture, keyframes too"


async def test_a_wrong_password_and_a_wrong_path_are_told_apart() -> None:
    async with rtsp_camera(launch(), login=LOGIN) as camera:
        wrong, nothing = camera.url.replace("viewer:", "somebody:"), camera.url.replace("/live", "/channel/2")
        for url, problem in ((wrong, "wrong_password"), (nothing, "wrong_path")):
            report = await asyncio.to_thread(probe, url, None, 1.0)
            assert report.problem == problem
            assert "s3cret" not in str(report)


async def test_a_camera_that_hangs_without_closing_is_noticed() -> None:
    async with rtsp_camera(launch(), login=LOGIN) as camera, box_and_viewer() as (box, viewer):
        await box.publish(camera.url)
        await holds(lambda: len(viewer.pictures) >= 10, 30)
        frozen_at = time.monotonic()
        camera.freeze()
        await holds(lambda: "no_answer" in box.problems(), 30)
        assert time.monotonic() - frozen_at > 3, "a short silence is none"


async def test_a_camera_that_died_comes_back_with_another_picture_size() -> None:
    async with box_and_viewer() as (box, viewer):
        async with rtsp_camera(launch()) as camera:
            await box.publish(camera.url)
            await holds(lambda: len(viewer.pictures) >= 10, 30)
            await camera.kill()
            await holds(lambda: SourceState.RETRYING in {news.state for news in box.news()}, 20)
        async with rtsp_camera(launch(width=640), port=camera.port):
            await holds(lambda: bool(viewer.pictures) and viewer.pictures[-1].width == 640, 40)
