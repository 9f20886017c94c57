"""What the publisher asks of its working process and what comes back: one line of JSON each."""

from __future__ import annotations

import msgspec

from recorder.archive.published import Chapter, Rendition, Sprites, StepName, Stretch
from recorder.publish.contract import Card, Moment


class Settings(msgspec.Struct, frozen=True):
    """How much may be spent. `threads`: of an encoder; `least_free_bytes`: below this nothing big is made."""

    preset: str = "veryfast"
    threads: int = 2
    film_height: int = 720
    piece_s: float = 60.0  # how much of a lesson a kill may cost
    least_free_bytes: int = 2_000_000_000
    keep_journal: bool = False
    store: str = ""  # recorder.archive.storage: where finished recordings go besides the folder


class Sound(msgspec.Struct, frozen=True):
    """What decoding every voice found (`recorder.publish.sound.Measured`)."""

    lufs: float | None = None
    sounds: dict[str, int] = {}
    broken: list[str] = []


class Job(msgspec.Struct, frozen=True):
    """`step`: whose work it is; `piece`: of the one decode (then `steps` are the makers wanted), None: the
    step's own work; `live`: what can be done beforehand, of a lesson that is still on."""

    lesson: str
    step: StepName
    piece: int | None = None
    live: bool = False
    steps: list[StepName] = []
    moments: list[Moment] = []
    card: Card = Card()
    sound: Sound | None = None
    kept: list[Stretch] = []  # of film and export


class Failure(msgspec.Struct, frozen=True):
    code: str
    detail: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What a job made; only what its step makes is set. `failed`: makers that were dropped in this piece;
    `problem`: the job itself could not be done; `nothing`: there was nothing to do."""

    problem: Failure | None = None
    nothing: bool = False
    failed: dict[StepName, Failure] = {}
    poster: str = ""
    aac_playlist: str = ""
    sound: Sound | None = None
    sprites: list[Sprites] = []
    chapters: list[Chapter] = []
    renditions: list[Rendition] = []
    stored: bool = False


class Told(msgspec.Struct, frozen=True):
    """A line of the working process: `progress` of the job at hand, or its `outcome`."""

    progress: float = 0.0
    outcome: Outcome | None = None
