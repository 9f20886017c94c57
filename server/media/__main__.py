"""`python -m server.media`: one media worker process. It ends with its supervisor (standard input's end).

SIGTERM drains: campus is told no more rooms fit, peers get a DTLS goodbye, rings get their end mark.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence

import msgspec
import uvloop

from recorder import heartbeat, lifeline
from recorder.control_server import ControlServer
from server.media.contract import VERSION, Command, Event, Hello
from server.media.listening import bind, candidates
from server.media.taps import TapServer
from server.media.worker import MediaWorker
from server.ops.logs import TextLine

_log = logging.getLogger("lianke.media")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLine(options.worker))
    logging.basicConfig(level=options.log_level, handlers=[handler])
    for noisy in ("aiortc", "aioice", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sockets = [each for address in options.listen for each in bind(address, tcp=not options.no_tcp)]
    uvloop.run(_serve(options, sockets))
    return 0


async def _serve(options: argparse.Namespace, sockets: list[socket.socket]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    worker = MediaWorker(
        name=options.worker,
        sockets=sockets,
        candidates=candidates(sockets, options.announce),
        tap_socket=options.taps,
        ring_bytes=options.ring_bytes,
        clock=time.monotonic,
        pid=os.getpid(),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    control = ControlServer[Command, Event](
        msgspec.msgpack.Decoder(Command),
        lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
        worker.handle,
        worker.welcome,
    )
    worker.tell = control.tell
    taps = TapServer(options.taps, worker.find_tap)
    await control.start(options.control)
    _log.info("worker %s serves on %s", options.worker, ", ".join(options.listen))
    beating = asyncio.create_task(heartbeat.beat(), name="heartbeat")
    try:
        await worker.run(stop)
    finally:
        beating.cancel()
        taps.close()
        await control.close()
        for each in sockets:
            each.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m server.media", description="one media worker")
    parser.add_argument("--worker", required=True, help="its name, e.g. w0")
    parser.add_argument("--control", required=True, help="path of the control socket to make")
    parser.add_argument("--taps", required=True, help="path of the tap socket to make")
    parser.add_argument("--listen", required=True, action="append", metavar="ADDR:PORT")
    parser.add_argument("--no-tcp", action="store_true", help="do not listen on TCP too")
    parser.add_argument("--announce", action="append", default=[], metavar="ADDR")
    parser.add_argument("--ring-bytes", type=int, default=16 << 20, help="size of a lesson's recording ring")
    parser.add_argument("--log-level", default="INFO")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
