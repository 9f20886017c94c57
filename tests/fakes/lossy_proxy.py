"""A UDP proxy that loses, delays, reorders and slows datagrams, the same way for the same seed.

One proxy stands before one worker; every client address gets a socket of its own behind it, so the worker
sees each as a distinct address. `rebind` gives all clients new ones, as a NAT does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import cast

Address = tuple[str, int]
UP, DOWN = "up", "down"


@dataclass(frozen=True)
class Line:
    """One direction. `loss`: share of datagrams; `jitter_s`: each is later by up to that, so they
    overtake one another; `rate_bps` 0: no limit, else at most `queue_bytes` wait (then: lost)."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: int = 0
    queue_bytes: int = 64_000


class LossyProxy(asyncio.DatagramProtocol):
    """`up` and `down` may be changed while it runs; `keep(direction, data)` False loses a datagram."""

    def __init__(self, target: Address, up: Line, down: Line, seed: int) -> None:
        self.target = target
        self.lines = {UP: up, DOWN: down}
        self.cut = False
        self.keep: Callable[[str, bytes], bool] = lambda direction, data: True
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._transport: asyncio.DatagramTransport | None = None
        self._behind: dict[Address, asyncio.DatagramTransport] = {}
        self._opening: dict[Address, list[bytes]] = {}
        self._free_at = {UP: 0.0, DOWN: 0.0}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._open_sockets = 0
        self._all_closed = asyncio.Event()

    @property
    def address(self) -> Address:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def rebind(self) -> None:
        """The next datagram of every client comes to the worker from a new address."""
        for transport in self._behind.values():
            transport.close()
        self._behind.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed()

    def opened(self) -> None:
        self._open_sockets += 1

    def closed(self) -> None:
        self._open_sockets -= 1
        if self._open_sockets == 0:
            self._all_closed.set()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._pass(UP, data, lambda: self._forward(addr, data))

    def back(self, data: bytes, client: Address) -> None:
        """A datagram of the worker for one client."""
        self._pass(DOWN, data, lambda: self._send(self._transport, data, client))

    def _pass(self, direction: str, data: bytes, send: Callable[[], None]) -> None:
        line, loop = self.lines[direction], asyncio.get_running_loop()
        self.counts[direction] += 1
        lost = self._random.random() < line.loss
        late = line.delay_s + self._random.random() * line.jitter_s
        if self.cut or lost or not self.keep(direction, data):
            self.counts[f"{direction}_lost"] += 1
            return
        if line.rate_bps:
            begins = max(loop.time(), self._free_at[direction])
            if (begins - loop.time()) * line.rate_bps / 8 > line.queue_bytes:
                self.counts[f"{direction}_overflow"] += 1
                return
            self._free_at[direction] = begins + len(data) * 8 / line.rate_bps
            late += self._free_at[direction] - loop.time()
        if late > 0:
            loop.call_later(late, send)
        else:
            send()

    def _forward(self, client: Address, data: bytes) -> None:
        behind = self._behind.get(client)
        if behind is not None:
            self._send(behind, data)
        elif client in self._opening:
            self._opening[client].append(data)
        elif not self._closed:
            self._opening[client] = [data]
            task = asyncio.get_running_loop().create_task(self._open(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, client: Address) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Behind(self, client), remote_addr=self.target
        )
        self._behind[client] = transport
        for data in self._opening.pop(client):
            self._send(transport, data)

    @staticmethod
    def _send(
        transport: asyncio.DatagramTransport | None, data: bytes, address: Address | None = None
    ) -> None:
        if transport is not None and not transport.is_closing():
            transport.sendto(data, address)

    async def close(self) -> None:
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        self.rebind()
        if self._transport is not None:
            self._transport.close()
        await self._all_closed.wait()


class _Behind(asyncio.DatagramProtocol):
    def __init__(self, proxy: LossyProxy, client: Address) -> None:
        self._proxy = proxy
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._proxy.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.closed()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._proxy.back(data, self._client)

    def error_received(self, exc: Exception) -> None:
        """The worker is gone for now: datagrams get lost, as on any line."""


@contextlib.asynccontextmanager
async def lossy_proxy(
    target: Address, *, up: Line | None = None, down: Line | None = None, seed: int = 1
) -> AsyncIterator[LossyProxy]:
    """A proxy before `target` on a free port of 127.0.0.1."""
    _, proxy = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: LossyProxy(target, up or Line(), down or Line(), seed), local_addr=("127.0.0.1", 0)
    )
    try:
        yield proxy
    finally:
        await proxy.close()
