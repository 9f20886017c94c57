"""What a browser loads before it shows a page, as campus sends it: a point's line is thin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from server.api.pages import FOLDER
from tests.unit.api.conftest import Campus

ROOM_BYTES, REST_BYTES = 300_000, 900_000
ENTRIES = {"room.html": "/room", "watch.html": "/guest", "index.html": "/"}
Manifest = dict[str, dict[str, Any]]


def files_of(manifest: Manifest, chunk: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The files of a chunk and of all that it imports at once."""
    one = manifest[chunk]
    found = known | {one["file"], *one.get("css", ())}
    for each in one.get("imports", ()):
        if manifest[each]["file"] not in found:
            found = files_of(manifest, each, found)
    return found


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_the_first_load_of_every_page_is_small(campus: Campus, encoding: str) -> None:
    manifest: Manifest = json.loads((FOLDER / "manifest.json").read_text())
    sent: dict[str, int] = {}

    async def size_of(path: str) -> int:
        if path not in sent:
            async with browser.get(path, headers={"Accept-Encoding": encoding}) as reply:
                assert reply.status == 200, path
                sent[path] = len(await reply.read())
        return sent[path]

    async def load_of(entry: str, chunk: str) -> int:
        files = files_of(manifest, entry) | files_of(manifest, chunk)
        return await size_of(ENTRIES[entry]) + sum([await size_of(f"/{name}") for name in files])

    async with ClientSession(campus.server.make_url("/"), auto_decompress=False) as browser:
        room = await load_of("room.html", "room.html")
        rest = {"watch.html": await load_of("watch.html", "watch.html")}
        for name in manifest["index.html"]["dynamicImports"]:
            rest[name.rpartition("/")[2]] = await load_of("index.html", name)
    told = ", ".join(f"{name} {size / 1000:.0f}" for name, size in sorted(rest.items()))
    print(f"{encoding}, kB: room {room / 1000:.0f}; {told}")
    assert len(rest) > 15, "one for each path of the router"
    assert room < ROOM_BYTES
    assert max(rest.values()) < REST_BYTES
