"""What `lianke drill` and `lianke bench` print."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientError
from rich.console import Console
from rich.table import Table

from server.drill.bench_relay import BenchFailed, Load
from server.drill.bench_relay import bench_relay as run_bench_relay
from server.drill.boxes import BoxRefused
from server.drill.classroom import Turned
from server.drill.drill import DrillFailed
from server.drill.drill import drill as run_drill
from server.drill.figures import DrillFigures
from server.drill.own_server import ServerFailed
from server.drill.replay import NoReplay
from server.drill.senders import NoSender
from server.ingest.peer import ConnectFailed

T = TypeVar("T")

# Errors whose text is for the person.
SAID = (
    *(BenchFailed, BoxRefused, ConnectFailed, DrillFailed, NoReplay, NoSender, ServerFailed, Turned),
    ClientError,
)


def _run(work: Coroutine[Any, Any, T]) -> T | None:
    """The result, or None after the reason was printed."""
    try:
        return asyncio.run(work)
    except* SAID as group:
        for error in _leaves(group):
            print(error, file=sys.stderr)
    return None


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [leaf for one in group.exceptions
            for leaf in (_leaves(one) if isinstance(one, BaseExceptionGroup) else [one])]  # fmt: skip


def hold_drill(
    points: int, seconds: float, server: str | None, out: Path | None, source: str, *, as_json: bool
) -> int:
    """0: well; 1: a teacher would notice something, or no lesson came about."""
    console = Console(stderr=True)
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/dim]  {sentence}", highlight=False)

    done = _run(run_drill(points, seconds, server, out, tell, source))
    if done is None:
        return 1
    found, noticed = done
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        _show_drill(found)
    for fault in noticed:
        console.print(f"[red]![/red] {fault}", highlight=False)
    return 0 if found.ok else 1


def play_county(mains: int, days: int, periods: int, *, as_json: bool) -> int:
    """0: every span that is stored is what was done to its room."""
    from server.drill.week.week import Size, play_week

    console = Console(stderr=True)
    found = play_week(
        Size(mains=mains, days=days, periods=periods), lambda said: console.print(said, style="dim")
    )
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        print(f"{found.lessons} lessons, {found.points} points, {len(found.injected)} faults")
    for each in found.differences:
        at = f"{each.lesson} {each.room} {each.since_s} to {each.until_s} s"
        console.print(
            f"[red]![/red] {at}: {each.expected or '-'}, stored {each.found or '-'}", highlight=False
        )
    return 0 if found.ok else 1


def _show_drill(found: DrillFigures) -> None:
    console = Console()
    table = Table("room", "joined s", "first picture s", "received s", "freezes", "lost", "back after s")
    for p in found.points:
        cells = (p.joined_s, p.first_frame_s, p.received_s, p.freezes, p.lost, p.back_after_s)
        table.add_row(p.name, *("-" if cell is None else str(cell) for cell in cells))
    console.print(table)
    facts = Table(show_header=False)
    facts.add_row("picture late by (median), ms", str(found.latency_ms_median))
    facts.add_row("called room heard after, s", str(found.call_heard_s))
    if found.recording is not None:
        for name, value in msgspec.structs.asdict(found.recording).items():
            facts.add_row(f"recording: {name}", str(value))
    if found.published is not None:
        facts.add_row("made after class, s after the replay", str(found.published.took_s))
        for made in found.published.renditions:
            facts.add_row(
                f"{made.kind}: pictures, s, ms", f"{made.frames}, {made.seconds}, {made.av_offset_ms}"
            )
    console.print(facts)


def bench_relay(load: Load, *, as_json: bool) -> int:
    """0: measured; 1: the load could not be carried through."""
    figures = _run(run_bench_relay(load))
    if figures is None:
        return 1
    if as_json:
        print(msgspec.json.encode(figures).decode())
        return 0
    table = Table(show_header=False)
    for name, value in msgspec.structs.asdict(figures).items():
        table.add_row(name, str(value))
    Console().print(table)
    return 0
