"""A lesson from the studio's page through a UDP proxy: what the browser sent, by SSRC and RTP time, beside
what was recorded of it."""

from __future__ import annotations

import asyncio
import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import aiohttp
import av
import msgspec
from playwright.async_api import Page, expect

from recorder.archive.layout import JOURNAL
from recorder.archive.manifest import Manifest, Track, read_manifest
from recorder.assemble.records import Packet, read_packet, read_records
from recorder.contract import RecordKind, TrackNote
from recorder.journal import EntryKind, JournalReader
from server.drill.own_server import OwnServer
from server.protocol.resources import Demo
from tests.fakes.lossy_proxy import UP, LossyProxy
from tests.peers.workers import holds

KEEP_JOURNAL = "[recording]\nkeep_journal = true\n"
# The page's peer connections send to the proxy in place of the worker: one candidate, UDP.
THROUGH = """port => {
  const {prototype} = RTCPeerConnection, original = prototype.setRemoteDescription;
  prototype.setRemoteDescription = function (description) {
    const lines = description.sdp.split('\\r\\n').filter(line => !/^a=candidate:.* tcp /i.test(line));
    const road = /^(a=candidate:\\S+ \\d+ udp \\d+ \\S+) \\d+ /gim;
    const sdp = lines.join('\\r\\n').replace(road, `$1 ${port} `);
    return original.call(this, {type: description.type, sdp});
  };
}"""


class Left(NamedTuple):
    """An RTP packet as it left the browser: its header is not encrypted."""

    at: float
    ssrc: int
    sequence: int
    timestamp: int
    padding: bool


@dataclass
class Wire:
    """What came by the proxy."""

    packets: list[Left] = field(default_factory=list)

    def note(self, direction: str, data: bytes) -> bool:
        if direction == UP and len(data) >= 12 and data[0] >> 6 == 2 and not 64 <= data[1] & 0x7F < 96:
            sequence, timestamp, ssrc = struct.unpack_from(">xxHII", data)
            self.packets.append(Left(time.time(), ssrc, sequence, timestamp, bool(data[0] & 0x20)))
        return True


def media_address(server: OwnServer) -> tuple[str, int]:
    found = re.search(r"port_base = (\d+)", server.config.read_text())
    assert found is not None
    return "127.0.0.1", int(found[1])


async def teach(page: Page, server: OwnServer, proxy: LossyProxy, seconds: float) -> tuple[Path, float]:
    """A lesson with camera, courseware and voice: its folder once it is verified; when End was pressed."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    await page.add_init_script(f"({THROUGH})({proxy.address[1]})")
    await page.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await page.get_by_test_id("start").click()
    await expect(page.get_by_test_id("lesson")).to_be_visible()
    await page.get_by_test_id("courseware").click()
    await asyncio.sleep(seconds)
    ended = time.time()
    await page.get_by_test_id("end").click()
    await page.get_by_test_id("end-confirm").click()
    await holds(lambda: any(server.archive.iterdir()), 20)
    folder = next(server.archive.iterdir())
    await holds(lambda: read_manifest(folder).verdict is not None, 60)
    return folder, ended


def recorded(folder: Path) -> dict[str, list[tuple[float, Packet]]]:
    """By track: the journal's packets in their order, and when they arrived (monotonic seconds)."""
    names: dict[int, str] = {}
    found: dict[str, list[tuple[float, Packet]]] = {}
    reader = JournalReader(folder / JOURNAL)
    while entries := reader.read():
        for entry in entries:
            for record in read_records(entry.payload) if entry.kind is EntryKind.SPAN else ():
                if record.kind == RecordKind.TRACK:
                    names[record.track] = msgspec.msgpack.decode(record.data, type=TrackNote).name
                packet = read_packet(record.data) if record.kind == RecordKind.RTP else None
                if packet is not None:
                    found.setdefault(names[record.track], []).append((record.arrival_ns / 1e9, packet))
    return found


@dataclass
class Comparison:
    """One track. `missing`: packets the browser sent between the first and the last one recorded of its SSRC
    that are not in the journal; `frames`: pictures (or sounds) by their RTP times, in order; `played`: those
    in the files; `worst_ms`: how far the time between two pictures in a row is from the browser's."""

    missing: list[Left]
    streams: int
    frames: int
    played: int
    keyframes: int
    worst_ms: float
    until_end_s: float


def compare(track: Track, folder: Path, wire: Wire, ended: float) -> Comparison:
    """`ended`: when End was pressed."""
    packets = [packet for _, packet in recorded(folder)[track.name]]
    ssrcs = list(dict.fromkeys(packet.ssrc for packet in packets))
    missing: list[Left] = []
    times: list[list[int]] = []
    last_at = 0.0
    for ssrc in ssrcs:
        kept = {packet.sequence for packet in packets if packet.ssrc == ssrc}
        sent = [left for left in wire.packets if left.ssrc == ssrc]
        inside = [k for k, left in enumerate(sent) if left.sequence in kept]
        stretch = sent[inside[0] : inside[-1] + 1]
        missing += [left for left in stretch if left.sequence not in kept and not left.padding]
        times.append(list(dict.fromkeys(left.timestamp for left in stretch if left.sequence in kept)))
        last_at = max(last_at, stretch[-1].at)
    pts, keys = _in_files(track, folder)
    return Comparison(
        missing,
        len(ssrcs),
        sum(len(stretch) for stretch in times),
        track.samples - track.filled + track.dropped,
        keys,
        _worst_ms(times, pts, 90_000) if track.kind == "video" else 0.0,
        ended - last_at,
    )


def _in_files(track: Track, folder: Path) -> tuple[list[float], int]:
    """When each sample is shown, in seconds of the lesson, and how many are keyframes."""
    shown: list[float] = []
    keys = 0
    for section in track.sections:
        with av.open(str(folder / section.file)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None and packet.size:
                    shown.append(section.start_s + float(packet.pts * packet.time_base))
                    keys += packet.is_keyframe
    return shown, keys


def _worst_ms(times: Sequence[Sequence[int]], shown: Sequence[float], rate: int) -> float:
    """Steps between pictures, within each stream, but the first: it stands from the lesson's zero."""
    if sum(len(stretch) for stretch in times) != len(shown):
        return float("inf")
    worst, at = 0.0, 0
    for stretch in times:
        part = shown[at : at + len(stretch)]
        for k in range(2, len(stretch)):
            sent_s = ((stretch[k] - stretch[k - 1]) & 0xFFFFFFFF) / rate
            worst = max(worst, abs(part[k] - part[k - 1] - sent_s) * 1000)
        at += len(stretch)
    return worst


def track_of(made: Manifest, name: str) -> Track:
    return next(track for track in made.tracks if track.name == name)
