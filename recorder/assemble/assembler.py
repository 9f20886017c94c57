"""The journal's spans in, sections and samples out. Pure: the same spans give the same outputs,
however they are cut, live or in recovery; time is the arrival of the records themselves."""

from __future__ import annotations

import msgspec

from recorder.archive.layout import BadName, check_track
from recorder.assemble.audio import AudioTrack
from recorder.assemble.clock import SourceClock
from recorder.assemble.foreign import FOREIGN
from recorder.assemble.records import Record, read_packet, read_records, read_report
from recorder.assemble.samples import Outages, Output
from recorder.assemble.video import VideoTrack
from recorder.contract import PAYLOAD_TYPES, RecordKind, Subject, TrackNote

STEP_NS = 100_000_000
"""How often waiting samples are looked at, by the records' own time."""
TRACKS_AT_MOST = 64
_NOTES = msgspec.msgpack.Decoder(TrackNote)
LONGEST_NS = 24 * 3_600_000_000_000
"""An arrival so far from the one before it is not believed."""
REBOOT_NS = 3_600_000_000_000
"""A reboot takes no longer: where the wall clock says otherwise it was set meanwhile."""


class Assembler:
    """One lesson. `feed` and `finish` append to what `take` hands out. `foreign`: also pictures that are not
    copied into MP4."""

    def __init__(self, *, foreign: bool = False) -> None:
        self._pictures = {"H264", *FOREIGN} if foreign else {"H264"}
        self._outputs: list[Output] = []
        self._outages = Outages()
        self._outage_from: float | None = None
        self._paused_from: float | None = None
        self._shared: dict[str, SourceClock] = {}
        self._numbers: dict[int, str] = {}
        self._notes: dict[str, TrackNote] = {}
        self._begun_ns: dict[str, int] = {}  # by name: when its newest note came
        self._tracks: dict[str, AudioTrack | VideoTrack] = {}
        self._zero_ns: int | None = None
        self._shift_ns = 0
        self._shifts: dict[bytes, int] = {}  # by boot, once a record of it has come
        self._boot = b""
        self._first_clock: tuple[bytes, int] | None = None
        self._ring = b""
        self._now_ns = 0
        self._next_step_ns = 0
        self.ended = False
        self.end_ns: int | None = None
        self.refused = 0

    # what comes

    def opened(self, ring: bytes, boot: bytes, wall_minus_monotonic_ns: int) -> None:
        """Records of this ring follow. Over a reboot the wall clock joins what came."""
        if self._ring and ring != self._ring:
            self._begin_outage()
        self._ring = ring
        if self._first_clock is None:
            self._first_clock = (boot, wall_minus_monotonic_ns)
            self._shifts[boot] = 0
        self._boot = boot
        self._shift_ns = self._shifts.get(boot, wall_minus_monotonic_ns - self._first_clock[1])

    def missed(self) -> None:
        """Something between the last span and the next was lost by this machine."""
        self._begin_outage()

    def paused(self, at_ns: int, *, paused: bool) -> None:
        """By the teacher's wish nothing comes from this monotonic time on, or it comes again."""
        if self._zero_ns is None:
            return  # what was not there yet begins later
        at_s = max(self._passed_s(at_ns + self._shift_ns), 0.0)
        if paused:
            self._paused_from = at_s if self._paused_from is None else self._paused_from
        elif self._paused_from is not None:
            self._outages.pauses.append((self._paused_from, at_s))
            self._paused_from = None

    def feed(self, span: bytes) -> None:
        """The next records, as they stood in the ring."""
        for record in read_records(span):
            if self.ended:
                return
            self._take(record)

    def finish(self, at_ns: int | None = None) -> None:
        """The lesson ended at this monotonic time (None: at the last record). Everything out."""
        if self.ended:
            return
        self.ended, self.end_ns = True, at_ns
        if self._zero_ns is None:
            return
        now_s = self._passed_s(self._now_ns)
        end_s = now_s if at_ns is None else max(self._passed_s(at_ns + self._shift_ns), now_s)
        self._end_outage(end_s)
        if self._paused_from is not None:
            self._outages.pauses.append((self._paused_from, end_s))
        end_s = max([end_s, *(track.end_s for track in self._tracks.values())])
        for track in self._tracks.values():
            track.finish(now_s, end_s)

    # what is known

    def take(self) -> list[Output]:
        """The outputs since the last call."""
        outputs = self._outputs.copy()
        self._outputs.clear()
        return outputs

    @property
    def tracks(self) -> dict[str, AudioTrack | VideoTrack]:
        """Tracks that are assembled, by name."""
        return self._tracks

    @property
    def notes(self) -> dict[str, TrackNote]:
        """What each track is, those included that are journalled only."""
        return self._notes

    @property
    def seconds(self) -> float:
        """The lesson's time by the newest record."""
        return 0.0 if self._zero_ns is None else self._passed_s(self._now_ns)

    @property
    def wanting(self) -> list[str]:
        """Tracks that need a keyframe, by the newest record's time."""
        videos = [track for track in self._tracks.values() if isinstance(track, VideoTrack)]
        return [track.name for track in videos if not self.ended and track.wants_key(self.seconds)]

    @property
    def started_ns(self) -> int | None:
        """The lesson's zero on the wall clock, nanoseconds since 1970."""
        if self._zero_ns is None or self._first_clock is None:
            return None
        return self._zero_ns + self._first_clock[1]

    # inside

    def _take(self, record: Record) -> None:
        if self._boot not in self._shifts:
            self._judge_wall_clock(record.arrival_ns)
        arrival_ns = record.arrival_ns + self._shift_ns
        if self._zero_ns is not None:
            if abs(arrival_ns - self._now_ns) > LONGEST_NS:
                self.refused += 1
                return
            self._now_ns = max(self._now_ns, arrival_ns)
        match record.kind:
            case RecordKind.RTP:
                self._packet(record, arrival_ns)
            case RecordKind.SENDER_REPORT:
                self._report(record)
            case RecordKind.TRACK:
                self._note(record, arrival_ns)
            case RecordKind.TRACK_END:
                track = self._tracks.get(self._numbers.get(record.track, ""))
                if track is not None:
                    track.ended(self._passed_s(self._now_ns))
            case RecordKind.END:
                self.finish(record.arrival_ns)
                return
            case _:
                self.refused += 1
        if self._zero_ns is not None and self._now_ns >= self._next_step_ns:
            self._next_step_ns = self._now_ns + STEP_NS
            now_s = self._passed_s(self._now_ns)
            for track in self._tracks.values():
                track.advance(now_s)

    def _judge_wall_clock(self, arrival_ns: int) -> None:
        """The first record after a reboot: where the wall clock was set meanwhile (a dead battery, a hand),
        the lesson goes on where it was."""
        passed_ns = arrival_ns + self._shift_ns - self._now_ns
        if self._zero_ns is not None and not 0 <= passed_ns <= REBOOT_NS:
            self._shift_ns = self._now_ns - arrival_ns
        self._shifts[self._boot] = self._shift_ns

    def _packet(self, record: Record, arrival_ns: int) -> None:
        name = self._numbers.get(record.track)
        packet = read_packet(record.data)
        if name is None or packet is None:
            self.refused += 1
            return
        if self._zero_ns is None:
            self._zero_ns = self._now_ns = max(arrival_ns, self._begun_ns[name])
        arrival_s = self._passed_s(arrival_ns)
        self._end_outage(arrival_s)
        note, codec = self._notes[name], PAYLOAD_TYPES.get(packet.payload_type)
        track = self._tracks.get(name)
        fits = codec == "opus" if note.kind == "audio" else codec in self._pictures
        if codec is None or not fits:
            if track is not None:
                track.foreign = True
            return
        if track is None:
            track = self._tracks[name] = self._begin(note)
            track.begins(self._passed_s(self._begun_ns[name]))
        if isinstance(track, VideoTrack):
            track.packet(packet, arrival_s, codec)
        else:
            track.packet(packet, arrival_s)

    def _begin(self, note: TrackNote) -> AudioTrack | VideoTrack:
        shared = self._shared.setdefault(note.room, SourceClock())
        if note.kind == "audio":
            return AudioTrack(note.name, self._outputs, self._outages, shared)
        rests = note.subject is Subject.SCREEN
        return VideoTrack(note.name, self._outputs, self._outages, shared, may_rest=rests)

    def _report(self, record: Record) -> None:
        track = self._tracks.get(self._numbers.get(record.track, ""))
        report = read_report(record.data)
        if track is not None and report is not None:
            track.report(report)

    def _note(self, record: Record, arrival_ns: int) -> None:
        try:
            note = _NOTES.decode(record.data)
            check_track(note.name)
        except (msgspec.MsgspecError, BadName, UnicodeDecodeError):
            self.refused += 1
            return
        known = self._notes.get(note.name)
        if (known is None and len(self._notes) >= TRACKS_AT_MOST) or note.kind not in ("audio", "video"):
            self.refused += 1
            return
        if known is not None and known.kind != note.kind:
            self.refused += 1  # a name keeps its kind for the lesson
            return
        self._notes[note.name] = note
        self._begun_ns[note.name] = arrival_ns
        if note.name in self._tracks:
            self._tracks[note.name].begins(self._passed_s(arrival_ns))
        self._numbers[record.track] = note.name

    def _begin_outage(self) -> None:
        if self._outage_from is None and self._zero_ns is not None:
            self._outage_from = self._passed_s(self._now_ns)

    def _end_outage(self, at_s: float) -> None:
        if self._outage_from is not None:
            start, self._outage_from = self._outage_from, None
            if at_s > start:
                self._outages.spans.append((start, at_s))

    def _passed_s(self, at_ns: int) -> float:
        return (at_ns - (self._zero_ns or 0)) / 1e9
