"""How fast the pages' API answers in a county at its real size, with many people at once.

    python -m tests.bench.county_pages [--lessons 200000] [--users 50] [--rounds 20]

`lianke demo county` into an empty store, `lianke serve` on it; then that many users, each on a connection of
its own, ask what each page asks, one after the other, without a pause. Figures in ms; must: p50 200, p99 500.
The pages' first load: bytes, gzip -6.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from server.cli_demo import fill
from server.config import load
from server.drill.own_server import start_server, stop_server, url_of, write_config
from tests.bench.library import first_load

INDEX_PATIENCE_S = 600.0
ASKED = {
    "me": "/api/v1/me",
    "rooms": "/api/v1/rooms",
    "lessons": "/api/v1/lessons",
    "library": "/api/v1/library",
    "library, page 3000": "/api/v1/library?page=3000",
    "library, two characters": "/api/v1/library?q=瀑布",
    "library, initials": "/api/v1/library?q=wlspb",
    "library, a filter": "/api/v1/library?subject=英语&grade=三年级",
    "facets": "/api/v1/library/facets",
}


async def ask(browser: aiohttp.ClientSession, path: str) -> float:
    begun = time.perf_counter()
    async with browser.get(path) as reply:
        assert reply.status == 200, (path, await reply.text())
        await reply.read()
    return (time.perf_counter() - begun) * 1000


async def user(url: str, rounds: int, number: int, times: dict[str, list[float]]) -> None:
    pages = list(ASKED.items())
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base_url=url, cookie_jar=jar) as browser:
        for round_ in range(rounds):
            name, path = pages[(number + round_) % len(pages)]
            times[name].append(await ask(browser, path))


async def indexed(url: str) -> float:
    """Search until the index is whole; how long that took, in seconds."""
    begun = time.perf_counter()
    async with aiohttp.ClientSession(base_url=url, timeout=aiohttp.ClientTimeout(60)) as browser:
        while time.perf_counter() - begun < INDEX_PATIENCE_S:
            if await ask(browser, ASKED["library, initials"]) < 1000:
                return round(time.perf_counter() - begun, 1)
    raise TimeoutError("the search index did not become whole")


async def measure(lessons: int, users: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lianke-bench-") as name:
        folder = Path(name)
        config = write_config(folder, ())
        begun = time.perf_counter()
        await fill(load(config), lessons)
        found: dict[str, Any] = {"filled_s": round(time.perf_counter() - begun, 1)}
        process = await start_server(config, folder / "server.log")
        try:
            url = url_of(config)
            found["indexed_s"] = await indexed(url)
            times: dict[str, list[float]] = {page: [] for page in ASKED}
            begun = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(users):
                    group.create_task(user(url, rounds * len(ASKED), number, times))
            asked = sum(len(each) for each in times.values())
            found["requests_a_second"] = round(asked / (time.perf_counter() - begun))
            for page, each in times.items():
                each.sort()
                found[page] = {
                    "p50_ms": round(statistics.median(each), 1),
                    "p99_ms": round(each[int(len(each) * 0.99)], 1),
                }
        finally:
            await stop_server(process)
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=6)
    args = parser.parse_args()
    figures = asyncio.run(measure(args.lessons, args.users, args.rounds))
    pages = {"library": first_load("index.html", "LibraryPage", "DeskFrame"), "room": first_load("room.html")}
    print(json.dumps({"lessons": args.lessons, "users": args.users, **figures, "first_load_bytes": pages},
                     ensure_ascii=False, indent=1))  # fmt: skip
