"""Answers that are kept, at most so many: for some seconds, or until the tables they were made of change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from sqlalchemy import Table

from server.clock import Clock
from server.store.database import Database

T = TypeVar("T")


class Remembered(Generic[T]):
    """`for_s`: how old an answer may be; what is asked twice at once is made once. Beyond `most` answers all
    are forgotten."""

    def __init__(self, clock: Clock, for_s: float, most: int) -> None:
        self._clock, self._for_s, self._most = clock, for_s, most
        self._kept: dict[Hashable, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, asked: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """As it was made, else made now by `make`, whose errors are not kept."""
        now = self._clock.monotonic()
        until, making = self._kept.get(asked, (0.0, None))
        if making is None or now >= until or (making.done() and not _went_well(making)):
            if len(self._kept) >= self._most:
                self._kept.clear()
            making = asyncio.create_task(make(), name="remembered answer")
            self._kept[asked] = (now + self._for_s, making)
        return await asyncio.shield(making)

    def forget(self) -> None:
        """What was asked about has changed."""
        self._kept.clear()


def _went_well(made: asyncio.Task[Any]) -> bool:
    return not made.cancelled() and made.exception() is None


class Kept(Generic[T]):
    """True until one of `tables` changes; what is asked twice at once is made once. Beyond `most` answers the
    oldest is forgotten."""

    def __init__(self, database: Database, tables: tuple[Table, ...], most: int) -> None:
        self._database, self._tables, self._most = database, tables, most
        self._kept: dict[Hashable, tuple[tuple[int, ...], T]] = {}
        self._making: dict[tuple[Hashable, tuple[int, ...]], asyncio.Task[T]] = {}

    async def get(self, asked: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """As it was made, else made now by `make`, whose errors are not kept."""
        mark = self._database.mark(*self._tables)
        found = self._kept.get(asked)
        if found is not None and found[0] == mark:
            return found[1]
        making = self._making.get((asked, mark))
        if making is None:
            making = asyncio.create_task(self._made(asked, mark, make), name="kept answer")
            self._making[asked, mark] = making
            making.add_done_callback(lambda _: self._making.pop((asked, mark), None))
        return await asyncio.shield(making)

    async def _made(self, asked: Hashable, mark: tuple[int, ...], make: Callable[[], Awaitable[T]]) -> T:
        answer = await make()
        self._kept.pop(asked, None)
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[asked] = (mark, answer)
        return answer
