"""How a process says that its event loop turns: the service manager's datagrams (sd_notify(3)).

Every process of ours tells its supervisor, and the supervisor tells systemd where that started it. Nothing is
sent where nobody listens (`NOTIFY_SOCKET` is not set), and nothing waits: what finds the socket full is lost.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
from contextlib import suppress

NOTIFY_SOCKET = "NOTIFY_SOCKET"
WATCHDOG_USEC = "WATCHDOG_USEC"
BEAT = "WATCHDOG=1"


def tell(*states: str) -> None:
    """Send the states ("READY=1", ...) in one datagram."""
    path = os.environ.get(NOTIFY_SOCKET, "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender, suppress(OSError):
        sender.sendto("\n".join(states).encode(), address)


def period_s() -> float | None:
    """How often to beat, a quarter of the time that is waited for us; None: nobody waits."""
    asked = os.environ.get(WATCHDOG_USEC, "")
    return int(asked) / 4e6 if asked.isdecimal() and int(asked) > 0 else None


async def beat() -> None:
    """Beat until cancelled, from the loop that must not hang."""
    period = period_s()
    if period is not None:
        faulthandler.enable()  # who waits in vain for a beat sends SIGABRT: say where we hang
    while period is not None:
        tell(BEAT, f"MAINPID={os.getpid()}")
        await asyncio.sleep(period)
