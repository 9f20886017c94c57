"""The working process: `python -m recorder.publish.worker --archive DIR --settings JSON --nice N`.

One job a line on standard input, lines of `Told` on standard output. A codec that crashes takes this process
with it and nothing else. Ends at the end of its standard input and with its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import msgspec

from recorder.archive.holding import hold
from recorder.archive.layout import BadName, lesson_folder
from recorder.archive.manifest import BadManifest, BadRecording, Manifest
from recorder.archive.published import RenditionKind, StepName
from recorder.archive.reading import read_recording
from recorder.contract import RecordingState
from recorder.publish import exporting, old_players, products, sound, stills, storing, transcoding
from recorder.publish.encoding import Quality, fit
from recorder.publish.jobs import Failure, Job, Outcome, Settings, Sound, Told
from recorder.publish.makers import ChapterMaker, FilmMaker, RenditionMaker, ThumbMaker
from recorder.publish.passing import Maker, Pass, failure_of, tracks_of
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.trimming import Trim

PR_SET_PDEATHSIG = 1
TOLD_EVERY_S = 0.5
CRF = {RenditionKind.HIGH: 23.0, RenditionKind.LOW: 25.0}
MOST_KBPS = {RenditionKind.HIGH: 2500, RenditionKind.LOW: 700}
FILM_CRF, FILM_KBPS = 22.0, 4000
HELD_S = 20.0
"""How long somebody else (`lianke recording verify`) is waited for."""


class Work:
    """Does jobs, one after another. Keeps the decoders of the lesson at hand from piece to piece."""

    def __init__(self, archive: Path, settings: Settings) -> None:
        self._archive = archive
        self._settings = settings
        self._pass: tuple[tuple[str, tuple[StepName, ...], str], Pass] | None = None
        self._told_at = 0.0

    def do(self, job: Job) -> Outcome:
        """Never raises for what a recording or a disk does."""
        try:
            folder = lesson_folder(self._archive, job.lesson)
            if job.live:
                old_players.follow(folder, read_recording(self._archive, job.lesson))
                return Outcome()
            with _held(folder):
                manifest = read_recording(self._archive, job.lesson)
                if manifest.state is not RecordingState.READY:
                    raise StepFailed("manifest", f"the recording is {manifest.state}")
                if job.piece is None:
                    return self._do_step(job, folder, manifest)
                return self._do_piece(job, job.piece, folder, manifest)
        except NothingToDo:
            return Outcome(nothing=True)
        except StepFailed as error:
            return Outcome(problem=Failure(error.code, error.detail))
        except (BadName, BadManifest) as error:
            return Outcome(problem=Failure("manifest", str(error)))
        except BadRecording as error:
            return Outcome(problem=Failure("busy" if error.code == "busy" else "manifest", str(error)))
        except (OSError, av.FFmpegError) as error:
            failure = failure_of(error)
            return Outcome(problem=Failure(failure.code, failure.detail))

    def _do_step(self, job: Job, folder: Path, manifest: Manifest) -> Outcome:
        match job.step:
            case StepName.POSTER:
                return Outcome(poster=stills.poster(folder, manifest))
            case StepName.AAC:
                made, listed = old_players.for_old_players(folder, manifest, self._progress)
                return Outcome(renditions=made, aac_playlist=listed)
            case StepName.TRANSCODE:
                return self._transcode(folder, manifest)
            case StepName.SOUND:
                found = sound.measure(folder, manifest, lambda part: self._progress(part * 0.3))
                evened = sound.even(folder, manifest, found, lambda part: self._progress(0.3 + part * 0.7))
                return Outcome(sound=Sound(*found), renditions=[evened])
            case StepName.VERIFY:
                return self._verify(job, folder, manifest)
            case StepName.SPRITES:
                return Outcome(sprites=products.sprites(folder, manifest))
            case StepName.CHAPTERS:
                return Outcome(chapters=products.chapters(folder, manifest))
            case StepName.RENDITIONS:
                return Outcome(renditions=products.renditions(folder, manifest))
            case StepName.FILM:
                return Outcome(renditions=[products.film(folder, manifest, Trim(job.kept, manifest.seconds))])
            case StepName.STORE:
                storing.store(folder, manifest.lesson, self._settings.store, self._progress)
                return Outcome(stored=True)
            case StepName.EXPORT:
                trim = Trim(job.kept, manifest.seconds)
                made_with = self._export(trim)
                return Outcome(renditions=[exporting.export(folder, manifest, trim, job.card, made_with)])

    def _transcode(self, folder: Path, manifest: Manifest) -> Outcome:
        if shutil.disk_usage(folder).free < self._settings.least_free_bytes:
            raise StepFailed("disk_full")
        settings = self._settings
        made = transcoding.transcode(folder, manifest, settings.preset, settings.threads, self._progress)
        old_players.join_old_players(folder, made)
        with suppress(NothingToDo, StepFailed):
            return Outcome(poster=stills.poster(folder, made))
        return Outcome()

    def _verify(self, job: Job, folder: Path, manifest: Manifest) -> Outcome:
        if not any(track.sections for track in manifest.tracks):
            raise NothingToDo("empty")
        heard = job.sound or Sound()
        found = products.verdict(folder, manifest, heard, keep_journal=self._settings.keep_journal)
        if not found.whole:
            raise StepFailed("not_whole", ", ".join(found.problems[:5]))
        return Outcome()

    def _do_piece(self, job: Job, piece: int, folder: Path, manifest: Manifest) -> Outcome:
        if not tracks_of(manifest):
            return Outcome()
        if shutil.disk_usage(folder).free < self._settings.least_free_bytes:
            raise StepFailed("disk_full")
        key = (job.lesson, tuple(job.steps), Trim(job.kept, manifest.seconds).name)
        if self._pass is None or self._pass[0] != key:
            makers = self._makers(job, folder, manifest)
            self._pass = (
                key,
                Pass(folder, manifest, makers, self._settings.piece_s, count=StepName.VERIFY in job.steps),
            )
        failed = self._pass[1].run(piece, self._progress)
        return Outcome(failed={step: Failure(error.code, error.detail) for step, error in failed.items()})

    def _makers(self, job: Job, folder: Path, manifest: Manifest) -> list[Maker]:
        """What is to be made of the pictures; the chapters before the film, which asks them."""
        wanted, tracks, makers = set(job.steps), tracks_of(manifest), list[Maker]()
        trim = Trim(job.kept, manifest.seconds)
        chapters = None
        screen = products.screen_of(manifest)
        if screen is not None and wanted & {StepName.CHAPTERS, StepName.FILM, StepName.EXPORT}:
            chapters = ChapterMaker(folder, screen)
            makers.append(chapters)
        if StepName.SPRITES in wanted:
            makers += [ThumbMaker(folder, track.name, manifest.seconds) for track in tracks]
        if StepName.RENDITIONS in wanted:
            makers += [
                RenditionMaker(folder, track.name, kind, self._quality(kind, track.width, track.height))
                for track in tracks
                for kind in products.RUNGS
            ]
        if StepName.FILM in wanted:
            makers.append(FilmMaker(folder, manifest, job.moments, self._film(manifest), chapters, trim))
        if StepName.EXPORT in wanted:
            quality = self._export(trim)
            makers.append(FilmMaker(folder, manifest, job.moments, quality, chapters, trim, StepName.EXPORT))
        return makers

    def _quality(self, kind: RenditionKind, width: int, height: int) -> Quality:
        size = fit(width, height, products.RUNGS[kind])
        return Quality(*size, CRF[kind], MOST_KBPS[kind], self._settings.preset, self._settings.threads)

    def _film(self, manifest: Manifest) -> Quality:
        tallest = max(track.height for track in tracks_of(manifest))
        height = min(self._settings.film_height, tallest) & ~1
        width = round(height * 16 / 9 / 2) * 2
        return Quality(width, height, FILM_CRF, FILM_KBPS, self._settings.preset, self._settings.threads)

    def _export(self, trim: Trim) -> Quality:
        return exporting.quality(trim.seconds, self._settings.preset, self._settings.threads)

    def _progress(self, part: float) -> None:
        now = time.monotonic()
        if now - self._told_at > TOLD_EVERY_S:
            self._told_at = now
            tell(Told(progress=round(min(1.0, part), 3)))


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """`holding.held`, with patience. BadRecording "busy", OSError."""
    until = time.monotonic() + HELD_S
    while True:
        try:
            descriptor = hold(folder)
            break
        except BadRecording:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)
    try:
        yield
    finally:
        os.close(descriptor)


def tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recorder.publish.worker", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--settings", required=True, help="recorder.publish.jobs.Settings as JSON")
    parser.add_argument("--nice", type=int, default=0)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the publisher says when
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpriority(os.PRIO_PROCESS, 0, max(arguments.nice, os.getpriority(os.PRIO_PROCESS, 0)))
    work = Work(arguments.archive, msgspec.json.decode(arguments.settings, type=Settings))
    decoder = msgspec.json.Decoder(Job)
    for line in sys.stdin.buffer:
        tell(Told(progress=1.0, outcome=work.do(decoder.decode(line))))


if __name__ == "__main__":
    main()
