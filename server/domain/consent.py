"""What a class's parents agreed to, and how far a recording that shows its pupils may be opened (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from server.domain.org import Organisation, UnitKind
from server.domain.visibility import Visibility


class Consent(StrEnum):
    """none < school < publishable; a class of which nothing is known has none."""

    NONE = "none"
    SCHOOL = "school"
    PUBLISHABLE = "publishable"


ALLOWS: Mapping[Consent, Visibility] = {
    Consent.NONE: Visibility.ROOM,
    Consent.SCHOOL: Visibility.SCHOOL,
    Consent.PUBLISHABLE: Visibility.PUBLIC,
}
ORDER = tuple(Visibility)
LEVELS = tuple(Consent)


def classes_of(room: str, day: date, organisation: Organisation) -> list[str]:
    """The classes that sit in a room that day."""
    return [unit.id for unit in organisation.below(room, day) if unit.kind is UnitKind.CLASS]


def most_open(
    rooms: Iterable[str], day: date, organisation: Organisation, register: Mapping[str, Consent]
) -> Visibility:
    """How far a recording may be opened whose pupils sat in these rooms: as far as every class agreed to; a
    room without a class in the register keeps it closed; without pupils nothing does."""
    levels: list[Consent] = []
    for room in rooms:
        classes = classes_of(room, day, organisation)
        levels += [register.get(each, Consent.NONE) for each in classes] or [Consent.NONE]
    least = min(levels, key=LEVELS.index, default=Consent.PUBLISHABLE)
    return ALLOWS[least]


def is_further(one: Visibility, other: Visibility) -> bool:
    """Whether `one` opens further than `other`."""
    return ORDER.index(one) > ORDER.index(other)
