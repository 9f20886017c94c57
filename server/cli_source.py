"""`lianke probe`: what a camera or encoder sends, and which setting of it to change."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from server.config import load
from server.ingest.apart import WATCH_S, NoAnswer, probed
from server.ingest.facts import Fitness, Report

MARKS = {Fitness.GOOD: "✓", Fitness.NOTE: "·", Fitness.TRANSCODE: "!", Fitness.UNFIT: "✗"}


def run_probe(
    url: str,
    /,
    *,
    seconds: float = WATCH_S,
    udp: bool = False,
    anywhere: bool = False,
    snapshot: Path | None = None,
    config: Annotated[Path | None, Parameter(name="--config", help="TOML file.")] = None,
    as_json: Annotated[bool, Parameter(name="--json", help="Print JSON for programs.")] = False,
) -> int:
    """Open a source for some seconds: what goes through, what would be transcoded, which setting to change.

    Parameters
    ----------
    url
        rtsp://, rtmp://, http:// (MPEG-TS) or udp:// address; user and password before the host.
    seconds
        How long to watch; a drifting clock is told from 20 s on.
    udp
        RTSP over UDP instead of TCP.
    anywhere
        Also addresses outside the networks of [ingest] in the configuration.
    snapshot
        Write a picture of the source into this JPEG file.
    """
    networks = None if anywhere else load(config).ingest.networks
    try:
        said = asyncio.run(probed(url, networks, seconds, udp=udp))
    except NoAnswer as error:
        print(f"检测程序出错了。The probe itself failed: {error}", file=sys.stderr)
        return 2
    report = msgspec.json.decode(said, type=Report)
    if snapshot is not None and report.snapshot_jpeg is not None:
        try:
            snapshot.write_bytes(report.snapshot_jpeg)
        except OSError as error:
            print(f"--snapshot: {error}", file=sys.stderr)
            return 2
    if as_json:
        print(said.decode())
    else:
        _show(report)
    return 1 if report.fitness is Fitness.UNFIT else 0


def _show(report: Report) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{report.address}  ({report.seconds:.0f} s)")
    for line in report.told:
        console.print(f"   {line.zh}\n   {line.en}")
    for point in report.points:
        console.print(f" {MARKS[point.fitness]} {point.words.zh}\n   {point.words.en}")
