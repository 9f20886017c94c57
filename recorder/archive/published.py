"""What was made of a recording after class, as one JSON file beside the manifest, versioned.

`published.json` is written by the publisher alone, whole or not at all, after each step; others read it.
Files are names in the lesson's folder. Times are seconds on the lesson's clock (recorder.archive.manifest).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from recorder.archive.manifest import BadManifest, write_whole

PUBLISHED = "published.json"
VERSION = 1
MAX_BYTES = 4 << 20


class Lane(StrEnum):
    """Which queue a step waits in: INSTANT is never held back, BULK waits for a calm machine."""

    INSTANT = "instant"
    BULK = "bulk"


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # `problem` says why; may be retried
    SKIPPED = "skipped"  # nothing to do: no picture, no sound


class PublishingState(StrEnum):
    """How far what is made of a recording has come, in one word for people."""

    WAITING = "waiting"  # nothing has begun
    RUNNING = "running"
    PAUSED = "paused"  # the instant lane is done; the bulk lane waits for a calm machine or the night
    DONE = "done"
    FAILED = "failed"  # everything was tried, some steps failed; may be retried


class StepName(StrEnum):
    """The steps in their order. A file may hold others, of another version: pass over them."""

    POSTER = "poster"
    AAC = "aac"  # each voice for players without Opus
    TRANSCODE = "transcode"  # pictures that came as VP8, VP9 or AV1: H.264 out of the journal
    SOUND = "sound"  # all voices in one, loudness measured and evened
    VERIFY = "verify"  # every picture decoded, every sum taken: the verdict in the manifest
    SPRITES = "sprites"
    CHAPTERS = "chapters"
    RENDITIONS = "renditions"
    FILM = "film"
    STORE = "store"  # into the object store, where one is configured
    EXPORT = "export"  # on demand only


class Step(msgspec.Struct, frozen=True):
    """One step of the pipeline. `progress`: 0 to 1; `problem`: "" or a stable code, `detail` for IT."""

    name: str
    lane: Lane
    state: StepState = StepState.WAITING
    progress: float = 0.0
    problem: str = ""
    detail: str = ""
    seconds: float = 0.0  # of work, so far


class Chapter(msgspec.Struct, frozen=True):
    """A slide of the courseware. `picture`: a file name, "" where none was made."""

    start_s: float
    end_s: float
    title: str = ""
    picture: str = ""


class RenditionKind(StrEnum):
    """What a derived file is for."""

    AAC = "aac"  # the voice for players without Opus
    HIGH = "720p"
    LOW = "360p"
    SOUND = "sound"  # all voices in one, loudness evened
    FILM = "film"  # screen and camera composed
    EXPORT = "export"  # the film as "excellent lesson" competitions want it


class Rendition(msgspec.Struct, frozen=True):
    """A derived file. `track`: what it was made from ("" = the lesson); `playlist`: its HLS one, or ""."""

    kind: RenditionKind
    file: str
    track: str = ""
    playlist: str = ""
    codec: str = ""  # "H264", "AAC", "H264+AAC"
    seconds: float = 0.0
    bytes: int = 0
    width: int = 0
    height: int = 0
    sha256: str = ""


class Stretch(msgspec.Struct, frozen=True):
    """A part of the lesson, in seconds on its clock."""

    start_s: float
    end_s: float


class Sprites(msgspec.Struct, frozen=True):
    """Hover thumbnails of one track: a WebVTT file whose cues name a picture and `#xywh=`."""

    track: str
    vtt: str


class Published(msgspec.Struct, frozen=True):
    """All that was made of a recording so far."""

    lesson: str
    steps: list[Step] = []
    poster: str = ""
    sprites: list[Sprites] = []
    chapters: list[Chapter] = []
    renditions: list[Rendition] = []
    loudness_lufs: float | None = None  # of the voices as recorded (EBU R 128)
    aac_playlist: str = ""  # multivariant, with AAC in place of Opus: for players without it
    kept: list[Stretch] = []  # what the film and the export show; none: everything
    card: str = ""  # the export's title card, as `Card.digest` names it; "": of a version that did not say
    stored: bool = False  # the media files are in the object store; some may be there alone
    version: int = VERSION

    def step(self, name: str) -> Step | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)

    def rendition(self, kind: RenditionKind, track: str = "") -> Rendition | None:
        """The derived file of this kind, made from this track."""
        return next((made for made in self.renditions if made.kind is kind and made.track == track), None)

    @property
    def state(self) -> PublishingState:
        """All steps in one word; that the bulk lane rests is not in the file, the publisher tells it."""
        states = {step.state for step in self.steps}
        if StepState.RUNNING in states:
            return PublishingState.RUNNING
        if StepState.WAITING in states:
            begun = states - {StepState.WAITING}
            return PublishingState.RUNNING if begun else PublishingState.WAITING
        if not states:
            return PublishingState.WAITING
        return PublishingState.FAILED if StepState.FAILED in states else PublishingState.DONE

    @property
    def progress(self) -> float:
        """0 to 1, over all steps."""
        settled = (StepState.DONE, StepState.SKIPPED, StepState.FAILED)
        done = sum(1.0 if step.state in settled else step.progress for step in self.steps)
        return round(done / len(self.steps), 3) if self.steps else 0.0


_decoder = msgspec.json.Decoder(Published)


def write_published(folder: Path, published: Published) -> None:
    """Replace the file in one step, on the disk on return."""
    data = msgspec.json.format(msgspec.json.encode(published), indent=1) + b"\n"
    write_whole(folder / PUBLISHED, data, durable=True)


def read_published(folder: Path) -> Published | None:
    """What was made of the recording in `folder`, None where nothing was yet. BadManifest where the file is
    damaged, of a newer version or another lesson's."""
    try:
        with (folder / PUBLISHED).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    try:
        if len(data) > MAX_BYTES:
            raise BadManifest("damaged", f"{folder.name}: over {MAX_BYTES} bytes")
        published = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadManifest("damaged", str(error)[:200]) from error
    if published.version != VERSION:
        raise BadManifest("newer_version", f"version {published.version}, this program reads {VERSION}")
    if published.lesson != folder.name:
        raise BadManifest("other_lesson", published.lesson[:80])
    return published
