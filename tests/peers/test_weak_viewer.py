"""A page behind a thin line gets sound and a small picture, the others everything; it comes back alone."""

from __future__ import annotations

from playwright.async_api import Page

from tests.bench.weak_viewer import RESET, Viewing, until, viewing
from tests.fakes.lossy_proxy import DOWN, Line


async def height_is(found: Viewing, page: Page, *heights: int) -> bool:
    return await found.height(page) in heights


async def sounds(found: Viewing) -> bool:
    """Samples came, and nearly all were heard."""
    heard = (await found.look(found.weak))["heard"]
    return bool(heard["samples"] > 48_000 and heard["silent"] < 300)


async def test_a_thin_line_takes_the_size_of_its_own_viewers_picture_and_no_more() -> None:
    async with viewing() as found:
        weak, good = found.weak, found.good
        for page in (weak, good):
            assert await until(lambda page=page: height_is(found, page, 720), 30)
        found.proxy.lines[DOWN] = Line(rate_bps=400_000, queue_bytes=50_000, delay_s=0.02)
        assert await until(lambda: height_is(found, weak, 180), 20), "a smaller picture"
        await found.worker.until(lambda: (told := found.figures()) and told.reason == "line", 10)
        await weak.evaluate(RESET)
        assert await until(lambda: sounds(found), 15), "sound is whole on a thin line"
        assert await found.height(good) == 720
        found.proxy.lines[DOWN] = Line()
        assert await until(lambda: height_is(found, weak, 720), 40), "back on a good line"
        other = await found.look(good)
        assert other["video"].get("packetsLost", 0) == 0
        assert other["audio"].get("packetsLost", 0) == 0
