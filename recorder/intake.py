"""From the rings to the journal: the one step that must not wait for anything but the disk.

A lesson's ring may change (its worker died and another took over): the old one is drained first. Owned by one
thread, but for `offer`, `close` and what is read of it.
"""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path

import msgspec

from recorder.archive.layout import JOURNAL
from recorder.journal import Closed, EntryKind, JournalWriter, Missed, Opened, Paused, Place, last_position
from recorder.ring import Batch, Ring

log = logging.getLogger(__name__)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> bytes:
    """Names this run of the machine: the monotonic clock is one within it."""
    return _BOOT.read_bytes().strip() if _BOOT.exists() else b""


class Intake:
    """One lesson's rings and its journal."""

    def __init__(self, folder: Path, lesson: str) -> None:
        """Goes on where the journal in the folder ends. OSError where the disk refuses."""
        self._lesson = lesson
        self._known = last_position(folder / JOURNAL)
        self._journal = JournalWriter(folder / JOURNAL)
        self._ring: Ring | None = None
        self._offered: deque[Ring] = deque(maxlen=4)
        self._skipped = 0
        self._pauses: deque[Paused] = deque(maxlen=1_000)
        self._paused = False
        self._close_at: int | None = None
        self.done = False

    @property
    def place(self) -> Place:
        """Up to where the journal may be read."""
        return self._journal.place

    @property
    def bytes(self) -> int:
        return self._journal.total

    @property
    def has_ring(self) -> bool:
        return self._ring is not None or bool(self._offered)

    def offer(self, ring: Ring) -> None:
        """A ring to read from now on (any thread). The one that is read already changes nothing."""
        self._offered.append(ring)

    def close(self, at_ns: int) -> None:
        """No end mark will come: end the journal at this time (any thread)."""
        self._close_at = at_ns

    def pause(self, at_ns: int, *, paused: bool) -> None:
        """By the teacher's wish nothing is tapped from now on, or it is again (any thread). Said twice it
        changes nothing."""
        if paused != self._paused:
            self._paused = paused
            self._pauses.append(Paused(at_ns, paused))

    def step(self, *, room: bool = True) -> None:
        """Journal everything that is in the ring. `room`: the disk has space; else what comes is counted
        and thrown away. OSError where a write fails all the same."""
        if self.done:
            return
        self._read(room)
        while self._offered:
            self._switch(self._offered.popleft())
            self._read(room)
        while self._pauses and room:
            self._journal.append(EntryKind.PAUSED, 0, msgspec.msgpack.encode(self._pauses[0]))
            self._pauses.popleft()
        if self._close_at is not None and room:
            closed = msgspec.msgpack.encode(Closed(at_ns=self._close_at))
            self._journal.append(EntryKind.CLOSED, 0, closed)
            self.stop()

    def sync(self) -> None:
        """What was journalled is on the disk on return (any thread)."""
        self._journal.sync()

    def stop(self) -> None:
        """Read nothing more."""
        if not self.done:
            self.done = True
            self._journal.close()
            for ring in (self._ring, *self._offered):
                if ring is not None:
                    ring.close()
            self._ring = None
            self._offered.clear()

    def _read(self, room: bool) -> None:
        batch = self._ring.read() if self._ring is not None else None
        if batch is None:
            return
        if not room:
            self._skipped += len(batch.span) + batch.missed
            return
        try:
            self._write(batch)
        except OSError:
            self._skipped += len(batch.span) + batch.missed
            raise

    def _write(self, batch: Batch) -> None:
        start = batch.position - len(batch.span)
        if self._skipped:
            self._miss("disk_full", self._skipped, start)
            self._skipped = 0
        if batch.missed:
            log.warning("the ring overtook us", extra={"lesson": self._lesson, "bytes": batch.missed})
            self._miss("overtaken", batch.missed, start)
        if batch.span:
            self._journal.append(EntryKind.SPAN, batch.position, batch.span)

    def _miss(self, reason: str, count: int, position: int) -> None:
        missed = msgspec.msgpack.encode(Missed(reason=reason, bytes=count))
        self._journal.append(EntryKind.MISSED, position, missed)

    def _switch(self, ring: Ring) -> None:
        if self._ring is not None and ring.id == self._ring.id:
            ring.close()
            return
        known, position = self._known
        if ring.id == known:
            ring.resume(position)
        opened = Opened(ring=ring.id, boot=boot_id(), clock_ns=ring.clock_ns)
        self._journal.append(EntryKind.OPENED, ring.position, msgspec.msgpack.encode(opened))
        if self._ring is not None:
            self._ring.close()
        self._ring, self._known = ring, (ring.id, ring.position)
