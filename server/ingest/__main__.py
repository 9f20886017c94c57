"""`python -m server.ingest`: the process that opens cameras and encoders. It ends with its supervisor."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import av
import msgspec
import uvloop

from recorder import heartbeat, lifeline
from recorder.control_server import ControlServer
from server.ingest import reach
from server.ingest.address import allowed_networks
from server.ingest.contract import VERSION, Command, Event, Hello
from server.ingest.service import Ingest
from server.ops.logs import TextLine

_log = logging.getLogger("lianke.ingest")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if not options.anywhere:
        reach.confine("server.ingest", sys.argv[1:] if arguments is None else arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLine("ingest"))
    logging.basicConfig(level=options.log_level, handlers=[handler])
    for noisy in ("aiortc", "aioice", "asyncio", "libav"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    av.logging.set_level(None)  # FFmpeg's own lines have addresses with passwords in them
    uvloop.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    ingest = Ingest(None if options.anywhere else allowed_networks(options.network))
    decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
    control = ControlServer[Command, Event](
        decoder,
        lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
        ingest.handle,
        ingest.welcome,
    )
    ingest.tell = control.tell
    await control.start(options.control)
    if options.rtmp:
        address, _, port = options.rtmp.rpartition(":")
        await ingest.door.start(address.strip("[]"), int(port))
    _log.info("ingest is ready")
    beating = asyncio.create_task(heartbeat.beat(), name="heartbeat")
    try:
        await stop.wait()
    finally:
        beating.cancel()
        with suppress(TimeoutError):
            await ingest.close()
        await control.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m server.ingest", description="cameras and encoders")
    parser.add_argument("--control", required=True, help="path of the control socket to make")
    parser.add_argument(reach.AGAIN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--network", action="append", default=[], metavar="CIDR", help="where sources may be")
    parser.add_argument("--anywhere", action="store_true", help="open sources wherever they are")
    parser.add_argument("--rtmp", default="", metavar="ADDR:PORT", help="where encoders push to")
    parser.add_argument("--log-level", default="INFO")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
