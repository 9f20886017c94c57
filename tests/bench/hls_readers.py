"""Many readers of a live lesson's playlist through nginx' cache: `python -m tests.bench.hls_readers`.

A whole installation with one studio (aiortc) behind Debian's nginx with the project's own configuration, and
readers in a process of their own. Each has its own visit and signature, and reads as a player does: a reload
of the picture's playlist that names the next part and waits for it, then the part by its byte range.
`late_ms` is how much later a reader had a part than the first reader that had it.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec
import numpy as np
import uvloop

from server.drill.bench_relay import cpu_seconds
from server.drill.own_server import OwnServer, free_port, own_server
from server.protocol.resources import LiveReplay
from tests.fakes.nginx import Nginx, nginx
from tests.peers.lessons import holding, start, view

JOIN_AT_ONCE = 20
FIRST_S = 4.0
"""Not counted: the readers fall into step."""


class Task(msgspec.Struct, frozen=True):
    """What the process of readers is told."""

    host: str
    port: int
    lesson: str
    token: str
    readers: int
    seconds: float


class Found(msgspec.Struct, frozen=True):
    """What it measured. `refused`: answers that were neither 200 nor 206."""

    readers: int
    joined_s: float
    requests: int
    refused: int
    megabytes: float
    parts: int
    expected_parts: int
    late_p50_ms: float
    late_p99_ms: float


@dataclass
class Counts:
    requests: int = 0
    refused: int = 0
    bytes: int = 0
    counting: bool = False
    parts: dict[tuple[int, int], list[float]] = field(default_factory=lambda: defaultdict(list))


class Reader:
    """One player on one kept-alive connection."""

    def __init__(self, task: Task, counts: Counts) -> None:
        self._task, self._counts = task, counts
        self._cookie = self._prefix = self._name = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def join(self) -> None:
        """Ask for the signed addresses, and connect."""
        task = self._task
        self._streams = await asyncio.open_connection(task.host, task.port)
        path = f"/api/v1/lessons/{task.lesson}/hls"
        status, head, body = await self._get(path, f"Authorization: Bearer {task.token}\r\n")
        if status != 200:
            raise RuntimeError(f"{status} {body[:200]!r}")
        self._cookie = head.partition(b"lianke_visit=")[2].partition(b";")[0].decode()
        tracks = msgspec.json.decode(body, type=LiveReplay).tracks
        path = next(track.playlist for track in tracks if track.kind == "video")
        self._prefix, _, self._name = path.rpartition("/")

    async def read(self) -> None:
        """Until cancelled."""
        _, _, text = await self._get(f"{self._prefix}/{self._name}")
        msn, part = text.count(b"#EXTINF:"), 0
        while True:
            asked = f"{self._prefix}/{self._name}?_HLS_msn={msn}&_HLS_part={part}"
            status, _, text = await self._get(asked)
            if status != 200:
                await asyncio.sleep(1)
                continue
            if self._counts.counting:
                self._counts.parts[msn, part].append(time.monotonic())
            address, span = newest_part(text)
            await self._get(f"{self._prefix}/{address}", f"Range: bytes={span}\r\n")
            msn, part = text.count(b"#EXTINF:"), parts_after_last_segment(text)

    async def _get(self, path: str, more: str = "") -> tuple[int, bytes, bytes]:
        assert self._streams is not None
        incoming, outgoing = self._streams
        cookie = f"Cookie: lianke_visit={self._cookie}\r\n" if self._cookie else ""
        outgoing.write(f"GET {path} HTTP/1.1\r\nHost: {self._task.host}\r\n{cookie}{more}\r\n".encode())
        head = await incoming.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        body = await incoming.readexactly(length)
        status = int(head[9:12])
        if self._counts.counting:
            self._counts.requests += 1
            self._counts.bytes += len(head) + length
            self._counts.refused += status not in (200, 206)
        return status, head, body


def newest_part(text: bytes) -> tuple[str, str]:
    """File and byte range ("first-last") of the playlist's newest part."""
    line = text[text.rindex(b"#EXT-X-PART:") :].partition(b"\n")[0].decode()
    address = line.partition('URI="')[2].partition('"')[0]
    length, _, offset = line.partition('BYTERANGE="')[2].partition('"')[0].partition("@")
    return address, f"{offset}-{int(offset) + int(length) - 1}"


def parts_after_last_segment(text: bytes) -> int:
    growing = text.rpartition(b"#EXTINF:")[2]
    return growing[growing.find(b"\n") :].count(b"#EXT-X-PART:")


async def _readers(task: Task) -> Found:
    counts = Counts()
    readers = [Reader(task, counts) for _ in range(task.readers)]
    began = time.monotonic()
    turns = asyncio.Semaphore(JOIN_AT_ONCE)

    async def join(reader: Reader) -> None:
        async with turns:
            await reader.join()

    await asyncio.gather(*(join(reader) for reader in readers))
    joined_s = time.monotonic() - began
    reading = [asyncio.create_task(reader.read()) for reader in readers]
    await asyncio.sleep(FIRST_S)
    counts.counting = True
    await asyncio.sleep(task.seconds)
    counts.counting = False
    failed = [one for one in reading if one.done()]
    for one in reading:
        one.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    if failed:
        raise RuntimeError(f"{len(failed)} readers stopped: {failed[0].exception()!r}")
    whole = dict(list(counts.parts.items())[1:-2])  # the first and last are cut by the counting
    late = [1000 * (at - min(times)) for times in whole.values() for at in times]
    median, high = np.quantile(late, [0.5, 0.99]) if late else (0.0, 0.0)
    return Found(
        readers=task.readers,
        joined_s=round(joined_s, 1),
        requests=counts.requests,
        refused=counts.refused,
        megabytes=round(counts.bytes / 1e6, 1),
        parts=sum(map(len, whole.values())),
        expected_parts=len(whole) * task.readers,
        late_p50_ms=round(float(median)),
        late_p99_ms=round(float(high)),
    )


async def _bench(readers: int, seconds: float) -> None:
    async with own_server(extra=f"[broadcast]\nviewers = {readers * 2}") as server:
        campus = urlsplit(server.url).netloc
        async with nginx(campus, free_port(socket.SOCK_STREAM)) as front, holding(server) as held:
            studio, _ = await start(held, rooms=1)
            lesson = view(studio).id
            bearer = {"Authorization": f"Bearer {held.demo.studio.token}"}
            link = f"{server.url}/api/v1/lessons/{lesson}/watch-link"
            async with held.http.post(link, json={}, headers=bearer) as made:
                token = (await made.json())["url"].partition("#token=")[2]
            await _is_there(held.http, f"{server.url}/api/v1/lessons/{lesson}/hls", token)
            task = Task("127.0.0.1", urlsplit(front.url).port or 0, lesson, token, readers, seconds)
            cost = _Cost(server, front)
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.hls_readers",
                "--readers-of", msgspec.json.encode(task).decode(),
                stdout=asyncio.subprocess.PIPE, limit=1 << 20,
            )  # fmt: skip
            assert child.stdout is not None
            most = 0
            line = asyncio.create_task(child.stdout.readline())
            while not line.done():
                most = max(most, view(studio).watched)
                await asyncio.sleep(0.25)
            found = msgspec.json.decode(await line, type=Found)
            await child.wait()
            print(msgspec.json.encode(found).decode())
            print(f"most watched at once, as the studio was told: {most}")
            cost.tell(front)


class _Cost:
    """CPU time of campus and of nginx' worker, and what the cache kept away from campus."""

    def __init__(self, server: OwnServer, front: Nginx) -> None:
        children = Path(f"/proc/{front.pid}/task/{front.pid}/children").read_text()
        worker = int(children.split()[0])
        self._pids = {"campus": server.child("campus"), "nginx": worker}
        self._before = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        self._began = time.monotonic()

    def tell(self, front: Nginx) -> None:
        took = time.monotonic() - self._began
        for name, pid in self._pids.items():
            used = cpu_seconds(pid) - self._before[name]
            print(f"{name}: {used:.1f} s of CPU in {took:.1f} s")
        lines = [line.split() for line in front.accesses()]
        for kind, wanted in (("playlists", ".m3u8"), ("parts", ".mp4")):
            asked = [status for status, _, path in lines if path.endswith(wanted)]
            to_campus = sum(status in ("MISS", "EXPIRED", "BYPASS") for status in asked)
            print(f"{kind}: {len(asked)} requests, {to_campus} of them to campus")


async def _is_there(http: aiohttp.ClientSession, url: str, token: str) -> None:
    async with asyncio.timeout(20):
        while True:
            async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
                if answer.status == 200 and any(
                    t["kind"] == "video" for t in (await answer.json())["tracks"]
                ):
                    return
            await asyncio.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--readers-of", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.readers_of:
        task = msgspec.json.decode(arguments.readers_of.encode(), type=Task)
        print(msgspec.json.encode(uvloop.run(_readers(task))).decode(), flush=True)
    else:
        asyncio.run(_bench(arguments.readers, arguments.seconds))


if __name__ == "__main__":
    main()
