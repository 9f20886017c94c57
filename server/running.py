"""Where the server that this user started can be asked: so `lianke lesson` needs no `--config`.

One note a server, in a folder of this user alone below the system's temporary folder.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from server.config import Config

OPERATOR_TOKEN = "operator.token"


class Running(msgspec.Struct, frozen=True):
    """`url`: as this machine reaches it; `token_file`: absolute path of the operator's token; `archive` and
    `store`: of the recordings' folder and the database; `keep_journal`: its setting; `certificate`: the
    file to know it by, "" for plain HTTP."""

    pid: int
    url: str
    token_file: str
    archive: str = ""
    store: str = ""
    keep_journal: bool = False
    certificate: str = ""


def of(config: Config) -> Running:
    """The server of a configuration, whether it runs or not; `pid` is this process'."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.http.listen, config.http.listen)
    at = f"[{host}]" if ":" in host else host
    token = (config.run_path / OPERATOR_TOKEN).absolute()
    archive, store = config.archive_path.absolute(), config.data.database or config.store_path.absolute()
    return Running(
        os.getpid(),
        f"{config.scheme}://{at}:{config.http.port}",
        str(token),
        str(archive),
        str(store),
        config.recording.keep_journal,
        str(Path(config.http.certificate).absolute()) if config.http.certificate else "",
    )


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"lianke-{os.getuid()}"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can have put something there."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
    return ours and stat.S_IMODE(found.st_mode) & 0o077 == 0


def _read(note: Path) -> Running | None:
    """What a note says, while its server lives."""
    try:
        running = msgspec.json.decode(note.read_bytes(), type=Running)
        os.kill(running.pid, 0)
    except (OSError, msgspec.MsgspecError):
        return None
    return running


def find() -> Running | None:
    """The server that runs, the one started first where there are several, or None."""
    folder = _folder()
    if not _is_ours(folder):
        return None
    notes = sorted(folder.glob("*.json"), key=lambda note: note.lstat().st_mtime_ns)
    return next((running for note in notes if (running := _read(note)) is not None), None)


@contextmanager
def noted(running: Running) -> Iterator[None]:
    """While inside, `find` can give this server. Notes of servers that were killed are removed."""
    folder = _folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(folder):
        yield  # somebody else's folder: then the command line needs --config
        return
    for old in folder.glob("*.json"):
        if _read(old) is None:
            old.unlink(missing_ok=True)
    note = folder / f"{running.pid}.json"
    beside = note.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(running))
    beside.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
