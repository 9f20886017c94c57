"""`lianke serve`: starts, watches and restarts campus, the media workers and the recorder.

Each child's standard input is a pipe held here: when this process dies, its end ends them (and
PR_SET_PDEATHSIG kills them where Linux has it). SIGTERM stops campus, then the others, within a deadline.
Knows no lesson and no media.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recorder import heartbeat
from server import running
from server.config import Config
from server.errors import UserFault
from server.ops.logs import fields
from server.watchdog import Watchdog

CAMPUS = "campus"
STORE_FILE = "store.json"
STORE_FIELDS = ("url", "endpoint", "region", "access_key", "secret_key")  # recorder.archive.storage.StoreAt
READY = b"READY"
BAD_CONFIGURATION = 2
WELL_AFTER_S = 3.0  # who lived so long was well: it is started again at once, and what it did not do is short
AFTER_CLASS_S = 3.0  # nobody in a lesson waits for it
AFTER_CLASS_NICE = 5
ABORT_S = 1.0  # to say where it hangs, before it is killed
LONGEST_SOCKET_PATH = 100
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # opened before any fork

log = logging.getLogger("supervisor")


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running. `rests_s`: it can wait so long after its end, while others that died with
    it have the processors; `nice`: so much it gives way to them, from its first line on."""

    name: str
    argv: tuple[str, ...]
    rests_s: float = 0.0
    nice: int = 0


def programs(config: Config, config_file: Path | None) -> list[Program]:
    """Recorder and workers first: campus connects to them."""
    run, python = config.run_path, sys.executable
    recorder = (python, "-m", "recorder", "--control", str(run / "recorder.sock"),
                "--archive", str(config.archive_path))  # fmt: skip
    found = [
        Program("recorder", recorder),
        Program("publisher", _publisher(config), AFTER_CLASS_S, AFTER_CLASS_NICE),
    ]
    host = f"[{config.media.listen}]" if ":" in config.media.listen else config.media.listen
    for number in range(config.worker_count):
        argv = [python, "-m", "server.media", "--worker", f"w{number}",
                "--control", str(run / f"w{number}.sock"), "--taps", str(run / f"w{number}.taps"),
                "--listen", f"{host}:{config.media.port_base + number}"]  # fmt: skip
        argv += [] if config.media.tcp else ["--no-tcp"]
        for address in config.media.announce:
            argv += ["--announce", address]
        found.append(Program(f"w{number}", tuple(argv)))
    ingest = [python, "-m", "server.ingest", "--control", str(run / "ingest.sock")]
    for network in config.ingest.networks:
        ingest += ["--network", network]
    if config.ingest.rtmp_port:
        place = config.ingest.rtmp_listen
        ingest += ["--rtmp", f"[{place}]:{config.ingest.rtmp_port}"]
    found.append(Program("ingest", tuple(ingest)))
    chosen = ("--config", str(config_file)) if config_file is not None else ()
    return [*found, Program(CAMPUS, (python, "-m", "server.app", *chosen))]


def _publisher(config: Config) -> tuple[str, ...]:
    made = config.publishing
    options = [
        "--control", str(config.run_path / "publisher.sock"), "--archive", str(config.archive_path),
        "--state", config.data.directory, "--hours", made.hours, "--nice", str(made.nice),
        "--preset", made.preset, "--threads", str(made.threads), "--film-height", str(made.film_height),
        "--least-free-bytes", str(config.data.least_free_bytes),
    ]  # fmt: skip
    if config.recording.keep_journal:
        options.append("--keep-journal")
    if config.storage.url:
        options += ["--store", str(config.run_path / STORE_FILE)]
    return (sys.executable, "-m", "recorder.publish", *options)


def write_store(config: Config) -> None:
    """Where finished recordings go, with the keys to it: for this user alone, and on no command line."""
    path, at = config.run_path / STORE_FILE, config.storage
    path.unlink(missing_ok=True)
    if at.url:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            fields_of = {name: getattr(at, name) for name in STORE_FIELDS}
            file.write(json.dumps(fields_of).encode())


def check_ports(config: Config) -> None:
    """UserFault in words where an address or port is not ours to use."""
    kinds = [(socket.SOCK_DGRAM, "UDP"), *([(socket.SOCK_STREAM, "TCP")] if config.media.tcp else [])]
    media = [
        (kind, config.media.listen, config.media.port_base + number, "media.port_base", name)
        for number in range(config.worker_count)
        for kind, name in kinds
    ]
    for kind, host, port, key, name in [
        (socket.SOCK_STREAM, config.http.listen, config.http.port, "http.port", "TCP"),
        *(
            [(socket.SOCK_STREAM, config.http.listen, config.http.help_port, "http.help_port", "TCP")]
            if config.http.help_port
            else []
        ),
        *media,
    ]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise UserFault(
                    "port_taken",
                    zh=f"{name} 端口 {host}:{port} 用不了({error.strerror})。"
                    f"请关闭占用它的程序,或修改 {key}。",
                    en=f"{name} port {host}:{port} cannot be used ({error.strerror}). "
                    f"Stop the program that uses it, or change {key}.",
                ) from error


def make_folders(config: Config) -> None:
    """Data, archive and run directory. UserFault in words where one cannot be made or written to."""
    wanted = [
        ("data.directory", Path(config.data.directory), 0o750),
        ("data.archive", config.archive_path, 0o750),
        ("data.run_directory", config.run_path, 0o700),
    ]
    for key, folder, mode in wanted:
        try:
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise UserFault(
                "bad_setting",
                zh=f"{key}:不能写入 {folder}({error.strerror})。请换一个目录,或换有权限的用户运行。",
                en=f"{key}: cannot write to {folder} ({error.strerror}). "
                "Choose another folder, or run as a user who may.",
            ) from error


@contextmanager
def run_directory(config: Config) -> Iterator[None]:
    """Hold the run directory alone. UserFault where another server holds it."""
    folder = config.run_path
    if len(os.fsencode(folder.absolute())) > LONGEST_SOCKET_PATH - len("/recorder.sock"):
        raise UserFault(
            "bad_setting",
            zh=f"data.run_directory 的路径太长,请换一个短的:{folder}",
            en=f"data.run_directory is too long for Unix sockets, choose a shorter one: {folder}",
        )
    make_folders(config)
    with (folder / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserFault(
                "already_running",
                zh=f"联课已经在这个目录运行:{folder}。请先停止它。",
                en=f"Lianke already runs with the run directory {folder}. Stop it first.",
            ) from error
        yield


def _begin(nice: int) -> None:
    """In the child, before it becomes its program: it dies with us (Linux only; elsewhere the pipe does it
    alone)."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if nice:
        os.nice(nice)


class Supervisor:
    """Runs programs until told to stop. `announce`: called once, when campus first says READY."""

    def __init__(self, config: Config, wanted: list[Program], *, address: str) -> None:
        self._timing = config.supervisor
        self._wanted = wanted
        self._address = address
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._one_ended = asyncio.Event()
        self._watchdog = Watchdog(config.run_path / "supervisor.beat", config.supervisor.hung_after_s)
        self._pids: set[int] = set()
        self._was_ready = False
        self._exit_code = 0

    def stop(self) -> None:
        """Begin the orderly end."""
        self._stopping.set()

    async def run(self) -> int:
        """Until `stop` and everything has ended. The exit code: 2 where a part refused its configuration."""
        try:
            with self._watchdog.listening():
                async with asyncio.TaskGroup() as group:
                    watching = group.create_task(self._end_the_hung(), name="watchdog")
                    beating = group.create_task(heartbeat.beat(), name="heartbeat")
                    for program in self._wanted:
                        group.create_task(self._keep(program), name=program.name)
                    await self._end_all()
                    watching.cancel()
                    beating.cancel()
        finally:
            for process in self._running.values():
                _signal(process, signal.SIGKILL)
        return self._exit_code

    async def _keep(self, program: Program) -> None:
        wait_s = self._timing.restart_first_s
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            if code == BAD_CONFIGURATION and not self._was_ready:
                self._exit_code = BAD_CONFIGURATION
                self.stop()
                return
            lived_s = time.monotonic() - began
            wait_s = self._timing.restart_first_s if lived_s > WELL_AFTER_S else wait_s
            wait_s = max(wait_s, program.rests_s)
            log.warning("ended, starting again", extra=fields(program=program.name, code=code, wait_s=wait_s))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
            wait_s = min(wait_s * 2, self._timing.restart_most_s)

    async def _run_once(self, program: Program) -> int:
        process = await asyncio.create_subprocess_exec(
            *program.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if program.name == CAMPUS else None,
            preexec_fn=partial(_begin, program.nice),
            process_group=0,
            env={**os.environ, **self._watchdog.environment},
        )
        self._running[program.name] = process
        self._pids.add(process.pid)
        log.info("started", extra=fields(program=program.name, pid=process.pid))
        if self._stopping.is_set():
            _signal(process, signal.SIGTERM)  # told to stop while it was being started
        try:
            if process.stdout is not None:
                await self._read_output(process.stdout)
            return await process.wait()
        finally:
            del self._running[program.name]
            self._pids.discard(process.pid)
            self._one_ended.set()

    async def _end_the_hung(self) -> None:
        """A process whose event loop stands is as good as dead: end it, so that it is started again."""
        async for pid in self._watchdog.hung(self._pids):
            for name, process in list(self._running.items()):
                if process.pid == pid:
                    log.error("hangs, killed", extra=fields(program=name, pid=pid))
                    _signal(process, signal.SIGABRT)
                    await asyncio.sleep(ABORT_S)
                    _signal(process, signal.SIGKILL)

    async def _read_output(self, output: asyncio.StreamReader) -> None:
        """READY becomes the one address, once. Campus says nothing else here."""
        while said := await output.read(4096):
            if READY in said and not self._was_ready:
                self._was_ready = True
                heartbeat.tell("READY=1")
                print(f"联课 Lianke: {self._address}", flush=True)

    async def _end_all(self) -> None:
        """Campus first, so that it takes no part's end for a fault; then the others; then by force."""
        await self._stopping.wait()
        heartbeat.tell("STOPPING=1")
        deadline = time.monotonic() + self._timing.drain_s
        await self._end({CAMPUS}, deadline)
        await self._end({program.name for program in self._wanted}, deadline)
        for name, process in self._running.items():
            log.warning("killed after the deadline", extra=fields(program=name, pid=process.pid))
            _signal(process, signal.SIGKILL)

    async def _end(self, names: set[str], deadline: float) -> None:
        """SIGTERM, and wait until they have ended or the deadline is over."""
        for process in self._of(names):
            _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                while self._of(names):
                    self._one_ended.clear()
                    await self._one_ended.wait()

    def _of(self, names: set[str]) -> list[asyncio.subprocess.Process]:
        return [process for name, process in self._running.items() if name in names]


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


async def _watch(supervisor: Supervisor) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
    return await supervisor.run()


def serve(config: Config, config_file: Path | None) -> int:
    """The whole of `lianke serve`; blocks. UserFault with words where it cannot start."""
    with run_directory(config):
        check_ports(config)
        write_store(config)
        wanted = programs(config, config_file)
        with running.noted(running.of(config)):
            return asyncio.run(_watch(Supervisor(config, wanted, address=config.own_url)))
