"""The consent register of classes and the approvals of public recordings; every change stays as a row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from server.clock import Clock
from server.domain.consent import Consent
from server.errors import UserFault
from server.store.county_tables import APPROVALS, CONSENTS
from server.store.database import Database, upsert


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    unit: str
    level: Consent
    at: int
    actor: str
    note: str
    version: int


class StaleConsent(UserFault):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "stale_version",
            zh="别人刚刚登记过这个班的同意。请刷新后看清新的内容再改。",
            en="Somebody else entered this class's consent meanwhile. Load it again before you change it.",
        )


class Consents:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def register(self) -> dict[str, ConsentEntry]:
        """What counts now, by class."""
        newest = select(func.max(CONSENTS.c.number)).group_by(CONSENTS.c.unit)
        rows = await self._database.rows(select(CONSENTS).where(CONSENTS.c.number.in_(newest)))
        return {r.unit: ConsentEntry(r.unit, Consent(r.level), r.at, r.actor, r.note, r.number) for r in rows}

    async def put(self, unit: str, level: Consent, actor: str, note: str, version: int) -> int:
        """`version`: of the entry that its author saw, 0 where there was none; the new one. StaleConsent."""
        values = {"unit": unit, "level": level.value, "at": self._clock.wall_ms(), "actor": actor}
        newest = select(func.max(CONSENTS.c.number)).where(CONSENTS.c.unit == unit)
        async with self._database.writing() as connection:
            if ((await connection.execute(newest)).scalar() or 0) != version:
                raise StaleConsent
            await connection.execute(CONSENTS.insert().values(**values, note=note))
            return int((await connection.execute(newest)).scalar_one())

    async def ask_public(self, lesson: str, actor: str) -> None:
        """The first of two asks; an earlier asking is forgotten."""
        values = {
            "asked_by": actor,
            "asked_at": self._clock.wall_ms(),
            "approved_by": "",
            "approved_at": None,
        }
        await self._database.write(upsert(APPROVALS, "lesson", lesson=lesson, **values))

    async def asked_public(self, lesson: str) -> str | None:
        """Who asked and waits for a second; None where nobody does."""
        asked = select(APPROVALS.c.asked_by).where(
            APPROVALS.c.lesson == lesson, APPROVALS.c.approved_by == ""
        )
        row = await self._database.row(asked)
        return None if row is None else str(row.asked_by)

    async def approve_public(self, lesson: str, actor: str) -> None:
        values = {"approved_by": actor, "approved_at": self._clock.wall_ms()}
        await self._database.write(update(APPROVALS).where(APPROVALS.c.lesson == lesson).values(**values))

    async def forget_public(self, lesson: str) -> None:
        await self._database.write(delete(APPROVALS).where(APPROVALS.c.lesson == lesson))
