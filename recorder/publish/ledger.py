"""`published.json` as it is written: the steps of one recording and what they made. The publisher alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from recorder.archive.manifest import BadManifest
from recorder.archive.published import (
    Lane,
    Published,
    PublishingState,
    Rendition,
    RenditionKind,
    Step,
    StepName,
    StepState,
    Stretch,
    read_published,
    write_published,
)
from recorder.publish.contract import Publishing
from recorder.publish.jobs import Failure, Outcome

INSTANT = (StepName.POSTER, StepName.AAC)
BULK = (
    StepName.SOUND,
    StepName.VERIFY,
    StepName.SPRITES,
    StepName.CHAPTERS,
    StepName.RENDITIONS,
    StepName.FILM,
)
TRIMMED = (StepName.FILM, StepName.EXPORT)
MADE_BY = {RenditionKind.FILM: StepName.FILM, RenditionKind.EXPORT: StepName.EXPORT}
WRITE_S = 3.0
SETTLED = (StepState.DONE, StepState.SKIPPED)


class Ledger:
    """Any thread. `tell` hears every change."""

    def __init__(
        self,
        folder: Path,
        attempt: int,
        tell: Callable[[Publishing], None],
        rests: Callable[[], bool] = lambda: False,
    ) -> None:
        """`rests`: whether the bulk lane stands still now."""
        self._rests = rests
        self._retired = False
        self._folder = folder
        self.attempt = attempt
        self._tell = tell
        self._lock = threading.Lock()
        self._written = 0.0
        self._began: dict[StepName, float] = {}
        self.published = _read(folder)

    def retire(self) -> None:
        """Another ledger of this recording follows: nothing is written or told by this one any more."""
        with self._lock:
            self._retired = True

    def plan(
        self,
        *,
        store: bool,
        export: bool,
        foreign: bool = False,
        kept: Sequence[Stretch] = (),
        card: str = "",
    ) -> None:
        """The steps of this attempt: what is done stays, what failed waits again; film and export also where
        they show another stretch than `kept`, the export where it has another `card`, and then they are gone
        until they are made. OSError."""
        before = {step.name: step for step in self.published.steps}
        wanted = [*INSTANT]
        wanted += [StepName.TRANSCODE] if foreign or StepName.TRANSCODE in before else []
        wanted += BULK
        wanted += [StepName.EXPORT] if export or StepName.EXPORT in before else []
        wanted += [StepName.STORE] if store else []
        steps = [_again(before.get(name), name) for name in wanted]
        if foreign:  # whatever was made of pictures was made without these
            steps = [Step(s.name, s.lane) if s.lane is Lane.BULK else s for s in steps]
        anew = frozenset(TRIMMED) if list(kept) != self.published.kept else frozenset[StepName]()
        if export and card != self.published.card:
            anew |= {StepName.EXPORT}
        steps = [Step(s.name, s.lane) if s.name in anew else s for s in steps]
        if any(step.state is StepState.WAITING for step in steps):  # what was stored is not all any more
            steps = [Step(s.name, s.lane) if s.name == StepName.STORE else s for s in steps]
        self._drop(anew, steps=steps, kept=list(kept), card=card if export else self.published.card)

    def _drop(self, anew: frozenset[StepName], **plan: object) -> None:
        """The plan is written; what shows or says what it no longer should is offered to nobody."""
        made = self.published.renditions
        gone = [one for one in made if MADE_BY.get(one.kind) in anew]
        self._write(**plan, renditions=[one for one in made if one not in gone])
        for one in gone:
            (self._folder / one.file).unlink(missing_ok=True)

    def waiting(self, names: Iterable[StepName]) -> list[StepName]:
        """Those that are planned and not settled, in their order."""
        left = {step.name for step in self.published.steps if step.state not in SETTLED}
        return [name for name in names if name in left]

    def begin(self, *names: StepName) -> None:
        for name in names:
            self._began[name] = time.monotonic()
        self._change({name: {"state": StepState.RUNNING, "problem": "", "detail": ""} for name in names})

    def progress(self, part: float, *names: StepName) -> None:
        """Told at once, written now and then."""
        with self._lock:
            self._steps({name: {"progress": round(part, 3)} for name in names})
            if time.monotonic() - self._written > WRITE_S:
                self._write()
        self._say()

    def settle(self, name: StepName, outcome: Outcome) -> None:
        """What the step's job made."""
        if outcome.problem is not None:
            self.fail(name, outcome.problem)
            return
        state = StepState.SKIPPED if outcome.nothing else StepState.DONE
        made = {} if outcome.nothing else _made(self.published, outcome)
        self._change({name: {"state": state, "progress": 1.0, "seconds": self._took(name)}}, **made)

    def fail(self, name: StepName, failure: Failure) -> None:
        values = {"state": StepState.FAILED, "problem": failure.code, "detail": failure.detail[:300]}
        self._change({name: {**values, "seconds": self._took(name)}})

    def report(self) -> Publishing:
        """As people see it now."""
        steps = self.published.steps
        failed = [step for step in steps if step.state is StepState.FAILED]
        shown = next((step for step in steps if step.state is StepState.RUNNING), None)
        shown = shown or (failed[-1] if failed else None)
        state = self.published.state
        if state in (PublishingState.RUNNING, PublishingState.WAITING) and self._rests():
            state = state if self.waiting(INSTANT) else PublishingState.PAUSED
        return Publishing(
            self.published.lesson,
            state,
            self.attempt,
            self.published.progress,
            step=shown.name if shown else "",
            problem=shown.problem if shown else "",
            detail=shown.detail if shown else "",
        )

    def _took(self, name: StepName) -> float:
        began = self._began.pop(name, None)
        return 0.0 if began is None else round(time.monotonic() - began, 2)

    def _change(self, changes: dict[StepName, dict[str, object]], **made: object) -> None:
        with self._lock:
            self._steps(changes)
            self._write(**made)
        self._say()

    def _say(self) -> None:
        if not self._retired:
            self._tell(self.report())

    def _steps(self, changes: dict[StepName, dict[str, object]]) -> None:
        steps = [
            msgspec.structs.replace(step, **changes[StepName(step.name)]) if step.name in changes else step
            for step in self.published.steps
        ]
        self.published = msgspec.structs.replace(self.published, steps=steps)

    def _write(self, **values: object) -> None:
        if self._retired:
            return
        self.published = msgspec.structs.replace(self.published, **values)
        write_published(self._folder, self.published)
        self._written = time.monotonic()


def _read(folder: Path) -> Published:
    try:
        return read_published(folder) or Published(folder.name)
    except BadManifest:
        return Published(folder.name)  # everything in it can be made again


def _again(step: Step | None, name: StepName) -> Step:
    if step is not None and step.state in SETTLED:
        return step
    return Step(name, Lane.INSTANT if name in INSTANT else Lane.BULK)


def _made(published: Published, outcome: Outcome) -> dict[str, object]:
    """Fields of the file that this outcome changes."""
    made: dict[str, object] = {}
    if outcome.renditions:
        made["renditions"] = _with(published.renditions, outcome.renditions)
    for name in ("poster", "aac_playlist", "sprites", "chapters"):
        if value := getattr(outcome, name):
            made[name] = value
    if outcome.sound is not None:
        made["loudness_lufs"] = outcome.sound.lufs
    if outcome.stored:
        made["stored"] = True
    return made


def _with(before: list[Rendition], new: list[Rendition]) -> list[Rendition]:
    kinds = {made.kind for made in new}
    return [made for made in before if made.kind not in kinds] + new
