"""A camera's stream on its way: pulled, sent to a real worker, decoded by a viewer nobody here wrote."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from server.ingest import pulling
from server.ingest.contract import VIDEO_MID, Publish, PublishFailed, Silence, SourceState, Withdraw
from server.media.contract import TrackName
from tests.fakes.camera import Camera, serving, stream
from tests.peers.boxes import Viewer, box_and_viewer
from tests.peers.workers import holds

X264 = {"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"}


def loudness(viewer: Viewer) -> int:
    """The loudest sample of the last sound."""
    return int(abs(viewer.sounds[-1].to_ndarray().astype(int)).max())


async def test_a_cameras_h264_goes_through_by_copy_and_its_aac_as_opus() -> None:
    pieces = await asyncio.to_thread(stream, Camera(options=X264, seconds=8.0))
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: len(viewer.pictures) >= 60 and len(viewer.sounds) >= 80, 20)
        live = next(news for news in box.news() if news.state is SourceState.LIVE)
        assert live.transcoded == ""
        picture, sound = viewer.pictures[-1], viewer.sounds[-1]
        assert (picture.width, picture.height) == (320, 180)
        assert sound.sample_rate == 48_000
        assert abs(sound.to_ndarray()).max() > 8_000  # the tone, not silence
        steps = {
            round((later.pts - before.pts) * Fraction(later.time_base) * 1000)
            for before, later in zip(viewer.pictures[-20:], viewer.pictures[-19:], strict=False)
        }
        assert steps == {40}
        for silent in (True, False):
            box.ingest.handle(Silence("cam", silent))
            await holds(lambda silent=silent: (loudness(viewer) < 100) is silent, 15)  # type: ignore[misc]
        assert [news.state for news in box.news()].count(SourceState.OPENING) == 1


async def test_a_source_with_hardly_any_keyframe_is_found_out_and_transcoded_without_waiting_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "LONGEST_KEYFRAME_S", 0.5)
    camera = Camera(options={**X264, "g": "7500", "keyint_min": "7500"}, seconds=30.0, audio="")
    pieces = await asyncio.to_thread(stream, camera)
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: "long_keyframes" in {news.transcoded for news in box.news()}, 20)
        before = len(viewer.pictures)
        await holds(lambda: len(viewer.pictures) >= before + 25, 25)


async def test_a_source_that_breaks_off_is_opened_again_and_the_picture_goes_on() -> None:
    pieces = await asyncio.to_thread(stream, Camera(options=X264, seconds=1.5))
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: [news.state for news in box.news()].count(SourceState.LIVE) >= 3, 25)
        seen = len(viewer.pictures)
        await holds(lambda: len(viewer.pictures) > seen + 5, 10)
        retrying = next(news for news in box.news() if news.state is SourceState.RETRYING)
        assert retrying.problem
        assert retrying.words is not None
        times = [float(picture.pts * Fraction(picture.time_base)) for picture in viewer.pictures]
        assert times == sorted(times)


async def test_a_source_goes_to_another_workers_peer_without_being_opened_again() -> None:
    pieces = await asyncio.to_thread(stream, Camera(options=X264, seconds=10.0))
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: len(viewer.pictures) >= 5, 20)
        await box.publish(url, "box2")
        box.worker.point("view", "stage", TrackName("box2", VIDEO_MID))
        seen = len(viewer.pictures)
        await holds(lambda: len(viewer.pictures) > seen + 10, 10)
        assert [news.state for news in box.news()].count(SourceState.OPENING) == 1


async def test_a_source_that_nobody_wants_any_more_is_closed() -> None:
    pieces = await asyncio.to_thread(stream, Camera(options=X264, seconds=8.0))
    async with serving(pieces) as url, box_and_viewer() as (box, viewer):
        await box.publish(url)
        await holds(lambda: len(viewer.pictures) >= 5, 20)
        box.ingest.handle(Withdraw("cam"))
        await holds(lambda: not any(thread.is_alive() for thread in box.ingest.ending), 10)
        assert box.ingest.welcome().sources == {}


async def test_a_worker_that_is_not_there_is_told_to_campus() -> None:
    async with serving([]) as url, box_and_viewer() as (box, _):
        transport = await box.worker.open("gone", "L")
        box.ingest.handle(Publish("cam", url, "gone", "u", "p" * 24, transport, 1, 2))
        await holds(lambda: PublishFailed("cam", "gone") in box.told, 15)
