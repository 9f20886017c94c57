"""Whether a finished recording is what its manifest says: sums, sizes, every picture and sound decoded.

Runs in a process of its own (`python -m recorder.verification`, or the command line), never in the recorder's
threads. The only other writer of a finished manifest is a rebuild; both hold the lesson's folder meanwhile.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import av
import msgspec

from recorder.archive.holding import held
from recorder.archive.layout import JOURNAL, BadName, served_file
from recorder.archive.manifest import (
    BadManifest,
    BadRecording,
    File,
    Manifest,
    Track,
    Verdict,
    write_manifest,
)
from recorder.archive.reading import foreign_tracks, lesson_folder, read_recording
from recorder.contract import RecordingState

LOWEST_PRIORITY = 19


class Decoded(NamedTuple):
    """`whole`: what was decoded without an error."""

    whole: int
    readable: bool


def verify(archive: Path, lesson: str, *, keep_journal: bool) -> Manifest:
    """Check everything, write the verdict into the manifest, and where all is well let the journal go; the
    manifest as it is then. BadName, BadManifest, BadRecording, OSError."""
    folder = lesson_folder(archive, lesson)
    read_recording(archive, lesson)
    with held(folder):
        manifest = read_recording(archive, lesson)
        if manifest.state is not RecordingState.READY:
            raise BadRecording("recording", f"{lesson} is {manifest.state}")
        if not any(track.sections for track in manifest.tracks):
            raise BadRecording("empty", lesson)
        files, problems = sums(folder, manifest)
        verdict = judge(manifest, *_decode_all(folder, manifest), problems)
        manifest = msgspec.structs.replace(manifest, files=manifest.files or files, verdict=verdict)
        write_manifest(folder, manifest, durable=True)
        if not keep_journal and journal_may_go(manifest):
            shutil.rmtree(folder / JOURNAL, ignore_errors=True)
            manifest = msgspec.structs.replace(manifest, journal_bytes=0)
            write_manifest(folder, manifest, durable=True)
        return manifest


def journal_may_go(manifest: Manifest) -> bool:
    """Whether the files hold all that the journal holds, and hold it well."""
    whole = manifest.verdict is not None and manifest.verdict.whole
    return whole and not foreign_tracks(manifest) and not manifest.problem


def files_of(manifest: Manifest) -> list[str]:
    """Names of all files that a player may ask for, but the manifest."""
    names = [manifest.playlist] if manifest.playlist else []
    for track in manifest.tracks:
        names += [name for name in (track.playlist, track.seekable) if name]
        for section in track.sections:
            names += [section.file, section.init]
    return names


def sums(folder: Path, manifest: Manifest) -> tuple[list[File], list[str]]:
    """Every file as it is, and how it differs from what the manifest knows."""
    known = {file.name: file for file in manifest.files}
    found, problems = [], []
    for name in files_of(manifest):
        try:
            file = _sum(served_file(folder, name))
        except (OSError, BadName):
            problems.append(f"missing:{name}")
            continue
        found.append(file)
        before = known.get(name, file)
        if file.bytes != before.bytes:
            problems.append(f"size:{name}")
        elif file.sha256 != before.sha256:
            problems.append(f"sum:{name}")
    return found, problems


def _sum(path: Path) -> File:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return File(path.name, file.tell(), digest)


def judge(manifest: Manifest, decoded: dict[str, int], broken: set[str], problems: list[str]) -> Verdict:
    """The verdict of what was decoded by track, of files that are broken, and of what their sums showed."""
    counts = {"video": [0, 0], "audio": [0, 0]}
    problems = problems.copy()
    for track in manifest.tracks:
        whole = decoded.get(track.name, 0)
        for section in track.sections:
            if section.file in broken and f"missing:{section.file}" not in problems:
                problems.append(f"unreadable:{section.file}")
        if whole != track.samples:
            problems.append(f"{'pictures' if track.kind == 'video' else 'sounds'}:{track.name}")
        counts[track.kind][0] += track.samples
        counts[track.kind][1] += whole
    sync = [track.sync_ms for track in manifest.tracks if track.sync_ms is not None]
    return Verdict(
        verified_at=datetime.now(UTC).isoformat(timespec="seconds"),
        whole=not problems,
        pictures=counts["video"][0],
        pictures_decoded=counts["video"][1],
        sounds=counts["audio"][0],
        sounds_decoded=counts["audio"][1],
        sync_ms=max(sync) if sync else None,
        problems=problems,
    )


def _decode_all(folder: Path, manifest: Manifest) -> tuple[dict[str, int], set[str]]:
    """Whole pictures and sounds by track; files that cannot be read without error."""
    counts: dict[str, int] = {}
    broken = set()
    for track in manifest.tracks:
        for section in track.sections:
            decoded = _decode(folder, section.file, track)
            counts[track.name] = counts.get(track.name, 0) + decoded.whole
            if not decoded.readable:
                broken.add(section.file)
    return counts, broken


def _decode(folder: Path, name: str, track: Track) -> Decoded:
    """Decode a whole file, one thread, every error an error."""
    whole, readable = 0, True
    try:
        with av.open(str(served_file(folder, name))) as container:
            stream = container.streams.video[0] if track.kind == "video" else container.streams.audio[0]
            stream.codec_context.options = {"err_detect": "explode"}
            stream.codec_context.thread_count = 1
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    readable = False
                    continue
                whole += sum(
                    isinstance(frame, av.VideoFrame | av.AudioFrame) and not frame.is_corrupt
                    for frame in frames
                )
    except (av.FFmpegError, OSError, BadName, IndexError):
        readable = False
    return Decoded(whole, readable)


def main() -> int:
    """0: whole; 1: it is not; 2: it cannot be verified."""
    parser = argparse.ArgumentParser(prog="python -m recorder.verification", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--lesson", required=True)
    parser.add_argument("--keep-journal", action="store_true")
    arguments = parser.parse_args()
    os.nice(LOWEST_PRIORITY)
    try:
        manifest = verify(arguments.archive, arguments.lesson, keep_journal=arguments.keep_journal)
    except (BadName, BadManifest, BadRecording, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if manifest.verdict is not None and manifest.verdict.whole else 1


if __name__ == "__main__":
    sys.exit(main())
