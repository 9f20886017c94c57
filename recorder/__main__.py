"""`python -m recorder --control SOCK --archive DIR [--verify [--keep-journal]]`: the recorder process.

Ends at the end of its standard input (its supervisor died) and at SIGTERM; both after the batch at hand.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import time
from pathlib import Path

from recorder import heartbeat, lifeline
from recorder.control import Control
from recorder.verifying import Verifying


async def serve(control: Path, archive: Path, verifying: Verifying | None) -> None:
    """Record until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Control(archive, control, verifying=verifying).run(), name="control")
        beating = tasks.create_task(heartbeat.beat(), name="heartbeat")
        await stop.wait()
        running.cancel()
        beating.cancel()


class _Line(logging.Formatter):
    """One line a record: when (UTC), what happened, then which lesson and why."""

    converter = time.gmtime  # type: ignore[assignment]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        about = {k: v for k, v in vars(record).items() if k in ("lesson", "track", "reason", "bytes")}
        return " ".join([line, *(f"{key}={value}" for key, value in about.items())])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recorder", description="Lianke's recorder process")
    parser.add_argument("--control", type=Path, required=True, help="the Unix socket to listen on")
    parser.add_argument("--archive", type=Path, required=True, help="the folder of recordings")
    parser.add_argument("--verify", action="store_true", help="verify every recording that is ready")
    parser.add_argument("--keep-journal", action="store_true", help="do not delete a verified one's journal")
    arguments = parser.parse_args()
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Line("%(asctime)s.%(msecs)03dZ %(levelname)s recorder %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> None:
    verifying = Verifying(arguments.archive, keep_journal=arguments.keep_journal)
    await serve(arguments.control, arguments.archive, verifying if arguments.verify else None)


if __name__ == "__main__":
    main()
