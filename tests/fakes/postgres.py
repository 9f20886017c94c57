"""A PostgreSQL server of one test run: Debian's, in a folder of its own, on a Unix socket alone.

It refuses to run as root: there it becomes the user `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIBRARY = Path("/usr/lib/postgresql")
PATIENCE_S = "40"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, the newest version's; None where PostgreSQL is not installed."""
    found = shutil.which("pg_ctl")
    folders = [Path(os.path.realpath(found)).parent] if found else []
    folders += sorted(LIBRARY.glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextlib.contextmanager
def postgres(bin_folder: Path) -> Iterator[str]:
    """A running server; the URL of its first database, for others replace "postgres?" in it."""
    whom: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="lianke-pg-"))
    data = folder / "data"
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        whom = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def run(*command: str) -> None:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, **whom,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout} {done.stderr}")

    try:
        run(
            str(bin_folder / "initdb"),
            "-D",
            str(data),
            "-U",
            "lianke",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        options = f"-F -k {folder} -c listen_addresses='' -c max_connections=60"
        control = (str(bin_folder / "pg_ctl"), "-D", str(data), "-t", PATIENCE_S)
        run(*control, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://lianke@/postgres?host={folder}"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
