"""`lianke serve` whole, with its real children: how it ends, what it takes along, what it says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from server.drill.own_server import (
    SAMPLE_ROOMS,
    OwnServer,
    own_server,
    start_server,
    stop_server,
    url_of,
    write_config,
)

WITHIN_S = 20.0
CHILDREN = ("campus", "w0", "ingest", "recorder")


async def lianke(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and errors of the command, with a temporary folder of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_every_process_ends_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    process = await start_server(write_config(tmp_path, SAMPLE_ROOMS), tmp_path / "log")
    children: list[int] = []
    try:
        server = OwnServer("", process.pid, tmp_path, tmp_path, tmp_path / "log")
        children = [server.child(name) for name in CHILDREN]
        assert all(alive(pid) for pid in children)
        process.kill()
        await process.wait()
        await until(lambda: not any(alive(pid) for pid in children))
    finally:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def test_sigterm_ends_everything_well_within_its_deadline_and_one_address_was_told(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, SAMPLE_ROOMS)
    process = await start_server(config, tmp_path / "log")
    began = asyncio.get_running_loop().time()
    await stop_server(process)
    assert process.returncode == 0
    assert asyncio.get_running_loop().time() - began < 10
    said = (tmp_path / "log").read_text()
    assert said.count("http://") == 1
    assert url_of(config).replace("127.0.0.1", "localhost") in said
    assert "killed after the deadline" not in said
    assert "Traceback" not in said


async def test_a_process_that_hangs_is_killed_and_started_again_and_nobody_else_is(tmp_path: Path) -> None:
    config = write_config(tmp_path, SAMPLE_ROOMS, extra="[supervisor]\nhung_after_s = 4.0")
    process = await start_server(config, tmp_path / "log")
    server = OwnServer("", process.pid, tmp_path, tmp_path, tmp_path / "log")
    before = {name: server.child(name) for name in CHILDREN}
    try:
        os.kill(before["w0"], signal.SIGSTOP)
        await until(lambda: server.child("w0") != before["w0"])
        assert server.log.read_text().count("hangs, killed") == 1
        assert not alive(before["w0"])
        assert {name: server.child(name) for name in CHILDREN} == {**before, "w0": server.child("w0")}
    finally:
        await stop_server(process)


async def test_a_taken_port_ends_it_at_once_with_words_in_both_languages(tmp_path: Path) -> None:
    config = write_config(tmp_path, SAMPLE_ROOMS)
    with socket.create_server(("127.0.0.1", int(url_of(config).rpartition(":")[2]))):
        code, output, errors = await lianke("serve", "--config", str(config), folder=tmp_path)
    assert (code, output) == (2, "")
    assert "http.port" in errors
    assert "请关闭" in errors
    assert "Traceback" not in errors


async def test_the_command_line_starts_lists_and_ends_lessons(tmp_path: Path) -> None:
    async with own_server() as server:
        chosen = ("--config", str(server.config))
        code, output, errors = await lianke(
            "lesson", "start", "--room", "main", "--json", *chosen, folder=tmp_path
        )
        assert (code, errors) == (0, "")
        doors = json.loads(output)
        assert set(doors) == {"lesson", "whip", "whip_token", "whep", "whep_token", "studio"}
        code, output, _ = await lianke("lesson", "list", "--json", *chosen, folder=tmp_path)
        assert [(row["lesson"], row["state"]) for row in json.loads(output)] == [(doors["lesson"], "live")]
        code, output, _ = await lianke("lesson", "end", doors["lesson"], "--json", *chosen, folder=tmp_path)
        assert json.loads(output)["state"] == "ended"
        code, output, errors = await lianke("lesson", "start", "--room", "nowhere", *chosen, folder=tmp_path)
        assert (code, output) == (2, "")
        assert "Not found" in errors
        log = server.log.read_text()
        for private in (doors["whip_token"], doors["whep_token"], "eyJ", "星光", "Starlight"):
            assert private not in log
        secret = server.folder / "run" / "operator.token"
        assert secret.stat().st_mode & 0o777 == 0o600


async def test_without_a_server_the_command_line_says_what_to_do(tmp_path: Path) -> None:
    config = write_config(tmp_path, SAMPLE_ROOMS)
    code, _, errors = await lianke("lesson", "list", "--config", str(config), folder=tmp_path)
    assert code == 2
    assert "does not run" in errors
    assert "Traceback" not in errors
