"""`python -m recorder --control SOCK --archive DIR`: the recorder process.

Ends at the end of its standard input (its supervisor died) and at SIGTERM; both after the batch at hand.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from recorder import heartbeat, lifeline
from recorder.control import Control
from recorder.log_lines import set_up


async def serve(control: Path, archive: Path) -> None:
    """Record until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Control(archive, control).run(), name="control")
        beating = tasks.create_task(heartbeat.beat(), name="heartbeat")
        await stop.wait()
        running.cancel()
        beating.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recorder", description="Lianke's recorder process")
    parser.add_argument("--control", type=Path, required=True, help="the Unix socket to listen on")
    parser.add_argument("--archive", type=Path, required=True, help="the folder of recordings")
    arguments = parser.parse_args()
    set_up("recorder")
    asyncio.run(serve(arguments.control, arguments.archive))


if __name__ == "__main__":
    main()
