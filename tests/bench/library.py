"""How fast the library answers with many lessons, and how large its pages are.

    python -m tests.bench.library [--lessons 20000] [--rounds 40]

A campus in this process with that many lessons in its store, asked over HTTP as the page asks; figures in ms,
the first search (which makes the index) by itself. Pages: bytes that a browser loads first, gzip -6.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer
from sqlalchemy import insert, text

from server.api.application import build, listening_options
from server.api.pages import FOLDER
from server.app import make_parts
from server.clock import SystemClock
from server.config import build as build_config
from server.store.store import Store
from server.store.tables import CATALOGUE, LESSONS, RECORDINGS

SUBJECTS = ["语文", "数学", "英语", "音乐", "美术", "科学", "道德与法治", "体育"]
GRADES = [f"{n}年级" for n in "一二三四五六"]
TOPICS = [
    "我的家乡",
    "长方形的面积",
    "茉莉花",
    "圆明园的毁灭",
    "分数的意义",
    "望庐山瀑布",
    "水的循环",
    "认识时间",
    "草船借箭",
    "春天在哪里",
]
TEACHERS = [f"{name}老师" for name in "王李张刘陈杨赵黄周吴徐孙"]
ASKED = {
    "newest": "",
    "page 400": "page=400",
    "two characters": "q=瀑布",
    "initials": "q=wlspb",
    "one character": "q=家",
    "teacher and unit": "q=王老 单元3",
    "filter": "subject=英语&grade=三年级",
    "title": "sort=title",
}


async def fill(store: Store, lessons: int) -> None:
    chance = random.Random(1)
    rows: dict[Any, list[dict[str, Any]]] = {LESSONS: [], RECORDINGS: [], CATALOGUE: []}
    for number in range(lessons):
        name, title = f"L{number:010d}", f"{chance.choice(TOPICS)} 单元{number % 12} 第{number % 40}课时"
        value = {"id": name, "title": {"zh": title, "en": f"Lesson {number}"}, "main_room": "main",
                 "rooms": ["shahe"], "state": "ended"}  # fmt: skip
        held = {"state": "ended", "main_room": "main", "created_at": 1_700_000_000_000 + number * 60_000}
        about = {"subject": chance.choice(SUBJECTS), "grade": chance.choice(GRADES)}
        who = {"teacher": chance.choice(TEACHERS), "school": f"第{number % 156}小学"}
        rows[LESSONS].append({"lesson": name, **held, "value": json.dumps(value)})
        rows[RECORDINGS].append({"lesson": name, "state": "ready", "seconds": 2400.0, "problem": "",
                                 "path": name, "marks": "[]"})  # fmt: skip
        rows[CATALOGUE].append({"lesson": name, **about, **who})
    async with store.database.writing() as connection:
        for table, values in rows.items():
            await connection.execute(insert(table), values)


async def ask(browser: ClientSession, path: str) -> float:
    begun = time.perf_counter()
    async with browser.get(path) as reply:
        assert reply.status == 200, await reply.text()
        await reply.read()
    return (time.perf_counter() - begun) * 1000


async def measure(lessons: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        document = {
            "http": {"listen": "127.0.0.1"}, "media": {"listen": "127.0.0.1"}, "demo": {"enabled": True},
            "data": {"directory": folder, "run_directory": f"{folder}/run"},
            "rooms": [{"id": "main", "zh": "录播室", "en": "Recording room", "main": True}],
        }  # fmt: skip
        config = build_config(document, {})
        store = await Store.open(config.store_place, SystemClock())
        await fill(store, lessons)
        app = build(await make_parts(config, store))
        server = TestServer(app)
        await server.start_server(**listening_options(app))
        jar = CookieJar(unsafe=True)
        async with ClientSession(base_url=server.make_url("/"), cookie_jar=jar) as browser:
            begun = time.perf_counter()
            found: dict[str, Any] = {"first_search_ms": round(await ask(browser, "/api/v1/library?q=瀑布"))}
            while await store.database.row(text("SELECT 1 FROM catalogue WHERE indexed = 0 LIMIT 1")):
                await asyncio.sleep(0.1)
                await ask(browser, "/api/v1/library?q=瀑布")
            found["indexed_after_s"] = round(time.perf_counter() - begun, 1)
            for name, query in ASKED.items():
                times = sorted([await ask(browser, f"/api/v1/library?{query}") for _ in range(rounds)])
                found[name] = {"p50_ms": round(statistics.median(times), 1), "p99_ms": round(times[-1], 1)}
            found["facets_ms"] = round(await ask(browser, "/api/v1/library/facets"), 1)
        await server.close()
        await store.close()
        return found


def first_load(page: str, *chunks: str) -> int:
    """Bytes of a page with what it names and the chunks of these names with what they import, compressed."""
    files: set[Path] = {FOLDER / page}
    waiting = [
        FOLDER / "assets" / name for name in re.findall(r"/assets/([\w.-]+)", (FOLDER / page).read_text())
    ]
    for chunk in chunks:
        waiting += list((FOLDER / "assets").glob(f"{chunk}-*"))
    while waiting:
        path = waiting.pop()
        if path in files or not path.is_file():
            continue
        files.add(path)
        if path.suffix == ".js":
            imported = re.findall(r"""(?:from|import)\s*["']\./([\w.-]+)["']""", path.read_text())
            waiting += [path.parent / name for name in imported]
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=40)
    args = parser.parse_args()
    figures = asyncio.run(measure(args.lessons, args.rounds))
    pages = {"library": first_load("index.html", "LibraryPage", "DeskFrame"),
             "replay": first_load("index.html", "ReplayPage"), "room": first_load("room.html")}  # fmt: skip
    print(json.dumps({"lessons": args.lessons, **figures, "first_load_bytes": pages}, ensure_ascii=False))
