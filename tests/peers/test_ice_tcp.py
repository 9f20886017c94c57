"""A room behind a router that drops all UDP: pages reach a real worker over TCP (RFC 6544)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from server.media.contract import PeerState
from server.protocol.parameters import Kind
from tests.fakes.town import SERVER, SERVER_6, WHY_NOT, Town, town
from tests.peers.test_chromium import (
    CHROMIUM,
    PUBLISH,
    WATCH,
    blank_page,
    browser,
    decoded,
    publish,
    stats,
    until,
)
from tests.peers.workers import running_worker

LINE = """async () => {
  const found = [...(await pc.getStats()).values()];
  const {selectedCandidatePairId} = found.find(each => each.type === 'transport');
  const pair = found.find(each => each.id === selectedCandidatePairId);
  return found.find(each => each.id === pair.localCandidateId).protocol;
}"""


@pytest.fixture
def blocked() -> Iterator[Town]:
    with town() as made:
        if made is None:
            pytest.skip(WHY_NOT)
        made.block("udp")
        yield made


@pytest.mark.parametrize("address", [SERVER, f"[{SERVER_6}]"], ids=["IPv4", "IPv6"])
async def test_pages_publish_and_watch_over_tcp_where_udp_is_blocked(
    blocked: Town, tmp_path: Path, address: str
) -> None:
    chromium_there = blocked.program("room", CHROMIUM, tmp_path)
    inside = partial(blocked.inside, "server")
    async with running_worker(f"{address}:0", inside) as worker, browser(chromium_there) as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        tracks = await publish(worker, main, await main.evaluate(PUBLISH), "up")
        slots = [("stage", Kind.VIDEO), ("main", Kind.AUDIO)]
        plan, offer = await worker.make_offer("down", "L", slots)
        await worker.take_answer(await room.evaluate(WATCH, offer), "down", plan)
        await worker.state("down", PeerState.CONNECTED)
        worker.point("down", "stage", tracks[Kind.VIDEO])
        worker.point("down", "main", tracks[Kind.AUDIO])

        async def full() -> bool:
            seen = await stats(room, "inbound-rtp", "video")
            return seen.get("frameWidth") == 1280 and seen.get("framesDecoded", 0) > 20

        await until(full, 15.0, "a full picture over TCP")
        assert [await page.evaluate(LINE) for page in (main, room)] == ["tcp", "tcp"]
        seen = await stats(room, "inbound-rtp", "video")
        heard = await stats(room, "inbound-rtp", "audio")
        assert seen["packetsLost"] == heard["packetsLost"] == 0, json.dumps([seen, heard], indent=1)
        assert heard["packetsReceived"] > 20


async def test_with_udp_open_a_page_prefers_it(blocked: Town, tmp_path: Path) -> None:
    blocked.open("udp")
    chromium_there = blocked.program("room", CHROMIUM, tmp_path)
    inside = partial(blocked.inside, "server")
    async with running_worker(f"{SERVER}:0", inside) as worker, browser(chromium_there) as chromium:
        main, room = await blank_page(chromium), await blank_page(chromium)
        tracks = await publish(worker, main, await main.evaluate(PUBLISH), "up")
        plan, offer = await worker.make_offer("down", "L", [("stage", Kind.VIDEO)])
        await worker.take_answer(await room.evaluate(WATCH, offer), "down", plan)
        worker.point("down", "stage", tracks[Kind.VIDEO])
        await until(lambda: decoded(room), 15.0, "a picture")
        assert [await page.evaluate(LINE) for page in (main, room)] == ["udp", "udp"]
