"""server.running: the command line finds the server this user started, and believes no other's note."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from server import running
from server.config import build


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_server_is_found_while_it_runs_and_not_after() -> None:
    here = running.of(build({"http": {"port": 8099}}, {}))
    assert here.url == "http://127.0.0.1:8099"
    assert running.find() is None
    with running.noted(here):
        assert running.find() == here
    assert running.find() is None


def test_a_server_that_was_killed_is_not_found() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    gone = running.Running(pid, "http://127.0.0.1:8099", "/nowhere")
    with running.noted(gone):
        assert running.find() is None


def test_of_two_servers_the_one_started_first_is_asked_until_it_stops() -> None:
    first = running.Running(os.getpid(), "http://127.0.0.1:1", "/one")
    second = running.Running(os.getppid(), "http://127.0.0.1:2", "/two")
    with ExitStack() as later:
        with running.noted(first):
            later.enter_context(running.noted(second))
            assert running.find() == first
        assert running.find() == second


def test_a_folder_that_others_can_write_is_not_believed(tmp_path: Path) -> None:
    here = running.of(build({}, {}))
    folder = tmp_path / f"lianke-{os.getuid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with running.noted(here):
        assert running.find() is None
