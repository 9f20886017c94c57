"""server.supervisor with real processes: what dies is started again, and nothing outlives the supervisor."""

import asyncio
import json
import os
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from server.config import Config, Data, Http, Media, build
from server.errors import UserFault
from server.supervisor import BAD_CONFIGURATION, check_ports, programs, run_directory

WITHIN_S = 15.0

CHILD = """
import os, pathlib, signal, sys
from recorder import lifeline
lifeline.watch(lambda: os._exit(70))
folder, name, manner = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with (folder / name).open("a") as file:
    file.write(f"{os.getpid()}\\n")
if manner == "refuses":
    sys.exit(2)
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if name == "campus":
    print("READY", flush=True)
while True:
    signal.pause()
"""

PARENT = """
import asyncio, json, sys
from server.config import build
from server.supervisor import Program, Supervisor, _watch
from server.ops import logs
folder, child, manners = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
logs.set_up("supervisor", "info", "text")
wanted = [Program(name, (sys.executable, child, folder, name, manner)) for name, manner in manners.items()]
config = build({"supervisor": {"drain_s": 1.0}, "data": {"run_directory": folder}}, {})
sys.exit(asyncio.run(_watch(Supervisor(config, wanted, address="http://localhost:1"))))
"""


class House:
    """A supervisor in a process of its own, and the pids its children wrote down."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process

    def pids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


Opener = Callable[..., "asyncio.Future[House]"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    opened: list[House] = []
    for name, text in (("child.py", CHILD), ("parent.py", PARENT)):
        (tmp_path / name).write_text(textwrap.dedent(text))

    async def open_house(**manners: str) -> House:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(tmp_path / "parent.py"),
            str(tmp_path),
            str(tmp_path / "child.py"),
            json.dumps(manners),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        one = House(tmp_path, process)
        opened.append(one)
        # Where a part refuses at once, the supervisor may be gone before another part wrote its pid.
        gone = asyncio.create_task(process.wait())
        await one.until(lambda: gone.done() or all(one.pids(name) for name in manners))
        gone.cancel()
        return one

    yield open_house
    for one in opened:
        if one.process.returncode is None:
            one.process.kill()
        await one.process.wait()
        one.process._transport.close()  # type: ignore[attr-defined]


async def test_a_killed_child_is_started_again_and_the_others_go_on(house: Opener) -> None:
    running = await house(campus="well", w0="well")
    os.kill(running.pids("w0")[0], signal.SIGKILL)
    await running.until(lambda: len(running.pids("w0")) == 2)
    assert len(running.pids("campus")) == 1
    assert alive(running.pids("campus")[0])


async def test_the_one_address_is_printed_once_when_campus_is_ready(house: Opener) -> None:
    running = await house(campus="well")
    os.kill(running.pids("campus")[0], signal.SIGKILL)
    await running.until(lambda: len(running.pids("campus")) == 2)
    running.process.terminate()
    said, _ = await running.process.communicate()
    assert said.decode().count("http://") == 1
    assert "http://localhost:1" in said.decode()


@pytest.mark.parametrize("manner", ["well", "stubborn"])
async def test_every_child_ends_when_the_supervisor_is_killed(house: Opener, manner: str) -> None:
    running = await house(campus=manner, w0=manner, recorder=manner)
    children = [pid for name in ("campus", "w0", "recorder") for pid in running.pids(name)]
    running.process.kill()
    await running.until(lambda: not any(alive(pid) for pid in children))


async def test_sigterm_ends_everything_and_the_stubborn_after_the_deadline(house: Opener) -> None:
    running = await house(campus="well", w0="stubborn", recorder="well")
    running.process.terminate()
    async with asyncio.timeout(WITHIN_S):
        assert await running.process.wait() == 0
    assert not any(alive(pid) for name in ("campus", "w0", "recorder") for pid in running.pids(name))


async def test_a_part_that_refuses_its_configuration_at_first_ends_all_with_code_2(house: Opener) -> None:
    running = await house(recorder="well", w0="refuses")
    async with asyncio.timeout(WITHIN_S):
        assert await running.process.wait() == BAD_CONFIGURATION
    assert len(running.pids("w0")) == 1


def test_programs_are_each_worker_on_its_port_and_one_of_each_other_kind() -> None:
    config = build({"media": {"workers": 2, "announce": ["192.0.2.1"], "port_base": 41000}}, {})
    found = {program.name: program.argv for program in programs(config, Path("x.toml"))}
    assert list(found) == ["recorder", "publisher", "w0", "w1", "ingest", "campus"]
    assert "0.0.0.0:41001" in found["w1"]
    assert found["w1"][-2:] == ("--announce", "192.0.2.1")
    assert found["campus"][-2:] == ("--config", "x.toml")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_told_in_words(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        http = Http(listen="127.0.0.1", port=port if kind == socket.SOCK_STREAM else 0)
        media = Media(listen="127.0.0.1", workers=1, port_base=port if kind == socket.SOCK_DGRAM else 40999)
        with pytest.raises(UserFault, match=str(port)) as told:
            check_ports(Config(http=http, media=media))
        assert str(port) in told.value.words.zh


def test_one_run_directory_holds_one_server(tmp_path: Path) -> None:
    config = Config(data=Data(run_directory=str(tmp_path / "run")))
    with run_directory(config):
        with pytest.raises(UserFault, match="already runs"), run_directory(config):
            pass
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    with run_directory(config):
        pass


def test_a_folder_that_cannot_be_made_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for key in ("directory", "archive", "run_directory"):
        folders = {
            "directory": str(tmp_path),
            "run_directory": str(tmp_path),
            key: str(tmp_path / "file" / "x"),
        }
        with (
            pytest.raises(UserFault, match=f"data.{key}"),
            run_directory(build({"data": folders}, {})),
        ):
            pass


def test_a_run_directory_too_deep_for_unix_sockets_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(UserFault, match="too long"),
        run_directory(Config(data=Data(run_directory=str(tmp_path / ("x" * 100))))),
    ):
        pass
