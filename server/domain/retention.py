"""How long recordings are kept. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

DAY_MS = 24 * 3600 * 1000


class KeptAs(StrEnum):
    """The class of a recording: what decides how long it stays."""

    ORDINARY = "ordinary"  # the lesson of every day
    MODEL = "model"  # a model lesson: quality resource, competition
    TRIAL = "trial"  # a test or rehearsal


class Days(Protocol):
    """Days by class; 0: for ever (`server.config.Retention`)."""

    @property
    def ordinary_days(self) -> int: ...

    @property
    def model_days(self) -> int: ...

    @property
    def trial_days(self) -> int: ...


def days_of(kept_as: str, days: Days) -> int:
    """How long this class is kept, 0: for ever. One that is not known is kept for ever."""
    kept = {
        KeptAs.ORDINARY: days.ordinary_days,
        KeptAs.MODEL: days.model_days,
        KeptAs.TRIAL: days.trial_days,
    }
    return next((kept[name] for name in KeptAs if name == kept_as), 0)


def expires_at(ended_at: int, kept_as: str, days: Days) -> int | None:
    """When it may be deleted (ms since 1970), None for never."""
    most = days_of(kept_as, days)
    return ended_at + most * DAY_MS if most > 0 else None


def ended_before(now: int, days: Days) -> dict[str, int]:
    """For each class that is not kept for ever: what ended then or earlier is over (ms since 1970)."""
    kept = {name.value: days_of(name, days) for name in KeptAs}
    return {name: now - most * DAY_MS for name, most in kept.items() if most > 0}
