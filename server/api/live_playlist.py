"""Playlists of recordings that grow: blocking reload and delta updates (draft-pantos-hls-rfc8216bis, 6.2.5).

A player names the segment and part it wants next (`_HLS_msn`, `_HLS_part`) and is answered when the playlist
holds it. The bytes are the same for everybody who asks the same, so that a cache may answer in our place.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from multidict import MultiMapping

from server.api.keys import LIVE, PLAYLISTS
from server.errors import UserFault
from server.live.growth import Growth

TYPE = "application/vnd.apple.mpegurl"
WAIT_S = 5.0
"""Nobody waits longer; who waited in vain is answered with what there is."""
AHEAD_AT_MOST = 2
"""Who asks for a segment further ahead has not followed this playlist."""
_SKIP_UNTIL = re.compile(rb"CAN-SKIP-UNTIL=([0-9.]+)", re.ASCII)
MOST_KEPT = 512
MOST_BYTES = 4 << 20


class Edge(NamedTuple):
    """How far a playlist reaches: `msn` is the segment that grows, `part` how many of its parts are told."""

    msn: int
    part: int
    ended: bool


class Wish(NamedTuple):
    """What a reload asks for; `msn` None: whatever there is now. `skip`: old segments may be left out."""

    msn: int | None
    part: int | None
    skip: bool


@dataclass(frozen=True)
class Told:
    """A playlist as it was read. `mark`: changes with the file, `generation` with the lesson."""

    text: bytes
    edge: Edge
    mark: tuple[int, int, int]
    generation: int

    @cached_property
    def shortened(self) -> bytes:
        return shortened(self.text)


def edge_of(text: bytes) -> Edge:
    """Reads no more of a playlist than where it ends."""
    growing = text.rpartition(b"#EXTINF:")[2]
    parts = growing[growing.find(b"\n") :].count(b"#EXT-X-PART:")
    return Edge(text.count(b"#EXTINF:"), parts, b"#EXT-X-ENDLIST" in growing)


def holds(edge: Edge, wish: Wish) -> bool:
    """Whether what is wished for is there."""
    if wish.msn is None or edge.ended or edge.msn > wish.msn:
        return True
    return wish.part is not None and edge.msn == wish.msn and edge.part > wish.part


def shortened(text: bytes) -> bytes:
    """The playlist without the segments that its reader knows: those older than it says itself."""
    blocks = text.split(b"#EXTINF:")
    skip_until = _SKIP_UNTIL.search(blocks[0])
    if skip_until is None:
        return text
    skip_s = float(skip_until[1])
    lengths = [float(block.partition(b",")[0]) for block in blocks[1:]]
    newest_s, kept = 0.0, 0
    for length in reversed(lengths):
        if newest_s >= skip_s:
            break
        newest_s, kept = newest_s + length, kept + 1
    skipped = len(lengths) - kept
    if skipped == 0:
        return text
    head = b"".join(line for line in blocks[0].splitlines(keepends=True) if _of_the_head(line))
    # A segment ends with its address, its only line that is no tag; what follows stands before the next.
    lines = blocks[skipped].splitlines(keepends=True)
    address = next(k for k, line in enumerate(lines) if k > 0 and not line.startswith(b"#"))
    before = b"".join(lines[address + 1 :])
    return b"".join(
        [head, b"#EXT-X-SKIP:SKIPPED-SEGMENTS=%d\n" % skipped, before]
        + [b"#EXTINF:" + block for block in blocks[1 + skipped :]]
    )


def _of_the_head(line: bytes) -> bool:
    return not line.startswith((b"#EXT-X-MAP", b"#EXT-X-PROGRAM-DATE-TIME", b"#EXT-X-PART:"))


def wish_of(query: MultiMapping[str]) -> Wish:
    """UserFault "bad_position" where a reload does not say a number, or a part of no segment."""
    numbers: list[int | None] = []
    for name in ("_HLS_msn", "_HLS_part"):
        said = query.get(name)
        if said is not None and not (said.isascii() and said.isdigit() and len(said) < 9):
            raise _bad_position()
        numbers.append(int(said) if said is not None else None)
    if numbers[0] is None and numbers[1] is not None:
        raise _bad_position()
    return Wish(numbers[0], numbers[1], query.get("_HLS_skip") in ("YES", "v2"))


def _bad_position() -> UserFault:
    return UserFault(
        "bad_position",
        zh="播放位置不对，请重新打开播放页面。",
        en="The playlist has no such position. Open the page again.",
    )


class Playlists:
    """The newest playlists by path, read once for everybody who waits for them."""

    def __init__(self) -> None:
        self._told: OrderedDict[Path, Told] = OrderedDict()
        self._locks: dict[Path, asyncio.Lock] = {}

    async def read(self, path: Path, generation: int) -> Told:
        """The playlist as it is now. OSError where there is none."""
        known = self._known(path, generation)
        if known is not None:
            return known
        lock = self._locks.setdefault(path, asyncio.Lock())
        try:
            async with lock:
                known = self._known(path, generation)
                if known is None:
                    before = self._told.pop(path, None)
                    known = await asyncio.to_thread(_read, path, generation, before)
                    self._told[path] = known
        finally:
            if not lock.locked():
                self._locks.pop(path, None)
        while len(self._told) > MOST_KEPT:
            self._told.popitem(last=False)
        return known

    def _known(self, path: Path, generation: int) -> Told | None:
        """What was read since the lesson grew last; an ended one may be made again at any time."""
        known = self._told.get(path)
        if known is None or generation == 0 or known.edge.ended or known.generation != generation:
            return None
        return known


def _read(path: Path, generation: int, before: Told | None) -> Told:
    with path.open("rb") as file:
        figures = os.fstat(file.fileno())
        mark = (figures.st_ino, figures.st_mtime_ns, figures.st_size)
        if before is not None and before.mark == mark:
            return Told(before.text, before.edge, mark, generation)
        text = file.read(MOST_BYTES)
    return Told(text, edge_of(text), mark, generation)


async def live_playlist(request: web.Request, lesson: str, path: Path) -> web.Response:
    """Answer a reload, when there is what it asks for. OSError where there is no such playlist. The right to
    read it was asked before."""
    wish = wish_of(request.query)
    told = await _wait(request.app[PLAYLISTS], request.app[LIVE].growth, lesson, path, wish)
    text = told.shortened if wish.skip and not told.edge.ended else told.text
    return web.Response(body=text, content_type=TYPE, headers={"Cache-Control": "private, no-cache"})


async def _wait(playlists: Playlists, growth: Growth, lesson: str, path: Path, wish: Wish) -> Told:
    told = await playlists.read(path, growth.generation(lesson))
    if holds(told.edge, wish):
        return told
    if wish.msn is not None and wish.msn > told.edge.msn + AHEAD_AT_MOST:
        raise _bad_position()
    with growth.waiting() as room:
        try:
            async with asyncio.timeout(WAIT_S if room else 0):
                while True:
                    grown = growth.next(lesson)
                    told = await playlists.read(path, growth.generation(lesson))
                    if holds(told.edge, wish):
                        break
                    await grown.wait()
        except TimeoutError:
            pass
    return told
