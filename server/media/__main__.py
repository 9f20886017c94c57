"""`python -m server.media`: one media worker process. It ends with its supervisor (standard input's end).

SIGTERM drains: campus is told no more rooms fit, peers get a DTLS goodbye, rings get their end mark.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence

import ifaddr
import uvloop

from recorder import heartbeat, lifeline
from server.media.control import ControlServer
from server.media.taps import TapServer
from server.media.worker import MediaWorker
from server.ops.logs import TextLine
from server.protocol.parameters import Candidate

_log = logging.getLogger("lianke.media")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLine(options.worker))
    logging.basicConfig(level=options.log_level, handlers=[handler])
    for noisy in ("aiortc", "aioice", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sockets = [bind(address) for address in options.listen]
    uvloop.run(_serve(options, sockets))
    return 0


def bind(listen: str) -> socket.socket:
    """A non-blocking UDP socket on "ADDR:PORT" or "[ADDR]:PORT" (port 0: a free one)."""
    host, _, port = listen.rpartition(":")
    address = ipaddress.ip_address(host.strip("[]"))
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    found = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    if family == socket.AF_INET6:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    found.bind((str(address), int(port)))
    return found


def candidates(sockets: Sequence[socket.socket], announce: Sequence[str]) -> list[Candidate]:
    """Host candidates: the announced addresses, else each socket's own, else all of this machine."""
    found: list[Candidate] = []
    for each in sockets:
        name = each.getsockname()
        bound, port = ipaddress.ip_address(name[0]), int(name[1])
        if announce:
            addresses = [a for a in announce if ipaddress.ip_address(a).version == bound.version]
        elif bound.is_unspecified:
            addresses = _machine_addresses(bound.version)
        else:
            addresses = [str(bound)]
        found += [Candidate(address, port) for address in addresses]
    return list(dict.fromkeys(found))


def _machine_addresses(version: int) -> list[str]:
    """This machine's addresses; loopback last, for a browser on the same machine without a network."""
    plain = [str(ip.ip) if version == 4 else str(ip.ip[0]) for ip in _adapter_ips(version)]
    found = [ipaddress.ip_address(each) for each in plain]
    usable = [each for each in found if not each.is_link_local]
    return [str(each) for each in sorted(usable, key=lambda each: each.is_loopback)][:8]


def _adapter_ips(version: int) -> list[ifaddr.IP]:
    return [
        ip
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if (ip.is_IPv4 if version == 4 else ip.is_IPv6)
    ]


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
    control = ControlServer(worker.handle, worker.welcome)
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
    parser.add_argument("--announce", action="append", default=[], metavar="ADDR")
    parser.add_argument("--ring-bytes", type=int, default=16 << 20, help="size of a lesson's recording ring")
    parser.add_argument("--log-level", default="INFO")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
