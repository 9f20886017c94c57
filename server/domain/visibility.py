"""Who may watch a recording besides its main room and the admin: closed unless somebody opened it (pure)."""

from __future__ import annotations

from enum import StrEnum


class Visibility(StrEnum):
    """room < county. Nothing here is public: that needs two people and a consent register."""

    ROOM = "room"  # the main room's teacher
    COUNTY = "county"  # the teachers of every main room of this installation


def is_shared(visibility: Visibility) -> bool:
    """Whether teachers of other main rooms may watch."""
    return visibility is Visibility.COUNTY
