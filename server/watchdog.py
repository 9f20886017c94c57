"""Listens to the heartbeats of the supervisor's children and names those that hang.

A child counts from its first beat on: how long a start takes is not judged, for a start that fails ends. When
this process itself was held up, everybody gets the whole time again.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.heartbeat import BEAT, NOTIFY_SOCKET, WATCHDOG_USEC

LONGEST_DATAGRAM = 256
CHECKS = 4


class Watchdog:
    """`hung_after_s` 0: nobody is watched. `path`: the datagram socket to make, in a folder that is ours."""

    def __init__(self, path: Path, hung_after_s: float) -> None:
        self._path = path
        self._hung_after_s = hung_after_s
        self._beats: dict[int, float] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What children are told; empty values where nobody listens."""
        watched = self._hung_after_s > 0
        usec = str(int(self._hung_after_s * 1e6)) if watched else ""
        return {NOTIFY_SOCKET: str(self._path) if watched else "", WATCHDOG_USEC: usec}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take heartbeats on the running event loop."""
        if self._hung_after_s <= 0:
            yield
            return
        loop = asyncio.get_running_loop()
        self._path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as heard:
            heard.bind(str(self._path))
            self._path.chmod(0o600)
            loop.add_reader(heard.fileno(), self._hear, heard)
            try:
                yield
            finally:
                loop.remove_reader(heard.fileno())
                self._path.unlink(missing_ok=True)

    def _hear(self, heard: socket.socket) -> None:
        try:
            states = heard.recv(LONGEST_DATAGRAM).decode("ascii", "replace").splitlines()
        except BlockingIOError:
            return
        pid = next((state.removeprefix("MAINPID=") for state in states if state.startswith("MAINPID=")), "")
        if BEAT in states and pid.isdecimal():
            self._beats[int(pid)] = time.monotonic()

    async def hung(self, living: set[int]) -> AsyncIterator[int]:
        """The processes of `living` (kept up to date by its owner) that stopped beating; each once."""
        pause_s = self._hung_after_s / CHECKS
        while pause_s > 0:
            slept_at = time.monotonic()
            await asyncio.sleep(pause_s)
            now = time.monotonic()
            held_up = now - slept_at > 2 * pause_s
            self._beats = {pid: now if held_up else at for pid, at in self._beats.items() if pid in living}
            for pid in [pid for pid, at in self._beats.items() if now - at > self._hung_after_s]:
                del self._beats[pid]
                yield pid
