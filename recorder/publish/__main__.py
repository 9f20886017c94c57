"""`python -m recorder.publish --control SOCK --archive DIR --state DIR ...`: the publisher process.

Ends at the end of its standard input (its supervisor died) and at SIGTERM, at once: every step is durable.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from pathlib import Path

from recorder import heartbeat, lifeline
from recorder.archive.published import Lane as LaneName
from recorder.log_lines import set_up
from recorder.publish.control import Control
from recorder.publish.gate import parse_hours
from recorder.publish.jobs import Settings
from recorder.publish.lane import Lane

DATABASE = "publisher.sqlite3"
INSTANT_NICE = 5
"""The instant lane gives way to live lessons, and to nothing else."""
INSTANT_WORKERS = 2
"""Of many lessons that end at one bell."""


async def serve(arguments: argparse.Namespace) -> None:
    """Publish until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    settings = Settings(
        preset=arguments.preset,
        threads=arguments.threads,
        film_height=arguments.film_height,
        piece_s=arguments.piece_s,
        least_free_bytes=arguments.least_free_bytes,
        keep_journal=arguments.keep_journal,
        store=arguments.store,
    )
    nice = {LaneName.INSTANT: min(INSTANT_NICE, arguments.nice), LaneName.BULK: arguments.nice}
    workers = {LaneName.INSTANT: min(INSTANT_WORKERS, os.cpu_count() or 1), LaneName.BULK: 1}
    lanes = {lane: Lane(lane, arguments.archive, settings, nice[lane], workers[lane]) for lane in LaneName}
    following = Lane("following", arguments.archive, settings, arguments.nice)
    control = Control(
        arguments.archive, arguments.control, lanes, following, settings, parse_hours(arguments.hours)
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(control.run(arguments.state / DATABASE), name="control")
        beating = tasks.create_task(heartbeat.beat(), name="heartbeat")
        await stop.wait()
        running.cancel()
        beating.cancel()
    for lane in (*lanes.values(), following):
        await lane.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recorder.publish", description="Lianke's publisher")
    parser.add_argument("--control", type=Path, required=True, help="the Unix socket to listen on")
    parser.add_argument("--archive", type=Path, required=True, help="the folder of recordings")
    parser.add_argument("--state", type=Path, required=True, help="the folder of its own database")
    parser.add_argument("--keep-journal", action="store_true", help="do not delete a verified one's journal")
    parser.add_argument("--hours", default="", help='when the bulk lane may work, "22:00-06:30"')
    parser.add_argument("--nice", type=int, default=19, help="of the bulk lane")
    parser.add_argument("--preset", default="veryfast", help="x264's")
    parser.add_argument("--threads", type=int, default=2, help="of an encoder")
    parser.add_argument("--film-height", type=int, default=720)
    parser.add_argument("--piece-s", type=float, default=60.0, help="what a kill may cost")
    parser.add_argument("--least-free-bytes", type=int, default=2_000_000_000)
    parser.add_argument("--store", default="", help="the object store's URL")
    arguments = parser.parse_args()
    set_up("publisher")
    arguments.archive.mkdir(parents=True, exist_ok=True)
    arguments.state.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(arguments))
    logging.shutdown()
    os._exit(0)  # threads of the pipeline may wait for work that will never end; every step is durable


if __name__ == "__main__":
    main()
