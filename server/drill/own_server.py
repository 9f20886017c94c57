"""An installation of one's own for the length of a block: temp folder, free ports, `lianke serve`."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
LOG_TAIL = 4000


@dataclass(frozen=True, slots=True)
class RoomName:
    """A room of the installation to be."""

    id: str
    zh: str
    en: str
    main: bool = False


SAMPLE_ROOMS = (
    RoomName("main", "星光小学录播室", "Starlight Primary recording room", main=True),
    RoomName("luoping", "罗平教学点", "Luoping point"),
    RoomName("shahe", "沙河教学点", "Shahe point"),
    RoomName("yefan", "野番教学点", "Yefan point"),
)


def sample_rooms(points: int) -> tuple[RoomName, ...]:
    """The main room and `points` receiving rooms."""
    more = tuple(RoomName(f"point-{k}", f"第{k}教学点", f"Point {k}") for k in range(4, points + 1))
    return (*SAMPLE_ROOMS[: 1 + min(points, 3)], *more)


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A running installation."""

    url: str
    pid: int
    folder: Path
    config: Path
    log: Path

    @property
    def archive(self) -> Path:
        return self.folder / "data" / "archive"

    def child(self, program: str) -> int:
        """The process that now runs as "campus", "w0" or "recorder", as the supervisor's log tells."""
        started = re.findall(rf"started program={program} pid=(\d+)", self.log.read_text())
        if not started:
            raise LookupError(f"the supervisor started no {program}")
        return int(started[-1])


class ServerFailed(Exception):
    """`lianke serve` did not become ready; the message holds the end of its log."""


def free_port(kind: socket.SocketKind) -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_media_ports(count: int) -> int:
    """The first of `count` neighbouring UDP and TCP ports of 127.0.0.1 that nobody has now."""
    while True:
        base = random.randrange(20_000, 32_000)
        try:
            for port in range(base, base + count):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base


def write_config(
    folder: Path,
    rooms: Sequence[RoomName],
    workers: int = 1,
    extra: str = "",
    media_listen: str = LOOPBACK,
) -> Path:
    """A demo configuration on loopback under `folder`; `extra` is TOML of further sections."""
    lines = [
        f'[http]\nlisten = "127.0.0.1"\nport = {free_port(socket.SOCK_STREAM)}',
        f'[media]\nlisten = "{media_listen}"\nworkers = {workers}\nport_base = {free_media_ports(workers)}',
        f'[data]\ndirectory = "{folder / "data"}"\nrun_directory = "{folder / "run"}"',
        "least_free_bytes = 1000000",
        "[demo]\nenabled = true",
        '[publishing]\nnice = 0\npreset = "ultrafast"',
        extra,
    ]
    for room in rooms:
        main = "true" if room.main else "false"
        lines.append(f'[[rooms]]\nid = "{room.id}"\nzh = "{room.zh}"\nen = "{room.en}"\nmain = {main}')
    path = folder / "lianke.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def url_of(config: Path) -> str:
    """The address in a configuration of `write_config`."""
    port = next(line for line in config.read_text().splitlines() if line.startswith("port ="))
    return f"http://127.0.0.1:{port.split('=')[1].strip()}"


async def start_server(config: Path, log: Path) -> asyncio.subprocess.Process:
    """`lianke serve` in a process group of its own, ready. ServerFailed where it does not get there."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "serve", "--config", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
            while process.returncode is None:
                if await _is_ready(http, url_of(config)):
                    return process
                await asyncio.sleep(0.05)
    except TimeoutError:
        await stop_server(process)
    raise ServerFailed(f"the server did not become ready:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL:]


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def stop_server(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, the deadline, then SIGKILL for its whole process group."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def own_server(
    rooms: Sequence[RoomName] = SAMPLE_ROOMS,
    workers: int = 1,
    extra: str = "",
    media_listen: str = LOOPBACK,
) -> AsyncIterator[OwnServer]:
    """Start, serve, stop, forget. `extra`: TOML of further sections; `media_listen`: where media may come
    from, loopback where not said."""
    with tempfile.TemporaryDirectory(prefix="lianke-drill-") as name:
        folder = Path(name)
        config = write_config(folder, rooms, workers, extra, media_listen=media_listen)
        log = folder / "server.log"
        process = await start_server(config, log)
        try:
            yield OwnServer(url_of(config), process.pid, folder, config, log)
        finally:
            await stop_server(process)
