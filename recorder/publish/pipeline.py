"""What happens to a recording after class, as DBOS workflows: every step is durable, whoever dies goes on
there.

A workflow's id is the lesson, the pipeline's version and the attempt. Its steps are named by data, not by
code: an upgrade that changes this file goes on with what is pending (APPLICATION_VERSION stays what it is).
DBOS has a database of its own; on SQLite there is one publisher.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos import error as dbos_error

from recorder.archive.layout import PIECES, lesson_folder
from recorder.archive.published import Lane as LaneName
from recorder.archive.published import PublishingState, StepName
from recorder.archive.reading import foreign_tracks, read_recording
from recorder.publish.contract import Publishing, Submit
from recorder.publish.jobs import Failure, Job, Settings, Sound
from recorder.publish.lane import Lane
from recorder.publish.ledger import BULK, INSTANT, Ledger
from recorder.publish.passing import pieces_of

PIPELINE = 1
APPLICATION_VERSION = "lianke"
EXECUTOR = "publisher"
OF_PIECES = (StepName.VERIFY, StepName.SPRITES, StepName.CHAPTERS, StepName.RENDITIONS, StepName.FILM)
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
POLL_S = 0.5
AT_ONCE = {LaneName.INSTANT: 4, LaneName.BULK: 1}
"""Workflows that are begun. The instant lane's next jobs stand ready, where they would wait for a look into
the queue (many lessons end at one bell)."""

log = logging.getLogger(__name__)


class Pipeline:
    """One a process. `lanes` do the work; `tell` hears of every change."""

    def __init__(
        self,
        archive: Path,
        lanes: dict[LaneName, Lane],
        settings: Settings,
        tell: Callable[[Publishing], None],
    ) -> None:
        self._archive = archive
        self._lanes = lanes
        self._settings = settings
        self._tell = tell
        self._ledgers: dict[str, Ledger] = {}
        self._lock = threading.Lock()

    def launch(self, database: Path) -> None:
        """Open DBOS' database and go on with what is pending there. Blocking."""
        config: DBOSConfig = {
            "name": "lianke-publisher",
            "system_database_url": f"sqlite:///{database}",
            "application_version": APPLICATION_VERSION,
            "executor_id": EXECUTOR,
            "log_level": "ERROR",
            "max_executor_threads": sum(AT_ONCE.values()) + 2,
        }
        DBOS(config=config)
        logging.getLogger("dbos").addFilter(_is_no_stop)

        @DBOS.workflow(name="instant")
        def instant(raw: dict[str, Any]) -> None:
            self._run_instant(raw)

        @DBOS.workflow(name="bulk")
        def bulk(raw: dict[str, Any]) -> None:
            self._run_bulk(raw)

        self._instant, self._bulk = instant, bulk
        DBOS.launch()
        for lane, count in AT_ONCE.items():
            DBOS.register_queue(lane, worker_concurrency=count, polling_interval_sec=POLL_S)

    def submit(self, submit: Submit) -> Publishing:
        """Make what is not made yet; said again it changes nothing. As it is now. BadName, BadManifest,
        OSError. Blocking."""
        manifest = read_recording(self._archive, submit.lesson)
        name = workflow_id(submit, LaneName.INSTANT)
        if DBOS.get_workflow_status(name) is None:
            self._stop(submit.lesson)
            ledger = self._ledger(submit)
            foreign = bool(foreign_tracks(manifest))
            ledger.plan(
                store=bool(self._settings.store),
                export=submit.export,
                foreign=foreign,
                kept=submit.kept,
                card=submit.card.digest,
            )
            with SetWorkflowID(name):
                DBOS.enqueue_workflow(LaneName.INSTANT, self._instant, msgspec.to_builtins(submit))
        return self._ledger(submit).report()

    def tell_all(self) -> None:
        """The bulk lane rests, or goes on: what is under way has another state."""
        with self._lock:
            ledgers = list(self._ledgers.values())
        for ledger in ledgers:
            if ledger.published.state in (PublishingState.RUNNING, PublishingState.WAITING):
                self._tell(ledger.report())

    def forget(self, lesson: str) -> None:
        """The recording is deleted."""
        self._stop(lesson)

    def _stop(self, lesson: str) -> None:
        """Earlier attempts come no further than the job at hand, and what that makes counts no more. What
        those that ended were told is forgotten: it names people."""
        for found in DBOS.list_workflows(workflow_id_prefix=f"{lesson}.p"):
            if found.status not in ENDED:
                DBOS.cancel_workflow(found.workflow_id)
            else:
                DBOS.delete_workflow(found.workflow_id)
        with self._lock:
            ledger = self._ledgers.pop(lesson, None)
        if ledger is not None:
            ledger.retire()

    # -- the workflows: their steps' order must not depend on anything but what steps returned

    def _run_instant(self, raw: dict[str, Any]) -> None:
        submit = msgspec.convert(raw, Submit)
        for name in INSTANT:
            DBOS.run_step({"name": "work"}, self._work, submit, name)
        with SetWorkflowID(workflow_id(submit, LaneName.BULK)):
            DBOS.enqueue_workflow(LaneName.BULK, self._bulk, raw)

    def _run_bulk(self, raw: dict[str, Any]) -> None:
        submit = msgspec.convert(raw, Submit)
        plan = DBOS.run_step({"name": "plan"}, self._plan, submit)
        if first := plan.get("first"):  # how long the pictures are is known after it
            for name in first:
                DBOS.run_step({"name": "work"}, self._work, submit, name)
            plan = DBOS.run_step({"name": "plan"}, self._plan, submit)
        heard = DBOS.run_step({"name": "work"}, self._work, submit, StepName.SOUND)
        steps = list(plan["steps"])
        for piece in range(plan["pieces"]):
            failed = DBOS.run_step({"name": "piece"}, self._piece, submit, piece, steps)
            steps = [name for name in steps if name not in failed]
        for name in plan["finish"]:
            if name in steps or name not in plan["steps"]:
                DBOS.run_step({"name": "work"}, self._work, submit, name, heard)
        DBOS.run_step({"name": "clean"}, self._clean, submit)

    # -- the steps: each may be done again from its beginning, and never raises for what a recording does

    def _plan(self, submit: Submit) -> dict[str, Any]:
        ledger = self._ledger(submit)
        manifest = read_recording(self._archive, submit.lesson)
        steps = ledger.waiting((*OF_PIECES, StepName.EXPORT))
        finish = ledger.waiting((*BULK[1:], StepName.EXPORT, StepName.STORE))
        return {
            "first": ledger.waiting([StepName.TRANSCODE]),
            "pieces": pieces_of(manifest.seconds, self._settings.piece_s) if steps else 0,
            "steps": steps,
            "finish": finish,
        }

    def _work(self, submit: Submit, name: str, heard: Any = None) -> Any:
        """One step's own work; what the sound's step heard is returned for the verdict."""
        ledger, step = self._ledger(submit), StepName(name)
        if ledger.attempt != submit.attempt or not ledger.waiting([step]):
            return None
        ledger.begin(step)
        sound = msgspec.convert(heard, Sound) if heard is not None else None
        job = Job(
            submit.lesson, step, moments=submit.moments, card=submit.card, sound=sound, kept=submit.kept
        )
        lane = LaneName.INSTANT if step in INSTANT else LaneName.BULK
        outcome = self._lanes[lane].do(job, lambda part: ledger.progress(part, step))
        ledger.settle(step, outcome)
        if outcome.problem is not None:
            log.error("a step failed", extra=_about(submit, step, outcome.problem))
        return msgspec.to_builtins(outcome.sound)

    def _piece(self, submit: Submit, piece: int, steps: list[str]) -> list[str]:
        """One piece of the one decode; the steps that failed in it."""
        ledger, wanted = self._ledger(submit), [StepName(name) for name in steps]
        if not wanted or ledger.attempt != submit.attempt:
            return []
        ledger.begin(*wanted)
        seconds = read_recording(self._archive, submit.lesson).seconds
        pieces = pieces_of(seconds, self._settings.piece_s)
        job = Job(
            submit.lesson, wanted[0], piece=piece, steps=wanted, moments=submit.moments, card=submit.card,
            kept=submit.kept,
        )  # fmt: skip
        outcome = self._lanes[LaneName.BULK].do(
            job, lambda part: ledger.progress((piece + part) / pieces * 0.95, *wanted)
        )
        failed = dict(outcome.failed)
        if outcome.problem is not None:
            failed = dict.fromkeys(wanted, outcome.problem)
        for step, failure in failed.items():
            if step in wanted:
                log.error("a step failed", extra=_about(submit, step, failure))
                ledger.fail(step, failure)
        return [str(step) for step in failed]

    def _clean(self, submit: Submit) -> None:
        shutil.rmtree(lesson_folder(self._archive, submit.lesson) / PIECES, ignore_errors=True)

    def _ledger(self, submit: Submit) -> Ledger:
        with self._lock:
            known = self._ledgers.get(submit.lesson)
            if known is None:
                folder = lesson_folder(self._archive, submit.lesson)
                known = self._ledgers[submit.lesson] = Ledger(
                    folder, submit.attempt, self._tell, lambda: not self._lanes[LaneName.BULK].allowed
                )
            return known


def _is_no_stop(record: logging.LogRecord) -> bool:
    """Whether a line of DBOS' own is none about an earlier attempt that was stopped."""
    error = record.exc_info[1] if record.exc_info else None
    stopped = dbos_error.DBOSAwaitedWorkflowCancelledError, dbos_error.DBOSWorkflowCancelledError
    return not isinstance(error, stopped)


def workflow_id(submit: Submit, lane: LaneName) -> str:
    return f"{submit.lesson}.p{PIPELINE}.a{submit.attempt}.{lane}"


def _about(submit: Submit, step: StepName, failure: Failure) -> dict[str, str]:
    return {"lesson": submit.lesson, "track": step, "reason": f"{failure.code} {failure.detail}"}
