"""The clock of all outlets: one thread a process that sends what is due, however many sources there are.

A thread for each source, woken for each picture and each sound, cost more than the sending itself. What is
due within half a tick goes with what is due now; so each goes out at most that much before or after its time.
Also what is late waits for the tick: sent by the thread that pulled it, it cost the two a lock, and each a
look at what is due for every packet.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

TICK_S = 0.01

_log = logging.getLogger("lianke.ingest")


@dataclass(slots=True)
class Ticker:
    """`each` of what it serves is called once a tick, with the time. Its thread lives while it serves any."""

    _served: tuple[Callable[[float], None], ...] = ()
    _broken: tuple[Callable[[float], None], ...] = ()  # of these, those that have failed
    _runs: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def serving(self, each: Callable[[float], None]) -> Iterator[None]:
        """Call it until the end of the block, and not after that."""
        with self._turn:
            self._served = (*self._served, each)
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="pace", daemon=True).start()
        try:
            yield
        finally:
            self._leave(each)

    def _leave(self, each: Callable[[float], None]) -> None:
        with self._turn:
            self._served = tuple(one for one in self._served if one is not each)
            self._broken = tuple(one for one in self._broken if one is not each)

    def _call(self, each: Callable[[float], None], now: float) -> None:
        try:
            each(now)
        except Exception:  # noqa: BLE001 - one source's sending is broken, the others' clock goes on
            if each not in self._broken:
                _log.exception("a source could not send at its tick; it is tried again, and not told again")
                self._broken = (*self._broken, each)

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            with self._turn:
                if not self._served:
                    self._runs = False
                    return
                for each in self._served:
                    self._call(each, now)
            time.sleep(TICK_S - time.monotonic() % TICK_S)
