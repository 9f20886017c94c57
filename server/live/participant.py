"""One room (or observer) of a lesson: its page, its two connections and the facts its tile is judged by.

Mutable, owned by the lesson room alone. Times are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.floor import Assignment
from server.domain.seats import Facts, lossy_since
from server.live.connections import Connection
from server.live.ports import PagePort
from server.media.contract import PeerState
from server.protocol.devices import Heard
from server.protocol.messages import Report, Role, SeatState, Words
from server.protocol.parameters import Kind, Road, Source

LINE_GRACE_MS = 1_500
"""A WebSocket that is back within this time was never away."""


@dataclass(slots=True)
class Participant:
    """`session`: who may come back as the same one. `page` None: not connected since `left_at`."""

    seat: str
    role: Role
    name: Words
    session: str = ""
    browser: str = ""
    link: int = 0  # of a guest: the number of the link
    link_until: int = 0
    label: str = ""
    page: PagePort | None = None
    joined_at: int | None = None
    left_at: int | None = None
    up: Connection | None = None
    down: Connection | None = None
    was_here: bool = False
    reported_at: int | None = None
    decoded_at: int | None = None
    sounded_at: int | None = None
    sound_blocked: bool = False
    lossy_since: int | None = None
    weak_since: int | None = None
    held_since: int | None = None
    road: Road | None = None
    help_kind: str = ""
    help_since: int | None = None
    heads: int | None = None
    line_silent: bool = False  # it left without a goodbye
    down_anew: bool = False  # it does not receive by the connection that outlived campus
    arriving: bool = False  # packets came with its last report
    hear: Heard = Heard.UNKNOWN
    picture_due: int | None = None
    sound_due: int | None = None
    codec_missing: bool = False
    state: SeatState = SeatState.EXPECTED
    detail: str = ""
    since: int = 0
    slots: Assignment = field(default_factory=dict)

    def present(self, now: int) -> bool:
        """Connected, or gone for so short a time that it may be a reload."""
        if self.page is not None:
            return True
        return self.left_at is not None and now - self.left_at < LINE_GRACE_MS

    def came(self, page: PagePort, now: int) -> None:
        self.page, self.session = page, page.session
        self.joined_at, self.left_at, self.was_here = now, None, True

    def left(self, now: int) -> None:
        """What was known stays known: it may be back before anybody need see that it left."""
        self.line_silent = self.page is not None and self.page.fell_silent
        self.page, self.left_at, self.road = None, now, None

    def media_restarts(self, now: int) -> None:
        """Its down connection begins anew: it has the joining time again."""
        self.joined_at, self.reported_at, self.down_anew = now, None, True
        self.lossy_since, self.sound_blocked = None, False
        self.weak_since = self.held_since = None

    def reported(self, report: Report, now: int) -> None:
        """The page's word about the last second."""
        self.reported_at = now
        self.sound_blocked = report.sound_blocked
        self.road = report.road
        self.arriving = any(slot.received > 0 for slot in report.slots)
        by_slot = {slot.slot: slot for slot in report.slots}
        if any(by_slot[name].frames > 0 for name in ("stage", "screen") if name in by_slot):
            self.decoded_at = now
        voice = by_slot.get("main")
        if report.sound_playing and not report.sound_blocked and (voice is None or voice.received > 0):
            self.sounded_at = now

    def lost(self, share: float, now: int) -> None:
        """The worst slot's loss over the last second, 0 to 1."""
        self.lossy_since = lossy_since(self.lossy_since, share, now)

    def line_judged(self, *, weak: bool, held: bool, now: int) -> None:
        """The worker gives it less for its line; `held`: no moving picture on the stage at all."""
        self.weak_since = (self.weak_since or now) if weak else None
        self.held_since = (self.held_since or now) if held else None

    def due(self, flowing: frozenset[str], now: int) -> None:
        """`flowing`: slots whose track is sending now. Starts and stops what can be missing here."""
        self.picture_due = (self.picture_due or now) if "stage" in flowing else None
        self.sound_due = (self.sound_due or now) if "main" in flowing else None

    def sends(self) -> set[Source]:
        """What its living connection announces."""
        if self.up is None or not self.up.alive:
            return set()
        return {track.source for track in self.up.tracks}

    def facts(self, now: int, *, on_air: bool, muted: bool) -> Facts:
        up_live = {
            track.kind
            for track in (self.up.tracks if self.up else [])
            if self.up and track.mid in self.up.live
        }
        return Facts(
            present=self.present(now),
            was_here=self.was_here,
            joined_at=self.joined_at,
            on_air=on_air,
            media_up=self.road is Road.HLS
            or (self.down is not None and self.down.state is PeerState.CONNECTED),
            reported_at=self.reported_at,
            picture_due=self.picture_due,
            decoded_at=self.decoded_at,
            sound_due=self.sound_due,
            sounded_at=self.sounded_at,
            sound_blocked=self.sound_blocked,
            codec_missing=self.codec_missing,
            sends_voice_only=up_live == {Kind.AUDIO},
            lossy_since=self.lossy_since,
            weak_since=self.weak_since,
            held_since=self.held_since,
            muted=muted,
            help_kind=self.help_kind,
            help_since=self.help_since,
        )

    def show(self, state: SeatState, detail: str, now: int) -> bool:
        """Keep the tile's state and since when; True where it changed."""
        if (state, detail) == (self.state, self.detail):
            return False
        away_since = self.left_at if state is SeatState.AWAY else None
        self.state, self.detail, self.since = state, detail, away_since or now
        return True
