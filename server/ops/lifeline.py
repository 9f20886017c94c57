"""Ends this process when its supervisor has died: standard input is a pipe that the supervisor holds.

PR_SET_PDEATHSIG, which the supervisor sets where there is one, is the second rope.
"""

from __future__ import annotations

import os
import stat
import threading

SUPERVISOR_DIED = 70


def watch(descriptor: int = 0) -> None:
    """From now on the end of `descriptor`, where it is a pipe, ends the process, whatever it is doing."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return
    threading.Thread(target=_wait, args=(descriptor,), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    try:
        while os.read(descriptor, 64):
            pass
    except OSError:
        pass
    os._exit(SUPERVISOR_DIED)
