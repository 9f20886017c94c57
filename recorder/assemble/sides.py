"""Where the holes of a recording come from: one look over all tracks. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from recorder.archive.manifest import Gap, GapCause, Side, Track
from recorder.contract import Subject

OF_ROOMS = (Subject.PUPILS, Subject.PUPILS_VOICE)
TOGETHER = 0.8
"""Tracks of a room that are missing for so much of a hole were missing together."""


def with_sides(tracks: Sequence[Track]) -> list[Track]:
    """The same tracks; each of their holes says on which side it was made."""
    return [
        msgspec.structs.replace(
            track, gaps=[msgspec.structs.replace(gap, side=_side(gap, track, tracks)) for gap in track.gaps]
        )
        for track in tracks
    ]


def _side(gap: Gap, track: Track, tracks: Sequence[Track]) -> Side:
    if gap.cause is GapCause.SERVER:
        return Side.SERVER
    if gap.cause in (GapCause.PAUSED, GapCause.NOT_STARTED, GapCause.UNPLAYABLE):
        return Side.MAIN_ROOM if gap.cause is GapCause.PAUSED else Side.UNKNOWN
    if track.subject not in OF_ROOMS:
        return Side.MAIN_ROOM
    others = [other for other in tracks if other.room == track.room and other.name != track.name]
    missing = [_missing_s(gap, other) >= TOGETHER * (gap.end_s - gap.start_s) for other in others]
    if not missing:
        return Side.UNKNOWN
    return Side.POINT_LINE if all(missing) else Side.POINT_DEVICE


def _missing_s(gap: Gap, other: Track) -> float:
    """How much of the hole the other track is missing too."""
    shared = (min(gap.end_s, one.end_s) - max(gap.start_s, one.start_s) for one in other.gaps)
    return sum(seconds for seconds in shared if seconds > 0)
