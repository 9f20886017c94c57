"""What a receiving room really received, second by second, and whose fault it is that it was not more. Pure.

`see` reads the first row that holds of what is known of a room; `Timeline` makes spans of that: they cover
the time from the first observation to the last without overlap. `now` is milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from server.domain.seats import DECODED_WITHIN_MS, SILENT_MS, Facts
from server.protocol.parameters import Road

MOST_SPANS = 2_000
"""Of one room in one lesson; a line that flaps more often is told in longer spans."""


class Kind(StrEnum):
    """What came."""

    PICTURE = "picture"  # with the sound that was sent
    SOUND = "sound"  # without the picture
    SILENT = "silent"  # picture without the sound that was sent
    BROADCAST = "broadcast"  # the live recording, some seconds late
    HOLE = "hole"


class Side(StrEnum):
    """Whose fault it is. Holes of the main room and of the server never count against the room."""

    NONE = ""
    MAIN_ROOM = "main_room"
    LINE = "line"
    DEVICE = "device"
    SERVER = "server"
    UNKNOWN = "unknown"


OTHERS = frozenset({Side.MAIN_ROOM, Side.SERVER})
"""What was theirs stays theirs: nothing that a room is found to lack later reaches back into it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation; `since`: when it became so, where that is known better than now."""

    kind: Kind
    side: Side = Side.NONE
    cause: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What is known beside the tile's facts. `silent`: its line fell silent, no goodbye came; `arriving`:
    packets came with its last report."""

    main_away_since: int | None = None
    main_sends: bool = True
    main_silent_since: int | None = None
    worker: bool = True
    silent: bool = False
    left_at: int | None = None
    arriving: bool = False
    road: Road | None = None


def see(facts: Facts, around: Around, now: int) -> Seen:
    """The first that holds of: the main room, the server, the room's presence, its media, its senses."""
    if around.main_away_since is not None:
        return Seen(Kind.HOLE, Side.MAIN_ROOM, "main_away", around.main_away_since)
    if not around.worker:
        return Seen(Kind.HOLE, Side.SERVER, "no_worker")
    if not facts.present:
        return _absent(facts, around)
    if not facts.media_up or facts.reported_at is None:
        joining = facts.joined_at is not None and now - facts.joined_at < 10_000
        side = Side.UNKNOWN if joining else Side.LINE
        return Seen(Kind.HOLE, side, "joining" if joining else "media_not_connected", facts.joined_at)
    if now - facts.reported_at > SILENT_MS:
        return Seen(Kind.HOLE, Side.LINE, "not_heard", facts.reported_at)
    if not around.main_sends:
        return Seen(Kind.HOLE, Side.MAIN_ROOM, "nothing_sent", around.main_silent_since)
    return _senses(facts, around, now)


def _absent(facts: Facts, around: Around) -> Seen:
    if not facts.was_here:
        return Seen(Kind.HOLE, Side.UNKNOWN, "never_came")
    if around.silent:
        return Seen(Kind.HOLE, Side.LINE, "line_cut", facts.reported_at or around.left_at)
    return Seen(Kind.HOLE, Side.DEVICE, "page_closed", around.left_at)


def _senses(facts: Facts, around: Around, now: int) -> Seen:
    seen = facts.decoded_at is not None and now - facts.decoded_at <= DECODED_WITHIN_MS
    heard = facts.sounded_at is not None and now - facts.sounded_at <= DECODED_WITHIN_MS
    if around.road is Road.HLS and (seen or heard):
        return Seen(Kind.BROADCAST, Side.LINE, "hls")
    if seen and (heard or facts.sound_due is None):
        return Seen(Kind.PICTURE)
    if heard:
        return _pictureless(facts, around)
    lost = Side.DEVICE if around.arriving else Side.LINE
    if seen:
        cause = "sound_blocked" if facts.sound_blocked else "sound_not_playing"
        side = Side.DEVICE if facts.sound_blocked else lost
        return Seen(Kind.SILENT, side, cause, facts.sounded_at)
    last = max(facts.decoded_at or 0, facts.sounded_at or 0) or None
    return Seen(Kind.HOLE, lost, "nothing_decoded", last)


def _pictureless(facts: Facts, around: Around) -> Seen:
    if facts.held_since is not None:  # first: what is held is not due either
        return Seen(Kind.SOUND, Side.LINE, "held", facts.held_since)
    if facts.picture_due is None:
        return Seen(Kind.SOUND, Side.MAIN_ROOM, "no_picture_sent")
    if facts.codec_missing:
        return Seen(Kind.SOUND, Side.DEVICE, "codec_missing")
    side = Side.DEVICE if around.arriving else Side.LINE
    return Seen(Kind.SOUND, side, "picture_not_decoded", facts.decoded_at)


@dataclass(frozen=True, slots=True)
class Span:
    """`delay_ms`, `height`: the last told; the others are sums."""

    since: int
    until: int
    kind: Kind
    side: Side = Side.NONE
    cause: str = ""
    freeze_ms: int = 0
    concealed_ms: int = 0
    delay_ms: int = 0
    height: int = 0

    @property
    def ms(self) -> int:
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Reception:
    """One room in one lesson: spans in their order, and sums that no span has."""

    room: str
    spans: tuple[Span, ...]
    heads: int | None
    talk_ms: int

    @property
    def here(self) -> tuple[int, int] | None:
        """From the first joining to the last leaving; None: it never came."""
        came = [span for span in self.spans if span.kind is not Kind.HOLE]
        return (came[0].since, came[-1].until) if came else None

    def ms(self, *kinds: Kind) -> int:
        return sum(span.ms for span in self.spans if span.kind in kinds)


@dataclass(slots=True)
class Timeline:
    """One room's spans in one lesson. `current` grows; `take` gives what changed since the last time."""

    current: Span | None = None
    count: int = 0
    _closed: list[Span] | None = None

    def observe(self, seen: Seen, now: int) -> None:
        """What is so at `now`; what was so before ended where this began."""
        here = self.current
        if here is None:
            self.current = Span(now, now, seen.kind, seen.side, seen.cause)
            return
        same = (here.kind, here.side, here.cause) == (seen.kind, seen.side, seen.cause)
        if same or self.count >= MOST_SPANS:
            self.current = replace(here, until=max(here.until, now))
            return
        known = here.until if here.side in OTHERS else here.since
        began = min(max(seen.since if seen.since is not None else now, known), now)
        if began > here.since:
            self._close(replace(here, until=began))
            self.current = Span(began, now, seen.kind, seen.side, seen.cause)
        else:  # it was never as we thought: the same span under its right name
            self.current = replace(here, until=now, kind=seen.kind, side=seen.side, cause=seen.cause)

    def measured(self, *, freeze_ms: int, concealed_ms: int, delay_ms: int, height: int) -> None:
        """What the room's page measured in the last second."""
        if self.current is not None:
            self.current = replace(
                self.current,
                freeze_ms=self.current.freeze_ms + freeze_ms,
                concealed_ms=self.current.concealed_ms + concealed_ms,
                delay_ms=delay_ms or self.current.delay_ms,
                height=height or self.current.height,
            )

    def resume(self, last: Span, now: int, seen: Seen, *, went_on: bool) -> None:
        """After campus was away: media went on without it, or the gap is the server's."""
        if went_on and seen.kind is last.kind and seen.kind is not Kind.HOLE:
            self.current = last
        else:
            self._close(Span(last.until, now, Kind.HOLE, Side.SERVER, "campus_away"))
        self.observe(seen, now)

    def take(self) -> list[Span]:
        """Closed spans that were not taken yet, and the current one as it is."""
        closed, self._closed = self._closed or [], None
        return [*closed, self.current] if self.current is not None else closed

    def _close(self, span: Span) -> None:
        self._closed = [*(self._closed or []), span]
        self.count += 1
