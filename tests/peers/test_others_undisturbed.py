"""What one line suffers or an attacker repeats changes nothing for anybody else."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from server.media.contract import DownFigures, Figures, TrackName, WorkerFigures
from server.protocol.parameters import Kind
from tests.fakes.lossy_proxy import UP, Line, lossy_proxy
from tests.peers.aiortc_peers import connection, frames, publish, tracks_of
from tests.peers.test_connections import by_way_of, camera, worker_address
from tests.peers.workers import RunningWorker, running_worker

STAGE = [("stage", Kind.VIDEO)]


def _figures(worker: RunningWorker, peer: str) -> list[DownFigures]:
    return [f for e in worker.events if isinstance(e, Figures) for f in e.down if f.peer == peer]


async def _counted(worker: RunningWorker, name: str, least: int) -> None:
    """Totals are told every 5 s."""

    def told() -> bool:
        return any(isinstance(e, WorkerFigures) and e.totals[name] >= least for e in worker.events)

    await worker.until(told, 12)


async def test_a_slow_and_lossy_viewer_changes_nothing_for_the_other() -> None:
    async with running_worker() as worker, connection() as up, connection() as good, connection() as bad:
        line = Line(loss=0.2, delay_s=0.1, jitter_s=0.05, rate_bps=300_000, queue_bytes=20_000)
        async with lossy_proxy(await worker_address(worker), down=line, seed=11) as proxy:
            publish(up)
            track = await camera(worker, up)
            tracks = {"good": tracks_of(good), "bad": tracks_of(bad)}
            await worker.offer_slots(bad, "bad", "L", STAGE, by_way_of(proxy))
            await worker.offer_slots(good, "good", "L", STAGE)
            for peer in ("bad", "good"):
                worker.point(peer, "stage", track)
            await frames(tracks["good"]["video"], 5)
            await worker.until(lambda: any(f.loss > 0.05 for f in _figures(worker, "bad")), 15)
            await frames(tracks["good"]["video"], 90, 6)
            async with asyncio.timeout(40):
                while proxy.counts["down_lost"] + proxy.counts["down_overflow"] <= 20:
                    await frames(tracks["good"]["video"], 15, 20)
            await worker.until(lambda: len(_figures(worker, "good")) >= 3)
            assert {figure.loss for figure in _figures(worker, "good")} == {0.0}
            assert {figure.resent for figure in _figures(worker, "good")} == {0}
            heard = [s for s in (await good.getStats()).values() if s.type == "inbound-rtp"]
            assert [s.packetsLost for s in heard] == [0]


async def test_replayed_packets_and_those_of_a_forged_address_reach_nobody() -> None:
    async with (
        running_worker() as worker,
        connection() as up,
        connection() as down,
        lossy_proxy(await worker_address(worker)) as proxy,
    ):
        sent: list[bytes] = []

        def keep(direction: str, data: bytes) -> bool:
            if direction == UP and data[0] >> 6 == 2 and len(sent) < 200:
                sent.append(data)
            return True

        proxy.keep = keep
        publish(up)
        answer = await worker.answer_offer(up, "up", "L", by_way_of(proxy))
        tracks = tracks_of(down)
        await worker.offer_slots(down, "down", "L", STAGE)
        mid = next(t.mid for t in answer.tracks if t.kind is Kind.VIDEO)
        worker.point("down", "stage", TrackName("up", mid))
        await frames(tracks["video"], 20)
        again = tuple(sent)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for data in again:
                stranger.sendto(data, proxy.target)
        for behind in proxy._behind.values():
            for data in again:
                behind.sendto(data)
        await _counted(worker, "dropped_unknown_address", len(again))
        await _counted(worker, "dropped_replayed", len(again))
        await frames(tracks["video"], 20)
        heard = [s for s in (await down.getStats()).values() if s.type == "inbound-rtp"]
        assert [s.packetsLost for s in heard] == [0]


async def test_a_flood_of_strangers_leaves_nothing_in_memory_and_the_picture_goes_on() -> None:
    async with running_worker() as worker, connection() as one, connection() as down:
        publish(one)
        track = await camera(worker, one, "one")
        tracks = tracks_of(down)
        await worker.offer_slots(down, "down", "L", STAGE)
        worker.point("down", "stage", track)
        await frames(tracks["video"], 5)
        address = await worker_address(worker)

        def rss_kb() -> int:
            return int(Path(f"/proc/{worker.process.pid}/statm").read_text().split()[1]) * 4

        async def flood(rounds: int) -> None:
            for index in range(rounds):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    for number in range(100):
                        head = (0x80600000 | number).to_bytes(4, "big") + (index * 100 + number).to_bytes(
                            8, "big"
                        )
                        stranger.sendto(head + bytes(900), address)
                await asyncio.sleep(0)

        await flood(50)
        await frames(tracks["video"], 5)
        before = rss_kb()
        await flood(300)
        await frames(tracks["video"], 10)
        assert rss_kb() - before < 1_500, "no growth by what strangers send"
        await _counted(worker, "dropped_unknown_address", 10_000)
