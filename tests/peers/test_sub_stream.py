"""A camera's sub stream as the lower layer of its picture: weak viewers get it, nothing is transcoded."""

from __future__ import annotations

import asyncio

from server.ingest.contract import HIGH, LOW, SourceState, WantLayers
from tests.fakes.camera import Camera, serving, stream
from tests.peers.boxes import box_and_viewer
from tests.peers.workers import holds

X264 = {"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"}
MAIN = Camera(options=X264, seconds=25.0)
SUB = Camera(options=X264, seconds=25.0, width=160, height=90, audio="")


async def test_a_small_tile_gets_the_sub_stream_and_it_rests_while_nobody_has_a_use_for_it() -> None:
    main, sub = [await asyncio.to_thread(stream, camera) for camera in (MAIN, SUB)]
    async with serving(main) as url, serving(sub) as low, box_and_viewer("tile1") as (box, viewer):
        await box.publish(url, low=low)
        await holds(lambda: bool(viewer.pictures) and viewer.pictures[-1].width == 160, 30)
        await holds(lambda: len(viewer.sounds) > 20, 15)
        assert box.news()[-1].state is SourceState.LIVE
        box.ingest.handle(WantLayers("cam", [HIGH]))
        await holds(lambda: viewer.pictures[-1].width == 320, 30)
        assert box.ingest.sources["cam"].low_puller is None
        box.ingest.handle(WantLayers("cam", [LOW, HIGH]))
        await holds(lambda: viewer.pictures[-1].width == 160, 30)


async def test_a_stage_gets_the_main_stream_though_the_sub_stream_is_no_stream_at_all() -> None:
    main = await asyncio.to_thread(stream, MAIN)
    async with serving(main) as url, serving([]) as low, box_and_viewer() as (box, viewer):
        await box.publish(url, low=low)
        await holds(lambda: bool(viewer.pictures) and viewer.pictures[-1].width == 320, 30)
        await holds(lambda: box.news()[-1].low_words is not None, 30)
        assert (box.news()[-1].state, box.news()[-1].words) == (SourceState.LIVE, None), "teaching goes on"
