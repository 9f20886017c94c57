"""What may be missing from a recording after processes died, and what is: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from recorder.archive.manifest import GapCause, Manifest, Track
from tests.chaos.sent import Name, Sent

RECORDER, CAMPUS, WORKER, PUBLISHER, ALL = "recorder", "server.app", "server.media", "recorder.publish", "all"
IN_FLIGHT_S = 0.5
"""A worker that dies takes with it what it had not yet read, or the recorder not yet journalled."""
GRACE_S = 1.0
"""What a new connection may lose until it is tapped and its keyframe is there."""
LAST_S = 1.5
"""So much may be missing where the lesson ends: a connection ends before its last packets are there."""
SOUND_S = 0.02
AWAY_S = 8.0
"""A recorder that died less than this before the worker may not have read the ring again: it died too."""


class Death(NamedTuple):
    at: float  # wall clock
    victim: str


class Outage(NamedTuple):
    """No media could come: from a worker's death until the studio sends again by a new connection."""

    victim: str
    start: float
    end: float


@dataclass
class Verdict:
    outages: list[Outage] = field(default_factory=list)
    holes: list[tuple[str, float, float, str]] = field(default_factory=list)  # track, start, seconds, cause
    faults: list[str] = field(default_factory=list)


def sends_again(deaths: Sequence[Death], sent: Sequence[Sent]) -> float:
    """When the studio first sent by a connection that no death of a worker ended; inf where it has not."""
    last = max((death.at for death in deaths if death.victim in (WORKER, ALL)), default=float("-inf"))
    return min((at for at in _begun(sent) if at > last), default=float("inf"))


def _begun(sent: Sequence[Sent]) -> list[float]:
    """When each SSRC was first sent: a connection has its own."""
    first: dict[int, float] = {}
    for packet in sent:
        first.setdefault(packet.name[0], packet.at)
    return list(first.values())


def outages(deaths: Sequence[Death], sent: Sequence[Sent], kept: frozenset[Name]) -> list[Outage]:
    """One for each death of the worker."""
    begun, found = _begun(sent), []
    for death in deaths:
        if death.victim not in (WORKER, ALL):
            continue
        back = min((at for at in begun if at > death.at), default=float("inf"))
        then = [d.at for d in deaths if d.victim != PUBLISHER and death.at < d.at < back + GRACE_S]
        if then:  # who was to take the new connection up died as it came
            after = max(back, *then)
            back = min((p.at for p in sent if p.at > after and p.name in kept), default=float("inf"))
        before = [
            d.at
            for d in deaths
            if d.victim in (RECORDER, ALL)
            and 0 < death.at - d.at < AWAY_S
            and not any(d.at < p.at < death.at - IN_FLIGHT_S and p.name in kept for p in sent)
        ]
        found.append(Outage(death.victim, min([death.at, *before]), back))
    return found


def judge(
    made: Manifest,
    deaths: Sequence[Death],
    sent: Sequence[Sent],
    kept: Mapping[str, set[Name]],
    span: tuple[float, float],
) -> Verdict:
    """`kept`: by codec, what the journal holds; `span`: from when to when everything is looked at."""
    every = frozenset(name for names in kept.values() for name in names)
    verdict = Verdict(outages(deaths, sent, every))
    verdict.faults += _lost(sent, every, verdict.outages, span)
    verdict.faults += ["never back" for one in verdict.outages if one.end == float("inf")][:1]
    zero = datetime.fromisoformat(made.zero_at).timestamp()
    for track in made.tracks:
        verdict.faults += _holes(track, zero, verdict, made.seconds)
    sounds = kept.get("opus", set())
    verdict.faults += _unplayed(made, len(sounds), _unsent_s(sent, sounds))
    if made.verdict is None or not made.verdict.whole:
        verdict.faults.append(f"not whole: {made.verdict}")
    return verdict


def _lost(
    sent: Sequence[Sent], kept: frozenset[Name], windows: Sequence[Outage], span: tuple[float, float]
) -> list[str]:
    """Packets that were sent outside of every outage and are not in the journal."""
    media = {packet.kind for packet in sent if packet.name in kept}  # the others are repairs
    lost = [
        packet.at
        for packet in sent
        if packet.kind in media
        and packet.name not in kept
        and span[0] < packet.at < span[1]
        and not any(w.start - IN_FLIGHT_S < packet.at < w.end + GRACE_S for w in windows)
    ]
    return [f"{len(lost)} packets lost, {lost[0]:.2f} to {lost[-1]:.2f}"] if lost else []


def _holes(track: Track, zero: float, verdict: Verdict, seconds: float) -> list[str]:
    """Holes of a track that no outage explains."""
    faults = []
    for gap in track.gaps:
        long = gap.end_s - gap.start_s
        at_the_end = gap.end_s > seconds - 0.5 and long < LAST_S
        if gap.cause is GapCause.NOT_STARTED or at_the_end:
            continue
        verdict.holes.append((track.name, gap.start_s, round(long, 2), str(gap.cause)))
        inside = [
            w
            for w in verdict.outages
            if zero + gap.start_s < w.end + GRACE_S and w.start - IN_FLIGHT_S < zero + gap.end_s
        ]
        allowed = sum(w.end - w.start + GRACE_S for w in inside)
        if long > allowed:
            faults.append(f"{track.name}: a hole of {long:.2f} s at {gap.start_s:.2f}, {allowed:.2f} allowed")
    return faults


def _unsent_s(sent: Sequence[Sent], sounds: set[Name]) -> float:
    """How much less sound the studio sent than time went by: a machine without time makes pauses, and a
    silence without a lost packet is the source's own, not listed below a second."""
    kinds = {packet.kind for packet in sent if packet.name in sounds}
    by_ssrc: dict[int, list[float]] = {}
    for packet in sent:
        if packet.kind in kinds:
            by_ssrc.setdefault(packet.name[0], []).append(packet.at)
    return sum(max(at[-1] - at[0] - SOUND_S * (len(at) - 1), 0.0) for at in by_ssrc.values())


def _unplayed(made: Manifest, kept: int, unsent_s: float) -> list[str]:
    """Sound that is in the journal and not in the recording, and silence that is not listed."""
    voice = next(track for track in made.tracks if track.name == "voice")
    played = voice.samples - voice.filled + voice.dropped
    listed = sum(gap.end_s - gap.start_s for gap in voice.gaps)
    silent = voice.filled * SOUND_S
    faults = [f"{kept - played} of {kept} sounds are not played"] if kept - played > 5 else []
    if silent > listed + unsent_s + 0.1 * len(voice.gaps) + 0.3:
        faults.append(f"{silent:.2f} s of silence, {listed:.2f} s listed, {unsent_s:.2f} s not sent")
    return faults
