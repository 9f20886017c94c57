"""A lane: working processes that do one job each at a time, started when there is one, and may be paused.

Everything runs on the event loop; `do` is what threads of the pipeline call.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from recorder.publish.jobs import Failure, Job, Outcome, Settings, Told

log = logging.getLogger(__name__)
LONGEST_LINE = 32 << 20
IDLE_S = 60.0
"""A working process without a job for so long is ended: it holds memory."""


class Lane:
    """`workers`: so many processes; `allowed` False: they stand still in the middle of their work (SIGSTOP),
    new jobs wait."""

    def __init__(self, name: str, archive: Path, settings: Settings, nice: int, workers: int = 1) -> None:
        argv = (
            sys.executable, "-m", "recorder.publish.worker", "--archive", str(archive),
            "--settings", msgspec.json.encode(settings).decode(), "--nice", str(nice),
        )  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._workers = [_Worker(name, argv) for _ in range(workers)]
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._allowed = asyncio.Event()
        self._allowed.set()

    def do(self, job: Job, progress: Callable[[float], None]) -> Outcome:
        """Any thread but the loop's: the job's outcome, however long that takes."""
        return asyncio.run_coroutine_threadsafe(self._do(job, progress), self._loop).result()

    def allow(self, allowed: bool) -> None:
        """Go on, or stand still."""
        if allowed == self._allowed.is_set():
            return
        for worker in self._workers:
            worker.signal(signal.SIGCONT if allowed else signal.SIGSTOP)
        if allowed:
            self._allowed.set()
        else:
            self._allowed.clear()

    @property
    def allowed(self) -> bool:
        return self._allowed.is_set()

    async def aclose(self) -> None:
        """The jobs at hand are lost; their pieces are not."""
        for worker in self._workers:
            await worker.aclose()

    async def _do(self, job: Job, progress: Callable[[float], None]) -> Outcome:
        worker = await self._free.get()
        try:
            await self._allowed.wait()
            return await worker.do(job, progress)
        finally:
            self._free.put_nowait(worker)


class _Worker:
    """One working process and its job."""

    def __init__(self, name: str, argv: tuple[str, ...]) -> None:
        self._name, self._argv = name, argv
        self._process: asyncio.subprocess.Process | None = None
        self._told = msgspec.json.Decoder(Told)
        self._ending: asyncio.TimerHandle | None = None

    async def do(self, job: Job, progress: Callable[[float], None]) -> Outcome:
        if self._ending is not None:
            self._ending.cancel()
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._start()
        outcome = await self._ask(process, job, progress)
        self._ending = asyncio.get_running_loop().call_later(IDLE_S, self._end_idle)
        return outcome

    async def aclose(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self.signal(signal.SIGKILL)
            await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
        )
        log.info("%s lane works in process %d", self._name, process.pid)
        return process

    async def _ask(
        self, process: asyncio.subprocess.Process, job: Job, progress: Callable[[float], None]
    ) -> Outcome:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(job) + b"\n")
            await process.stdin.drain()
            while line := await process.stdout.readline():
                told = self._told.decode(line)
                if told.outcome is not None:
                    return told.outcome
                progress(told.progress)
        except (ConnectionError, ValueError, msgspec.MsgspecError) as error:
            log.warning("%s lane's process is not understood: %s", self._name, error)
            self.signal(signal.SIGKILL)
        code = await process.wait()
        return Outcome(problem=Failure("worker_died", f"exit code {code} in {job.step}"))

    def _end_idle(self) -> None:
        """The timer of a worker with a job is cancelled."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
