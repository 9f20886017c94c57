"""Which lessons of the library fit a query: their numbers in order, page by page, and how many there are.

Many ask the same at once, so answers are kept until the catalogue changes. A whole county is walked in the
order of an index; where only few lessons can fit, all of them are read by their rooms and every page is
cut from that.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from typing import Any

from sqlalchemy import Select

from server.clock import Clock
from server.store import listing
from server.store.database import Database
from server.store.holdings import Holdings
from server.store.library_records import LibraryQuery, LibrarySort
from server.store.remembered import Kept, Remembered
from server.store.search_index import found_by
from server.store.searching import Term
from server.store.tables import CATALOGUE, WATCHED
from server.store.timetable_tables import BOOKINGS

FEW = 4_000
"""So few are sorted rather than looked for in their order."""
KEPT_S = 10.0
"""How old a count may be; what is listed is never old."""
MOST_KEPT = 256

Numbers = Sequence[int]


class Finding:
    """Queries over the store's database; `holdings`: what there is of each kind."""

    def __init__(self, database: Database, clock: Clock, holdings: Holdings) -> None:
        self._database = database
        self._holdings = holdings
        self._pages: Kept[Numbers] = Kept(database, (CATALOGUE, BOOKINGS), MOST_KEPT)
        self._seen: Kept[Numbers] = Kept(database, (CATALOGUE, BOOKINGS, WATCHED), MOST_KEPT)
        self._counts: Remembered[int] = Remembered(clock, KEPT_S, MOST_KEPT)

    def forget(self) -> None:
        """What lessons are about has changed: counts are made anew."""
        self._counts.forget()

    async def find(self, query: LibraryQuery, terms: Sequence[Term]) -> tuple[Numbers, int]:
        """The numbers of one page, and how many lessons there are in all. `terms`: what they have to hold."""
        matching = found_by(terms, sqlite=self._database.is_sqlite) if terms else None
        asked, held = _asked(query, terms), await self._holdings.held(query)
        if held is not None and held.lessons < FEW:
            if not held.lessons:
                return (), 0
            fitting = listing.whole(query, matching, held.rooms)
            whole = await self._pages.get(asked, lambda: self._numbers(fitting))
            return whole[query.offset : query.offset + query.limit], len(whole)
        if held is not None and not terms:
            total = held.lessons
            if query.offset >= total:
                return (), total
        else:
            counted = listing.count(query, matching)
            total = await self._counts.get(asked, lambda: self._count(counted))
        page, place = listing.page(query, matching), (asked, query.offset, query.limit)
        kept = self._seen if query.sort is LibrarySort.WATCHED else self._pages
        return await kept.get(place, lambda: self._numbers(page)), total

    async def _numbers(self, asked: Select[Any]) -> Numbers:
        return array("q", (row.number for row in await self._database.rows(asked)))

    async def _count(self, asked: Select[Any]) -> int:
        return int((await self._database.rows(asked))[0][0])


def _asked(query: LibraryQuery, terms: Sequence[Term]) -> Hashable:
    """The query without its page; whoever asks the same is told the same."""
    words = tuple((name, values) for name, values in sorted(query.words.items()) if values)
    viewer = query.viewer if query.sort is LibrarySort.WATCHED else ""
    return (
        viewer, query.reach, query.owned, tuple(terms), words, query.rooms, query.series, query.states,
        query.from_ms, query.to_ms, query.sort,
    )  # fmt: skip
