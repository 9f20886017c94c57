"""The one decode after class: every picture of every track once, in the order of time, into all that is made
of pictures and into the count that proves the recording.

The lesson is cut into pieces. Each maker leaves a finished file for each piece: whoever dies goes
on at the piece. A maker that fails is dropped, the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import av
import msgspec

from recorder.archive.layout import PIECES
from recorder.archive.manifest import Manifest, Track, write_whole
from recorder.archive.published import StepName
from recorder.publish.problems import StepFailed
from recorder.publish.source import PictureReader, pictures_of

Progress = Callable[[float], None]


class Shot:
    """A decoded picture and its smaller copies, each made once however many want it."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self.frame = frame
        self._sized: dict[tuple[int, int, str], av.VideoFrame] = {}

    def sized(self, width: int, height: int, form: str = "yuv420p") -> av.VideoFrame:
        frame = self.frame
        if (frame.width, frame.height, frame.format.name) == (width, height, form):
            return frame
        key = (width, height, form)
        if key not in self._sized:
            self._sized[key] = frame.reformat(width=width, height=height, format=form)
        return self._sized[key]


class Maker(Protocol):
    """Something that is made of pictures, piece by piece."""

    step: StepName

    def done(self, piece: int) -> bool:
        """Whether this piece's file is there."""
        ...

    def begin(self, piece: int, start_s: float, end_s: float) -> None:
        """StepFailed, OSError; so for all that follow."""
        ...

    def stand(self, track: str, shot: Shot) -> None:
        """A picture of the time before that is still shown when the piece begins."""
        ...

    def see(self, track: str, at_s: float, shot: Shot) -> None:
        """A picture of this piece; in the order of time."""
        ...

    def finish(self, piece: int) -> None: ...


class Count(msgspec.Struct, frozen=True):
    """What decoding found in a piece: whole pictures by track, files that are broken."""

    pictures: dict[str, int]
    broken: list[str] = []


def pieces_of(seconds: float, piece_s: float) -> int:
    """Into how many pieces a lesson is cut."""
    return max(1, -(-round(seconds * 1000) // round(piece_s * 1000)))


def piece_file(folder: Path, what: str, piece: int) -> Path:
    """Where a maker leaves its piece."""
    return folder / PIECES / f"{what}.{piece:05}"


def pieces_made(folder: Path, what: str) -> list[Path]:
    """What a maker has left, in the order of time."""
    return sorted(path for path in (folder / PIECES).glob(f"{what}.*") if path.suffix[1:].isdigit())


class Pass:
    """The decode of one lesson. Keep it between the pieces: then nothing is decoded twice."""

    def __init__(
        self, folder: Path, manifest: Manifest, makers: list[Maker], piece_s: float, *, count: bool = True
    ) -> None:
        """`count`: the pictures are to be counted, whatever else is made."""
        self._count = count
        self._piece_s = piece_s
        self._folder = folder
        self._manifest = manifest
        self._makers = makers
        self._readers = {t.name: PictureReader(folder, t) for t in manifest.tracks if pictures_of(t)}
        self._standing: dict[str, Shot] = {}
        self._next = 0

    def run(self, piece: int, progress: Progress) -> dict[StepName, StepFailed]:
        """Make one piece; who failed in it, and why. A piece that is there is left as it is."""
        (self._folder / PIECES).mkdir(exist_ok=True)
        counted = piece_file(self._folder, "count", piece)
        working = [maker for maker in self._makers if not maker.done(piece)]
        if not working and (counted.exists() or not self._count):
            return {}
        start_s, end_s = piece * self._piece_s, (piece + 1) * self._piece_s
        last = piece + 1 == pieces_of(self._manifest.seconds, self._piece_s)
        if piece != self._next:
            self._seek(start_s)
        failed: dict[StepName, StepFailed] = {}
        _each(working, failed, lambda maker: self._begin(maker, piece, start_s, end_s))
        before = {name: reader.decoded for name, reader in self._readers.items()}
        for name, at_s, shot in self._pictures(None if last else end_s):
            self._standing[name] = shot
            _each(working, failed, lambda maker: maker.see(name, at_s, shot))  # noqa: B023
            progress(min(1.0, (at_s - start_s) / self._piece_s))
        _each(working, failed, lambda maker: maker.finish(piece))
        found = {name: reader.decoded - before[name] for name, reader in self._readers.items()}
        broken = sorted({file for reader in self._readers.values() for file in reader.broken})
        write_whole(counted, msgspec.json.encode(Count(found, broken)), durable=True)
        self._next = piece + 1
        return failed

    def _begin(self, maker: Maker, piece: int, start_s: float, end_s: float) -> None:
        maker.begin(piece, start_s, end_s)
        for name, shot in self._standing.items():
            maker.stand(name, shot)

    def _seek(self, start_s: float) -> None:
        """Stand where an earlier process stood: the pictures that are shown at `start_s` are known."""
        self._standing.clear()
        for name, reader in self._readers.items():
            reader.seek(max(0.0, start_s))
            if start_s > 0 and (before := reader.standing()) is not None:
                self._standing[name] = Shot(before)

    def _pictures(self, until_s: float | None) -> Iterator[tuple[str, float, Shot]]:
        while True:
            due = {name: at for name, reader in self._readers.items() if (at := reader.peek()) is not None}
            if not due:
                return
            name = min(due, key=lambda name: due[name])
            if until_s is not None and due[name] >= until_s - 1e-6:
                return
            at_s, frame = self._readers[name].take()
            yield name, at_s, Shot(frame)


def _each(makers: list[Maker], failed: dict[StepName, StepFailed], do: Callable[[Maker], None]) -> None:
    """Who cannot go on is left out of what follows."""
    for maker in makers.copy():
        try:
            do(maker)
        except (StepFailed, OSError, av.FFmpegError) as error:
            makers.remove(maker)
            failed[maker.step] = error if isinstance(error, StepFailed) else failure_of(error)


def failure_of(error: OSError | av.FFmpegError) -> StepFailed:
    """What the disk or the codec said, as a problem with a code."""
    if getattr(error, "errno", None) == 28:  # ENOSPC
        return StepFailed("disk_full", str(error))
    return StepFailed("encoder" if isinstance(error, av.FFmpegError) else "disk", str(error))


def tracks_of(manifest: Manifest) -> list[Track]:
    """The tracks with pictures to be decoded."""
    return [track for track in manifest.tracks if pictures_of(track)]
