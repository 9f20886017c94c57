"""A recording made of packets at once, without a process: journal, assembler, files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from recorder.archive.manifest import Track
from recorder.contract import TrackNote
from recorder.journal import EntryKind, JournalWriter, Opened
from recorder.making import Making
from tests.fakes.recorded_lesson import CAMERA, VOICE, Sent, span_of


def make_recording(
    folder: Path, sent: Iterable[Sent], end_s: float, notes: Sequence[TrackNote] = (CAMERA, VOICE)
) -> dict[str, Track]:
    """The tracks by name; their files are in the folder."""
    journal = JournalWriter(folder / "journal")
    opened = Opened(ring=b"r" * 16, boot=b"boot", clock_ns=0)
    journal.append(EntryKind.OPENED, 0, msgspec.msgpack.encode(opened))
    span = span_of(sent, notes, end_s=end_s)
    journal.append(EntryKind.SPAN, len(span), span)
    making = Making(folder, "Lmade")
    while making.step(journal.place):
        pass
    making.publish()
    journal.close()
    assert making.ended
    return {track.name: track for track in making.tracks()}
