"""An event loop whose time jumps to the next timer as soon as nothing else is left to do.

Sockets and threads are real: as long as a socket has something to read, a task is ready or a thread works for
us, time stands still. So a week of lessons passes in minutes, and in the same order every time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")

THREAD_PATIENCE_S = 0.05
"""How long a look at the sockets may last while a thread works; its end wakes the loop at once."""


class _Jumping(selectors.EpollSelector):
    """Waits for nothing but what is under way: a wait until a timer is a jump of `now`."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        super().__init__()
        self.now = 0.0
        self._busy = busy

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._busy():
            return super().select(THREAD_PATIENCE_S)
        self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`busy`: whether a thread that this loop did not start works for it (a database's connection)."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._in_threads = 0
        self._jumping = _Jumping(lambda: self._in_threads > 0 or busy())
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[Ts]], Any],
        *args: *Ts,
    ) -> asyncio.Future[Any]:
        self._in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._out_of_thread)
        return future

    def _out_of_thread(self, _: object) -> None:
        self._in_threads -= 1


class VirtualClock:
    """The clock of `server.clock` on that loop; `began_at`: milliseconds since 1970 at its time 0."""

    def __init__(self, loop: asyncio.AbstractEventLoop, began_at: int) -> None:
        self._loop, self._began_at = loop, began_at

    def wall_ms(self) -> int:
        return self._began_at + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()
