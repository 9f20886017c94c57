"""What a drill measured, and what a teacher would notice in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from recorder.archive.published import RenditionKind
from server.drill.watching import Seen

FREEZE_S = 0.5  # a picture that stands longer is noticed
JOIN_MOST_S = 3.0
FIRST_FRAME_MOST_S = 5.0
BACK_MOST_S = 6.0  # from the line's return to the picture's
CALL_HEARD_MOST_S = 1.0
LATENCY_MOST_MS = 600.0
RECEIVED_LEAST = 0.9  # of the seconds in which a room was plugged in
LOST_MOST = 0.05  # of the pictures that were sent meanwhile
READY_MOST_S = 5.0
RECORDED_LEAST = 0.9  # of the lesson's seconds
DISTINCT_LEAST = 0.85  # of the camera's pictures
OFFSET_MOST_MS = 60.0  # sound against picture
LENGTH_MOST_S = 0.5  # a derived file against the recording


class PointFigures(msgspec.Struct, frozen=True):
    """One receiving room. Seconds from its knock: `joined_s` to media connected, `first_frame_s` to the
    first picture. `received_s`: whole seconds in which pictures came; `freezes`: see `count_freezes`, while
    plugged in; `lost`: sent pictures it never saw while plugged in; `back_after_s`: from the
    line's return to the next picture, None where it was not cut."""

    name: str
    joined_s: float | None
    first_frame_s: float | None
    received_s: float
    freezes: int
    lost: int
    back_after_s: float | None = None


class RecordingFigures(msgspec.Struct, frozen=True):
    """The camera's file, read back: `ready_after_s` from End to playable; `distinct_ratio`: of the
    numbers between its first and last, None where pictures bear none; `gaps`: listed in its manifest."""

    ready_after_s: float | None
    seconds: float
    distinct_ratio: float | None
    av_offset_ms: float | None
    gaps: int
    path: str


class RenditionFigures(msgspec.Struct, frozen=True):
    """A derived file, read back: pictures, seconds, distinct numbers (None: they bear none), sound against
    picture."""

    kind: RenditionKind
    frames: int
    seconds: float
    distinct_ratio: float | None
    av_offset_ms: float | None


class PublishedFigures(msgspec.Struct, frozen=True):
    """What was made after class: after how long all of it was there; the camera's own pictures and seconds
    to compare with; each file."""

    took_s: float
    recorded_frames: int
    recorded_s: float
    renditions: list[RenditionFigures]


class DrillFigures(msgspec.Struct, frozen=True):
    """What `lianke drill --json` prints. `latency_ms_median`: from a picture's handing to the main
    room's encoder to its decoding in a room, over all rooms; `call_heard_s`: from the call to the
    called room's tone in another room (or the studio). `ok`: there is nothing a teacher would notice."""

    ok: bool
    points: list[PointFigures]
    latency_ms_median: float | None
    call_heard_s: float | None
    recording: RecordingFigures | None
    published: PublishedFigures | None = None


class Watched(msgspec.Struct, frozen=True):
    """The span in which a room was to see the lesson, and the span in which its line was cut."""

    begin: float
    end: float
    cut: tuple[float, float] | None = None

    def plugged_in(self) -> list[tuple[float, float]]:
        if self.cut is None:
            return [(self.begin, self.end)]
        return [(self.begin, self.cut[0]), (self.cut[1], self.end)]


def seconds_received(seen: Iterable[Seen]) -> float:
    """Whole seconds with at least one picture."""
    return float(len({int(one.at) for one in seen}))


def count_freezes(seen: Sequence[Seen], sent_at: dict[int, float], span: tuple[float, float]) -> int:
    """Pictures within the span that stood over FREEZE_S longer than the main room itself let them stand."""
    order = sorted(sent_at)
    next_sent = dict(pairwise(order))
    freezes = 0
    for before, after in pairwise(one for one in seen if span[0] <= one.at <= span[1]):
        follower = next_sent.get(before.number)
        own = sent_at[follower] - sent_at[before.number] if follower is not None else 0.0
        freezes += after.at - before.at - own > FREEZE_S
    return freezes


def count_lost(seen: Sequence[Seen], sent_at: dict[int, float], span: tuple[float, float]) -> int:
    """Sent pictures, between the first and the last that came within the span, which never came."""
    numbers = {one.number for one in seen if span[0] <= one.at <= span[1]}
    if not numbers:
        return sum(span[0] <= at <= span[1] for at in sent_at.values())
    first, last = min(numbers), max(numbers)
    return sum(first <= number <= last and number not in numbers for number in sent_at)


def latencies_ms(seen: Iterable[Seen], sent_at: dict[int, float]) -> list[float]:
    """From the encoder's door to the decoded picture, for each picture known on both sides."""
    return [(one.at - sent_at[one.number]) * 1000 for one in seen if one.number in sent_at]


def notice(
    points: Sequence[PointFigures],
    watched: Sequence[Watched],
    sent: int,
    seconds: float,
    latency_ms: float | None,
    call_heard_s: float | None,
    recording: RecordingFigures | None,
    published: PublishedFigures | None = None,
    *,
    numbered: bool = True,
) -> list[str]:
    """What a teacher, or a child in the last row, would notice; empty where all is well. `numbered` False: a
    real device's pictures, of which neither delay nor step is known."""
    found = [
        f"{p.name}: {fault}" for p, w in zip(points, watched, strict=True) for fault in _point(p, w, sent)
    ]
    if numbered and (latency_ms is None or latency_ms > LATENCY_MOST_MS):
        found.append(f"picture late by: {_told(latency_ms, 'ms')}")
    if call_heard_s is None or call_heard_s > CALL_HEARD_MOST_S:
        found.append(f"called room heard after: {_told(call_heard_s, 's')}")
    return found + _recording(recording, seconds) + _published(published)


def _point(point: PointFigures, watched: Watched, sent: int) -> list[str]:
    plugged = sum(end - begin for begin, end in watched.plugged_in())
    faults = []
    if point.joined_s is None or point.joined_s > JOIN_MOST_S:
        faults.append(f"joined after: {_told(point.joined_s, 's')}")
    if point.first_frame_s is None or point.first_frame_s > FIRST_FRAME_MOST_S:
        faults.append(f"first picture after: {_told(point.first_frame_s, 's')}")
    if point.received_s < RECEIVED_LEAST * plugged - 1:
        faults.append(f"pictures in {point.received_s:.0f} of {plugged:.0f} s")
    if point.freezes:
        faults.append(f"{point.freezes} freezes")
    if point.lost > LOST_MOST * sent:
        faults.append(f"{point.lost} pictures lost")
    if watched.cut is not None and (point.back_after_s is None or point.back_after_s > BACK_MOST_S):
        faults.append(f"back after: {_told(point.back_after_s, 's')}")
    return faults


def _recording(recording: RecordingFigures | None, seconds: float) -> list[str]:
    if recording is None:
        return ["there is no recording"]
    faults = []
    if recording.ready_after_s is None or recording.ready_after_s > READY_MOST_S:
        faults.append(f"replay ready after: {_told(recording.ready_after_s, 's')}")
    if recording.seconds < RECORDED_LEAST * seconds - 1:
        faults.append(f"{recording.seconds:.1f} of {seconds:.1f} s recorded")
    if recording.distinct_ratio is None:
        return faults
    if recording.distinct_ratio < DISTINCT_LEAST:
        faults.append(f"{recording.distinct_ratio:.0%} of the pictures recorded")
    if recording.av_offset_ms is None or abs(recording.av_offset_ms) > OFFSET_MOST_MS:
        faults.append(f"recorded sound late by: {_told(recording.av_offset_ms, 'ms')}")
    return faults


def _published(published: PublishedFigures | None) -> list[str]:
    """A rendition has every recorded picture, the film keeps the time; both are in step with the sound."""
    if published is None:
        return ["nothing was made of the recording"]
    faults = []
    for made in published.renditions:
        if abs(made.seconds - published.recorded_s) > LENGTH_MOST_S:
            faults.append(f"{made.kind}: {made.seconds:.1f} of {published.recorded_s:.1f} s")
        if made.kind in (RenditionKind.HIGH, RenditionKind.LOW) and made.frames != published.recorded_frames:
            faults.append(f"{made.kind}: {made.frames} of {published.recorded_frames} pictures")
        if made.distinct_ratio is None:
            continue
        if made.distinct_ratio < DISTINCT_LEAST:
            faults.append(f"{made.kind}: {made.distinct_ratio:.0%} of the pictures")
        if made.kind is not RenditionKind.SOUND and (
            made.av_offset_ms is None or abs(made.av_offset_ms) > OFFSET_MOST_MS
        ):
            faults.append(f"{made.kind}: sound late by {_told(made.av_offset_ms, 'ms')}")
    return faults


def _told(value: float | None, unit: str) -> str:
    return "not at all" if value is None else f"{value:.2f} {unit}"
