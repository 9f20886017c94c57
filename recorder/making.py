"""From a lesson's journal to its files: follows the journal, feeds the assembler, writes what it gives.

Live and recovery are this one road: it begins at the journal's first entry, or at a checkpoint, which changes
when it arrives and nothing else. Owned by one thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from recorder.archive import layout
from recorder.archive.manifest import Section, Track, write_whole
from recorder.assemble.assembler import Assembler
from recorder.assemble.audio import AudioTrack
from recorder.assemble.samples import AUDIO_RATE, Output
from recorder.assemble.sides import with_sides
from recorder.assemble.video import VideoTrack
from recorder.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from recorder.contract import TrackNote
from recorder.fragments import BadFragments
from recorder.intake import boot_id
from recorder.journal import Closed, Entry, EntryKind, JournalReader, Opened, Paused, Place, decode_payload
from recorder.playlist import Rendition, multivariant_playlist
from recorder.writer import BadSection, TrackWriter

log = logging.getLogger(__name__)
STEP_BYTES = 4 << 20


class Making:
    """One lesson's files in the making. `checkpoints`: go on from the one that is there; `into`: where the
    files go (default: `folder`, which holds the journal); `through`: makes of all pictures, whatever their
    codec, such as can be copied."""

    def __init__(
        self,
        folder: Path,
        lesson: str,
        *,
        checkpoints: bool = True,
        into: Path | None = None,
        through: Callable[[Output], Iterable[Output]] | None = None,
    ) -> None:
        self._journal = folder / layout.JOURNAL
        self._folder = into or folder
        self._lesson = lesson
        self._through = through
        self._begin()
        found = read_checkpoint(folder) if checkpoints else None
        self._restoring = self._restore(found) if found is not None else None

    def _begin(self) -> None:
        self._reader = JournalReader(self._journal)
        self._assembler = Assembler(foreign=self._through is not None)
        self._writers: dict[str, TrackWriter] = {}
        self._shown: list[Rendition] = []

    @property
    def ended(self) -> bool:
        """The end mark (or a closed journal) was met: every file is finished."""
        return self._assembler.ended

    @property
    def end_ns(self) -> int | None:
        """When the lesson ended, monotonic."""
        return self._assembler.end_ns

    @property
    def started_ns(self) -> int | None:
        """The lesson's zero, nanoseconds since 1970."""
        return self._assembler.started_ns

    @property
    def zero_at(self) -> str:
        """The same as RFC 3339, "" before the first packet."""
        if self.started_ns is None:
            return ""
        return datetime.fromtimestamp(self.started_ns / 1e9, UTC).isoformat(timespec="milliseconds")

    @property
    def damaged(self) -> int:
        """Bytes of the journal that could not be read."""
        return self._reader.damaged

    @property
    def wanting(self) -> list[str]:
        """Tracks that need a keyframe."""
        return self._assembler.wanting

    @property
    def seconds(self) -> float:
        """What is playable: the longest playlist's time."""
        return round(max((w.seconds for w in self._writers.values()), default=0.0), 3)

    @property
    def recorded_s(self) -> float:
        """How far the journal has been read, on the lesson's clock."""
        return self._assembler.seconds

    def step(self, place: Place | None) -> bool:
        """Make the next few megabytes of the journal, as far as `place` (None: all there is);
        False where there is nothing (more) to make.
        OSError where the disk refuses: then abandon it and begin again when there is room."""
        if self._restoring is not None:
            self._go_on_restoring(self._restoring)
            return True
        entries = self._reader.read(place, STEP_BYTES)
        for entry in entries:
            self._take(entry)
            if self._assembler.ended:
                break
        self._write_all()
        return bool(entries) and not self._assembler.ended

    def close(self) -> None:
        """The journal ends here, whether or not it says so: finish every file."""
        self._assembler.finish()
        self._write_all()

    def publish(self) -> bool:
        """Bring the playlists up to what was made; whether one has changed."""
        zero_s = self.started_ns / 1e9 if self.started_ns is not None else None
        changed = [writer.write_playlist(zero_s) for writer in self._writers.values()]
        if any(changed):
            renditions = [
                Rendition(
                    name=writer.name,
                    audio=writer.audio,
                    playlist=layout.playlist_file(writer.name),
                    codec=writer.codec,
                    bandwidth_bps=writer.bandwidth_bps,
                    width=max((s.width for s in writer.facts), default=0),
                    height=max((s.height for s in writer.facts), default=0),
                )
                for writer in self._writers.values()
                if writer.playable
            ]
            if self.ended or [r.name for r in renditions] != [r.name for r in self._shown]:
                self._shown = renditions
                text = multivariant_playlist(renditions)
                write_whole(self._folder / layout.MULTIVARIANT, text.encode(), durable=self.ended)
        return any(changed)

    def tracks(self) -> list[Track]:
        """The facts of every track for the manifest."""
        notes = self._assembler.notes
        return with_sides([self._facts(notes[name]) for name in sorted(notes)])

    def keep_checkpoint(self) -> None:
        """A recorder that comes back goes on from here. OSError where the disk refuses."""
        if self._restoring is None and not self.ended:
            states = [writer.state for writer in self._writers.values()]
            write_checkpoint(self._folder, Checkpoint(boot_id(), self._reader.place, self._assembler, states))

    def _go_on_restoring(self, restoring: Iterator[None]) -> None:
        try:
            next(restoring)
        except StopIteration:
            self._restoring = None
            log.info("goes on from a checkpoint", extra={"lesson": self._lesson})
        except (BadFragments, BadSection, OSError) as error:
            log.warning("begun at the journal's beginning", extra=self._about("", error))
            self.abandon()
            self._begin()
            self._restoring = None

    def _restore(self, found: Checkpoint) -> Iterator[None]:
        self._assembler = found.assembler
        self._reader.go_on(found.place)
        for state in found.tracks:
            writer = self._writers[state.name] = TrackWriter(self._folder, state.name, audio=state.audio)
            yield from writer.restore(state)

    def abandon(self) -> None:
        for writer in self._writers.values():
            writer.abandon()

    def _take(self, entry: Entry) -> None:
        match entry.kind:
            case EntryKind.SPAN:
                self._assembler.feed(entry.payload)
            case EntryKind.OPENED:
                opened = decode_payload(entry, Opened)
                if opened is not None:
                    self._assembler.opened(opened.ring, opened.boot, opened.clock_ns)
            case EntryKind.MISSED:
                self._assembler.missed()
            case EntryKind.PAUSED:
                paused = decode_payload(entry, Paused)
                if paused is not None:
                    self._assembler.paused(paused.at_ns, paused=paused.paused)
            case EntryKind.CLOSED:
                closed = decode_payload(entry, Closed)
                self._assembler.finish(closed.at_ns if closed is not None else None)

    def _write_all(self) -> None:
        for output in self._assembler.take():
            for made in (output,) if self._through is None else self._through(output):
                self._write(made)

    def _write(self, output: Output) -> None:
        writer = self._writers.get(output.track)
        if writer is None:
            audio = isinstance(self._assembler.tracks[output.track], AudioTrack)
            writer = self._writers[output.track] = TrackWriter(self._folder, output.track, audio=audio)
        try:
            writer.take(output)
        except BadSection as error:
            log.warning("a section of a track is left out", extra=self._about(output.track, error))

    def _facts(self, note: TrackNote) -> Track:
        made = self._assembler.tracks.get(note.name)
        writer = self._writers.get(note.name)
        if made is None or writer is None:
            return Track(
                name=note.name, subject=note.subject, kind=note.kind, codec=note.codec, room=note.room
            )
        sections: list[Section] = writer.facts
        return Track(
            name=note.name,
            subject=note.subject,
            kind=note.kind,
            codec="H264" if isinstance(made, VideoTrack) else "opus",
            room=note.room,
            playlist=layout.playlist_file(note.name) if writer.playable else "",
            seekable=writer.seekable,
            file=sections[0].file if sections else "",
            init=sections[0].init if sections else "",
            seconds=round(writer.seconds, 3),
            start_s=round(made.start_s, 3),
            gaps=list(made.gaps.holes),
            sections=sections,
            bytes=writer.bytes,
            samples=made.samples,
            filled=made.filled,
            dropped=made.dropped,
            lost=made.lost,
            width=max((section.width for section in sections), default=0),
            height=max((section.height for section in sections), default=0),
            sync_ms=round(made.worst / AUDIO_RATE * 1000, 1) if isinstance(made, AudioTrack) else None,
        )

    def _about(self, track: str, error: Exception) -> dict[str, str]:
        return {"lesson": self._lesson, "track": track, "reason": str(error)}
