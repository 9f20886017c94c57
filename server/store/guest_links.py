"""Links of guests: rows, and those that may still be good in memory, for who cannot wait."""

from __future__ import annotations

from sqlalchemy import select, update

from server.clock import Clock
from server.domain.guests import GuestLink
from server.store.county_tables import GUEST_LINKS
from server.store.database import Database

MOST_SHOWN = 100


class GuestLinks:
    """Nobody else writes the table. `load` before `good` is asked."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[int, GuestLink] = {}

    async def load(self) -> None:
        alive = (GUEST_LINKS.c.ended_at.is_(None), GUEST_LINKS.c.until > self._clock.wall_ms())
        rows = await self._database.rows(select(GUEST_LINKS).where(*alive))
        self._known = {row.number: _link(row) for row in rows}

    def good(self, number: int) -> GuestLink | None:
        """The link of this number while it is good."""
        found = self._known.get(number)
        return found if found is not None and found.good(self._clock.wall_ms()) else None

    async def add(self, link: GuestLink) -> None:
        now = self._clock.wall_ms()
        await self._database.write(
            GUEST_LINKS.insert().values(
                number=link.number, room=link.room, lesson=link.lesson or "", label=link.label,
                made_by=link.made_by, made_at=link.made_at, until=link.until,
            )
        )  # fmt: skip
        self._known = {number: each for number, each in self._known.items() if each.good(now)}
        self._known[link.number] = link

    async def end(self, room: str, number: int) -> bool:
        """Revoked. False where the room has no such link that is good."""
        found = self.good(number)
        if found is None or found.room != room:
            return False
        del self._known[number]
        ended = update(GUEST_LINKS).where(GUEST_LINKS.c.number == number)
        await self._database.write(ended.values(ended_at=self._clock.wall_ms()))
        return True

    async def of(self, room: str) -> list[GuestLink]:
        """Of a main room, the newest first."""
        found = select(GUEST_LINKS).where(GUEST_LINKS.c.room == room)
        rows = await self._database.rows(found.order_by(GUEST_LINKS.c.made_at.desc()).limit(MOST_SHOWN))
        return [_link(row) for row in rows]


def _link(row: object) -> GuestLink:
    values = {name: getattr(row, name) for name in GuestLink.__dataclass_fields__}
    return GuestLink(**{**values, "lesson": values["lesson"] or None})
