"""The recorder's threads in this process, with a disk that fills up, refuses, or holds damaged files."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from recorder.archive.layout import lesson_folder
from recorder.archive.manifest import GapCause, Manifest, read_manifest, write_manifest
from recorder.contract import Begin, Recording, RecordingState, RecordKind
from recorder.engine import Engine
from recorder.making import Making
from recorder.rebuilding import rebuild
from recorder.ring import Ring
from server.drill.lessonkit.report import report
from server.drill.lessonkit.stamps import read_stamp
from tests.fakes.playlists import finished_lines
from tests.fakes.recorded_lesson import CAMERA, VOICE, Sent, lesson, write_sent
from tests.fakes.ring_writer import RingWriter

SECONDS = 20.0
PLENTY = 1 << 40
SENT = lesson(SECONDS)


class Running:
    """An engine that records one lesson from a ring of ours."""

    def __init__(self, archive: Path, **limits: int) -> None:
        self.free = PLENTY
        self.told: list[Recording] = []
        free = None if limits else lambda: self.free
        self.engine = Engine(archive, self.told.append, free=free, **limits)
        self.ring = RingWriter()
        self.base_ns = time.monotonic_ns() - round(SECONDS * 1e9)
        self.folder = lesson_folder(archive, "L")

    def begin(self) -> None:
        assert self.engine.begin(Begin("L", "课", "2026-11-21T08:00:00Z", "", "L")) is None
        for note in (CAMERA, VOICE):
            self.ring.note(note, self.base_ns)
        self.engine.offer("L", Ring(self.ring.fd))

    def write(self, start_s: float, end_s: float) -> None:
        write_sent(self.ring, part(start_s, end_s), self.base_ns)

    def finish(self) -> Recording:
        self.ring.write(RecordKind.END, 0, b"", self.base_ns + round(SECONDS * 1e9))
        self.engine.finish("L")
        self.until(lambda: self.last.state is RecordingState.READY)
        return self.last

    @property
    def last(self) -> Recording:
        return self.told[-1]

    def until(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, self.told[-3:]
            time.sleep(0.02)


def part(start_s: float, end_s: float) -> list[Sent]:
    return [one for one in SENT if start_s <= one.at_s < end_s]


@contextmanager
def running(archive: Path, **limits: int) -> Iterator[Running]:
    run = Running(archive, **limits)
    run.engine.start()
    try:
        yield run
    finally:
        run.engine.stop()
        run.ring.close()


def test_a_full_disk_is_told_and_recording_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        run.write(0, 8)
        run.until(lambda: run.last.seconds > 3)
        run.free = 1 << 30
        run.until(lambda: run.last.problem == "disk_low")
        run.free = 0
        run.until(lambda: run.last.problem == "disk_full")
        journal = sum(p.stat().st_size for p in (run.folder / "journal").iterdir())
        run.write(8, 12)
        run.until(lambda: run.engine.free_bytes() == 0)
        time.sleep(0.3)  # what is not to come cannot be waited for
        assert sum(p.stat().st_size for p in (run.folder / "journal").iterdir()) == journal
        run.free = PLENTY
        run.until(lambda: run.engine.free_bytes() == PLENTY)
        run.until(lambda: run.last.problem == "")
        run.write(12, 20)
        run.finish()
    manifest = read_manifest(run.folder)
    for track in manifest.tracks:
        ((start, end, cause),) = [(g.start_s, g.end_s, g.cause) for g in track.gaps]
        assert cause is GapCause.SERVER
        assert start < 8.1
        assert abs(end - 12) < 0.1
    facts = report(run.folder / "camera.mp4", run.folder / "voice.mp4")
    assert facts.distinct == 400
    assert facts.av_offset_ms is not None
    assert abs(facts.av_offset_ms) < 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a disk may not be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_is_really_full_takes_the_lesson_up_again_when_there_is_room(small_disk: Path) -> None:
    with running(small_disk, low_bytes=20 << 20, full_bytes=64 << 10) as run:
        run.begin()
        run.write(0, 8)
        run.until(lambda: run.last.seconds > 3)
        with (small_disk / "ballast").open("wb") as ballast:
            ballast.write(b"x" * (14 << 20))
            run.until(lambda: run.last.problem == "disk_low")
            with contextlib.suppress(OSError):
                while True:
                    ballast.write(b"x" * 65_536)
                    ballast.flush()
        run.write(8, 12)
        run.until(lambda: run.last.problem == "disk_full")
        (small_disk / "ballast").unlink()
        run.until(lambda: run.last.problem != "disk_full")
        run.write(12, 20)
        run.finish()
    manifest = read_manifest(run.folder)
    assert all(gap.cause is GapCause.SERVER for track in manifest.tracks for gap in track.gaps)
    shown = played(run.folder, "camera.m3u8")
    assert set(range(100)) <= set(shown), "what was recorded before plays"
    assert set(range(350, 500)) <= set(shown), "and what came after"


def test_a_pause_is_kept_with_the_journal_and_the_lessons_zero_with_the_manifest(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        run.write(0, 8)
        run.until(lambda: run.last.seconds > 3)
        run.engine.pause("L", paused=True)
        run.engine.pause("L", paused=True)
        journal = sum(p.stat().st_size for p in (run.folder / "journal").iterdir())
        run.engine.pause("L", paused=False)
        run.write(14, 20)
        run.finish()
    assert journal > 0
    made = read_manifest(run.folder)
    again = rebuild(tmp_path, "L")
    for manifest in (made, again):
        for track in manifest.tracks:
            assert [round(gap.end_s - gap.start_s) for gap in track.gaps] == [6]
        assert manifest.zero_at == made.zero_at != ""


def test_a_recording_that_fails_says_so_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_making: Making, _place: object) -> bool:
        raise RuntimeError("a defect")

    with running(tmp_path) as run:
        run.begin()
        monkeypatch.setattr(Making, "step", fails)
        run.until(lambda: run.last.state is RecordingState.FAILED)
    manifest = read_manifest(run.folder)
    assert (manifest.state, manifest.problem) == (RecordingState.FAILED, "internal")


def test_a_disk_that_refuses_the_files_loses_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = os.pwrite, []

    def refuse(fd: int, data: memoryview, at: int) -> int:
        refused.append(at)
        raise OSError(28, "No space left on device")

    with running(tmp_path) as run:
        run.begin()
        run.write(0, 9)
        run.until(lambda: run.last.seconds > 3)
        monkeypatch.setattr("recorder.growing_file.os.pwrite", refuse)
        run.write(9, 12)
        run.until(lambda: run.last.problem == "disk_full")
        monkeypatch.setattr("recorder.growing_file.os.pwrite", real)
        run.write(12, 20)
        assert run.finish().problem == ""
    assert refused
    facts = report(run.folder / "camera.mp4", run.folder / "voice.mp4")
    assert (facts.distinct, facts.repeats) == (500, 0)


def test_a_damaged_journal_is_recovered_around_the_damage_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        for second in range(10):
            run.write(second, second + 1)
            time.sleep(0.12)  # so that the journal has many batches
        run.until(lambda: run.last.seconds > 5)
    files = sorted((run.folder / "journal").iterdir())
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 0xFF
    files[0].write_bytes(data)
    again = Engine(tmp_path, run.told.append)
    again.start()
    again.finish("L")
    run.until(lambda: run.last.state is RecordingState.READY)
    again.stop()
    assert run.last.problem == "journal_damaged"
    facts = report(run.folder / "camera.mp4", run.folder / "voice.mp4")
    assert 150 < facts.distinct < 250
    assert facts.repeats == 0
    assert facts.unreadable == 0


def test_a_lesson_without_media_is_ready_and_empty(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        assert run.finish().seconds == 0
    manifest = read_manifest(run.folder)
    assert manifest.playlist == ""
    assert [track.playlist for track in manifest.tracks] == ["", ""]


def test_a_lesson_of_one_second_and_without_sound_plays(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        write_sent(run.ring, [s for s in part(0, 1) if s.track == CAMERA.number], run.base_ns)
        run.ring.write(RecordKind.END, 0, b"", run.base_ns + 10**9)
        run.until(lambda: run.last.state is RecordingState.READY)
    assert report(run.folder / "camera.mp4").distinct == 25
    assert read_manifest(run.folder).seconds == pytest.approx(1, abs=0.1)


def test_what_cannot_be_read_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    for name, content in (("Lbad", b"{"), ("Lnew", b'{"version": 99}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_bytes(content)
    (tmp_path / "Lone").mkdir()
    write_manifest(tmp_path / "Lone", Manifest("Lone", "", "", RecordingState.RECORDING))
    with running(tmp_path) as run:
        run.until(lambda: bool(run.told))
        assert [r.lesson for r in run.engine.reports()] == ["Lone"]
        run.engine.finish("Lone")
        run.until(lambda: run.last.state is RecordingState.READY)
    assert (tmp_path / "Lnew" / "manifest.json").read_bytes() == b'{"version": 99}'


@pytest.mark.parametrize(
    ("manifest", "beside"),
    [
        (b'{"version": 99}', "journal/000001.lkj"),  # a newer program's
        (b"{", "camera.mp4"),  # damaged, and there is nothing to make the files from again
        (None, "camera.mp4"),
    ],
)
def test_a_lesson_whose_folder_holds_another_recording_is_refused_and_nothing_of_that_is_touched(
    tmp_path: Path, manifest: bytes | None, beside: str
) -> None:
    folder = lesson_folder(tmp_path, "L")
    (folder / "journal").mkdir(parents=True)
    (folder / beside).write_bytes(b"taught long ago")
    if manifest is not None:
        (folder / "manifest.json").write_bytes(manifest)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with running(tmp_path) as run:
        refused = run.engine.begin(Begin("L", "课", "2026-11-21T08:00:00Z", "", "L"))
        assert refused is not None
        assert (refused.state, refused.problem) == (RecordingState.FAILED, "occupied")
        assert not run.engine.wants_ring("L")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_two_lessons_of_one_title_are_two_recordings(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        for lesson_id in ("L", "M"):
            assert run.engine.begin(Begin(lesson_id, "分数 / ../..", "2026-11-21T08:00:00Z", "", "L")) is None
            run.engine.finish(lesson_id)
        run.until(lambda: {r.lesson for r in run.told if r.state is RecordingState.READY} == {"L", "M"})
    assert [read_manifest(tmp_path / name).title for name in ("L", "M")] == ["分数 / ../.."] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["L", "M"]


def played(folder: Path, playlist: str) -> list[int]:
    """Numbers of the pictures that the playlist's byte ranges hold, each section with its init."""
    sections: list[bytes] = []
    length = offset = 0
    for line in (folder / playlist).read_text().splitlines():
        if line.startswith("#EXT-X-MAP"):
            sections.append((folder / line.split('"')[1]).read_bytes())
        elif line.startswith("#EXT-X-BYTERANGE:"):
            length, offset = map(int, line.split(":")[1].split("@"))
        elif line and not line.startswith("#"):
            sections[-1] += (folder / line).read_bytes()[offset : offset + length]
    numbers = []
    for section in sections:
        with av.open(io.BytesIO(section)) as container:
            stamps = [read_stamp(f.to_ndarray(format="gray")) for f in container.decode(video=0)]
            numbers += [stamp.number for stamp in stamps if stamp]
    return numbers


def test_a_playlist_plays_while_it_grows_and_the_same_when_it_is_done(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        run.begin()
        run.write(0, 13)
        run.until(lambda: run.last.seconds > 7)
        growing = (run.folder / "camera.m3u8").read_text()
        live = played(run.folder, "camera.m3u8")
        run.write(13, 20)
        run.finish()
    assert len(live) > 150
    assert live == list(range(len(live)))
    assert played(run.folder, "camera.m3u8") == list(range(500))
    assert "ENDLIST" not in growing
    assert "#EXT-X-PART:" in growing
    done = (run.folder / "camera.m3u8").read_text()
    assert "#EXT-X-PART:" not in done
    known = finished_lines(growing)
    assert finished_lines(done)[: len(known)] == known
