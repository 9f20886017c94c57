"""What a copied source costs: CPU of the ingest service for sources of 1080p25 at 3 Mbit/s, with Opus.

`python -m tests.bench.box_copy --sources 1 --seconds 20`: MPEG-TS from a process of its own over HTTP; the
service, with its connections to a real worker, in this one. Prints cores a source, and packets lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from multiprocessing.connection import Connection

from server.ingest.contract import Publish, up_tracks
from server.ingest.service import Ingest
from server.media.contract import SetRemote, SetUpTracks
from server.protocol.parameters import RemoteTransport, Source
from tests.fakes.camera import Camera, serving, stream
from tests.peers.workers import holds, running_worker

PWD = "boxpwdboxpwdboxpwdboxpwd"
CAMERA = Camera(
    options={
        "preset": "ultrafast", "bf": "0", "g": "50", "keyint_min": "50", "sc_threshold": "0",
        "x264-params": "bitrate=3000:vbv-maxrate=3000:vbv-bufsize=3000:nal-hrd=cbr:force-cfr=1",
    },
    width=1920, height=1080,
)  # fmt: skip


def serve(seconds: float, door: Connection) -> None:
    """Serve the stream until told to end."""

    async def work() -> None:
        pieces = stream(
            Camera(**{**{f: getattr(CAMERA, f) for f in CAMERA.__dataclass_fields__}, "seconds": seconds})
        )
        async with serving(pieces) as url:
            rate = sum(len(data) for _, data in pieces) * 8 / seconds
            door.send((url, rate))
            await asyncio.to_thread(door.recv)

    asyncio.run(work())


async def measure(sources: int, seconds: float, url: str) -> dict[str, float]:
    async with running_worker() as worker:
        ingest = Ingest(None)
        for number in range(sources):
            peer, ufrag = f"box{number}", f"boxu{number}"
            transport = await worker.open(peer, "L")
            await worker.do(SetUpTracks(0, peer, up_tracks(2 * number + 1, 2 * number + 2, Source.CAMERA)))
            prints = ingest.welcome().fingerprints
            await worker.do(SetRemote(0, peer, RemoteTransport(ufrag, PWD, prints)))
            ingest.handle(
                Publish(f"cam{number}", url, peer, ufrag, PWD, transport, 2 * number + 1, 2 * number + 2)
            )
        flowing = (running.outlet.video for running in ingest.sources.values())
        for video in flowing:
            await holds(lambda video=video: video is not None and video.packets > 300, 60)
        await asyncio.sleep(1.0)
        began, cpu = time.monotonic(), time.process_time()
        before = [running.outlet.video.packets for running in ingest.sources.values()]
        await asyncio.sleep(seconds)
        took, spent = time.monotonic() - began, time.process_time() - cpu
        sent = [
            running.outlet.video.packets - one
            for running, one in zip(ingest.sources.values(), before, strict=True)
        ]
        lost = sum(running.publisher.lost for running in ingest.sources.values())
        await ingest.close()
    return {
        "sources": sources,
        "core_share_a_source": round(spent / took / sources, 4),
        "packets_a_second_a_source": round(min(sent) / took, 1),
        "most_packets_a_second_a_source": round(max(sent) / took, 1),
        "not_taken_by_the_kernel": lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    sender = multiprocessing.Process(target=serve, args=(options.seconds + 12, there))
    sender.start()
    url, rate = here.recv()
    figures = asyncio.run(measure(options.sources, options.seconds, url))
    here.send(None)
    sender.join(5)
    sender.kill()
    print(json.dumps({**figures, "mbit_a_second": round(rate / 1e6, 2)}))


if __name__ == "__main__":
    main()
